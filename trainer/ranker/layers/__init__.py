"""Blocks of the ranker, functional where the compression toolkit needs them so."""
