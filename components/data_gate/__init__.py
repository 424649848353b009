"""Statistics, schema and anomalies become a verdict: go on, or stop the run."""
