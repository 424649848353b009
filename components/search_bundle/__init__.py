"""Catalogue, words and text encoder become the model of a shop without events."""
