"""Executor of FunnelTrainer: artifacts become paths for run_fn."""

from __future__ import annotations

import time
from typing import Any

from absl import logging
from tfx.components.trainer import fn_args_utils
from tfx.components.trainer.executor import GenericExecutor
from tfx.types import (
    Artifact,
    artifact_utils,
    standard_artifacts,
    standard_component_specs,
)
from tfx.utils import io_utils, json_utils, path_utils

from components.trainer.spec import EXTRA_INPUTS


class FunnelTrainerExecutor(GenericExecutor):  # type: ignore[misc]
    """GenericExecutor whose run_fn also gets the URIs of the funnel's artifacts."""

    def Do(
        self,
        input_dict: dict[str, Any],
        output_dict: dict[str, Any],
        exec_properties: dict[str, Any],
    ) -> None:
        """Calls run_fn, which trains and writes the model.

        Args:
          input_dict: any of
            - examples, transform_graph, schema, base_model, hyperparameters: as in
              tfx Trainer, all optional.
            - items, moments, searches, candidates, search_candidates, tables,
              retriever, text_encoder, item_vectors: one artifact each; its URI, a
              model's SavedModel folder, becomes custom_config["uris"][name].
          output_dict:
            - model: the SavedModel, in Format-Serving.
            - model_run: checkpoints and logs.
          exec_properties:
            - run_fn: dotted path of the door.
            - custom_config: JSON of a dictionary.
            - train_args, eval_args: JSON of the protos.

        Raises:
          RuntimeError: run_fn wrote no model.
        """
        run_fn = exec_properties.get(standard_component_specs.RUN_FN_KEY)
        logging.info("%s starts on %s.", run_fn, ", ".join(sorted(input_dict)))
        started = time.monotonic()
        super().Do(input_dict, output_dict, exec_properties)
        logging.info("%s done in %.1f s.", run_fn, time.monotonic() - started)

    def _GetFnArgs(
        self,
        input_dict: dict[str, Any],
        output_dict: dict[str, Any],
        exec_properties: dict[str, Any],
    ) -> fn_args_utils.FnArgs:
        if input_dict.get(standard_component_specs.EXAMPLES_KEY):
            fn_args = super()._GetFnArgs(input_dict, output_dict, exec_properties)
        else:
            fn_args = _without_examples(input_dict, output_dict, exec_properties)
        config = dict(fn_args.custom_config or {})
        config["uris"] = {
            name: _path(artifact_utils.get_single_instance(input_dict[name]))
            for name in EXTRA_INPUTS
            if input_dict.get(name)
        }
        fn_args.custom_config = config
        return fn_args


def _path(artifact: Artifact) -> str:
    if artifact.type_name == standard_artifacts.Model.TYPE_NAME:
        return str(path_utils.serving_model_dir(artifact.uri))
    return str(artifact.uri)


def _without_examples(
    input_dict: dict[str, Any],
    output_dict: dict[str, Any],
    exec_properties: dict[str, Any],
) -> fn_args_utils.FnArgs:
    """What GenericExecutor makes, but for what needs the `examples` input."""
    model_uri = artifact_utils.get_single_uri(
        output_dict[standard_component_specs.MODEL_KEY]
    )
    run_uri = artifact_utils.get_single_uri(
        output_dict[standard_component_specs.MODEL_RUN_KEY]
    )
    graph = input_dict.get(standard_component_specs.TRANSFORM_GRAPH_KEY)
    schema = input_dict.get(standard_component_specs.SCHEMA_KEY)
    graph_uri = artifact_utils.get_single_uri(graph) if graph else None
    schema_file = (
        io_utils.get_only_uri_in_dir(artifact_utils.get_single_uri(schema))
        if schema
        else None
    )
    text = exec_properties.get(standard_component_specs.CUSTOM_CONFIG_KEY)
    return fn_args_utils.FnArgs(
        transform_graph_path=graph_uri,
        transform_output=graph_uri,
        schema_path=schema_file,
        schema_file=schema_file,
        serving_model_dir=path_utils.serving_model_dir(model_uri),
        eval_model_dir=path_utils.eval_model_dir(model_uri),
        model_run_dir=run_uri,
        custom_config=json_utils.loads(text) if text else {},
    )
