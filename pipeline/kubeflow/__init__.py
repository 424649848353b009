"""The same DAG on Kubeflow Pipelines: compiled, submitted, run without a cluster."""
