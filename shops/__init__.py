"""A source becomes the canonical tables."""
