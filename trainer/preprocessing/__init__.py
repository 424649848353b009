"""Small functions that `preprocessing_fn` is made of; no TFX, few need Transform."""
