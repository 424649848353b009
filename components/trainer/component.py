"""FunnelTrainer: a TFX Trainer that also reads the funnel's artifacts."""

from __future__ import annotations

from typing import Any

from tfx.components.trainer.component import Trainer
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import trainer_pb2
from tfx.types import Channel, standard_artifacts
from tfx.types.channel import BaseChannel
from tfx.utils import json_utils

from components.trainer.executor import FunnelTrainerExecutor
from components.trainer.spec import FunnelTrainerSpec, spec_with


class FunnelTrainer(Trainer):  # type: ignore[misc]
    """Runs a `run_fn` on whichever of the funnel's artifacts it is given.

    Outputs `model` and `model_run`, as Trainer has them.
    """

    SPEC_CLASS = FunnelTrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(FunnelTrainerExecutor)

    def __init__(
        self,
        *,
        run_fn: str,
        custom_config: dict[str, Any],
        examples: BaseChannel | None = None,
        transform_graph: BaseChannel | None = None,
        schema: BaseChannel | None = None,
        items: BaseChannel | None = None,
        moments: BaseChannel | None = None,
        searches: BaseChannel | None = None,
        candidates: BaseChannel | None = None,
        search_candidates: BaseChannel | None = None,
        tables: BaseChannel | None = None,
        retriever: BaseChannel | None = None,
        text_encoder: BaseChannel | None = None,
        item_vectors: BaseChannel | None = None,
        train_args: trainer_pb2.TrainArgs | None = None,
        eval_args: trainer_pb2.EvalArgs | None = None,
    ) -> None:
        """Builds the node.

        Args:
          run_fn: dotted path of the door, such as `trainer.retriever_module.run_fn`.
          custom_config: JSON-able; run_fn gets it with `uris` added.
          examples: Examples with the splits of train_args and eval_args, if run_fn
            reads fn_args.train_files.
          transform_graph: gives fn_args.transform_graph_path.
          schema: gives fn_args.schema_path.
          items, moments, searches, candidates, search_candidates, tables, retriever,
            text_encoder, item_vectors: any artifacts; their URIs, a model's SavedModel
            folder, are custom_config["uris"][name].
          train_args, eval_args: splits and steps, as in Trainer.
        """
        given = {
            "items": items,
            "moments": moments,
            "searches": searches,
            "candidates": candidates,
            "search_candidates": search_candidates,
            "tables": tables,
            "retriever": retriever,
            "text_encoder": text_encoder,
            "item_vectors": item_vectors,
        }
        extra = {name: channel for name, channel in given.items() if channel}
        spec = spec_with(extra)(
            examples=examples,
            transform_graph=transform_graph,
            schema=schema,
            **extra,
            train_args=train_args or trainer_pb2.TrainArgs(),
            eval_args=eval_args or trainer_pb2.EvalArgs(),
            run_fn=run_fn,
            custom_config=json_utils.dumps(custom_config),
            model=Channel(type=standard_artifacts.Model),
            model_run=Channel(type=standard_artifacts.ModelRun),
        )
        # Trainer's own constructor knows no further inputs: its base builds the node.
        base_component.BaseComponent.__init__(self, spec=spec)
