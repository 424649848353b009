"""Measurements against peers and plain ways."""
