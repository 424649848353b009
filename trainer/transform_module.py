"""Door of the Transform step, `trainer.transform_module.preprocessing_fn`."""

from __future__ import annotations

from typing import Any

from core.config.transform import TransformConfig
from trainer.preprocessing.features import transformed_features


def preprocessing_fn(
    inputs: dict[str, Any], custom_config: dict[str, Any]
) -> dict[str, Any]:
    """Transformed features of the denormalized events (docs/retriever.md lists them).

    Args:
      inputs: raw columns, sparse where a value may be missing.
      custom_config: {"config": JSON of TransformConfig}.
    """
    config = TransformConfig.from_json(custom_config["config"])
    return transformed_features(inputs, config)
