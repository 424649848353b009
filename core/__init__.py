"""Names and rules that two or more folders share; standard library and NumPy only."""
