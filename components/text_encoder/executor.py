"""Examples of items and events → text encoder and item vectors."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.text_encoder import train_encoder
from core.config.text_encoder import TextEncoderConfig

_log = logging.getLogger(__name__)


class Executor(base_beam_executor.BaseBeamExecutor):
    """Artifacts to paths; the work is in `train_encoder`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Trains the encoder and embeds every item.

        Args:
          input_dict:
            - items: Examples, split `train`.
            - events: Examples, optional, all splits are read.
          output_dict:
            - model: Model; SavedModel in Format-Serving, `text_encoder.json` beside.
            - item_vectors: ItemVectorsArtifact.
          exec_properties:
            - config: JSON of TextEncoderConfig.
            - before: seconds UTC; later events are never looked at.

        Raises:
          ConfigError: the preset cannot be loaded.
          InputDataError: no item holds a word.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        events = (input_dict.get("events") or [None])[0]
        splits = artifact_utils.decode_split_names(events.split_names) if events else []
        model = artifact_utils.get_single_instance(output_dict["model"])
        vectors = artifact_utils.get_single_instance(output_dict["item_vectors"])
        report = train_encoder.train_encoder(
            artifact_utils.get_single_uri(input_dict["items"]),
            events.uri if events else None,
            splits,
            model_dir=Path(path_utils.serving_model_dir(model.uri)),
            report_dir=Path(model.uri),
            vectors_dir=Path(vectors.uri),
            config=TextEncoderConfig.from_json(exec_properties["config"]),
            before=int(exec_properties["before"]),
            pipeline=self._make_beam_pipeline(),
        )
        model.set_int_custom_property("parameters", report["parameters"]["total"])
        model.set_int_custom_property("trainable", report["parameters"]["trainable"])
        _log.info("Text encoder: %s", report)
