"""Compress: smaller rankers, between training and the bundle."""
