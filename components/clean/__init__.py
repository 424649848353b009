"""Ingested tables become clean, denormalized, time-split Examples."""
