"""Events become moments (the past before a time, the deeds after) and search pages."""
