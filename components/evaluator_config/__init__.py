"""What TFX's Evaluator measures of the bundle."""

from components.evaluator_config.build import build_eval_config

__all__ = ["build_eval_config"]
