"""Whole-funnel ranking metrics of the bundle, beside baselines of the same run."""
