"""Nearest vectors in catalogues too large to score whole."""
