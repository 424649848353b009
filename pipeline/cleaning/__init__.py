"""Removes from a shop's home what no later run needs."""
