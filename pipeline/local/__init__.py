"""Runs a DAG on this machine: several steps at once, each in a process of its own."""
