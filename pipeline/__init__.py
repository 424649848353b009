"""Which step runs next: the DAG, its configuration, runners and the souk command."""
