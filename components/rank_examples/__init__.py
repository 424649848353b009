"""Test moments with sampled candidates as tf.Examples, for TFMA."""
