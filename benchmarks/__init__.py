"""Measurements against peers and plain ways."""

import trainer  # noqa: F401  (sets what TensorFlow and NumPy read when first imported)
