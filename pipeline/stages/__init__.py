"""The DAG in four stretches: data, features, models, release."""
