"""How text is folded and split, for the served graph and for plain Python alike."""
