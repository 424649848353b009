"""Compression: what a bundle stores, in fewer bytes, and smaller networks."""
