"""Events become moments: a person at a time, the past before it, the deeds after."""
