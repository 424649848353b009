"""Trainer with the extra inputs of the funnel's models."""
