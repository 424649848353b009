"""The same DAG on Kubeflow Pipelines: compiled, submitted, and run without a cluster."""
