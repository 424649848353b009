"""Moments become the ranker's rows: retrieved candidates with labels and features."""
