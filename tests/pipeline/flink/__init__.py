"""Beam steps on Flink."""
