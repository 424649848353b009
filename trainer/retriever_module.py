"""Door of the Retriever step, `trainer.retriever_module.run_fn`."""

from __future__ import annotations

from typing import Any

from core.config.retriever import RetrieverConfig
from trainer.retriever.train import train_retriever


def run_fn(fn_args: Any) -> None:
    """Trains and exports the two-tower Retriever.

    Args:
      fn_args: tfx FnArgs; its custom_config holds {"config": JSON of RetrieverConfig,
        "uris": {"items", "moments"}} and, for towers that read text, the uris
        text_encoder and item_vectors, and searches.
    """
    uris = fn_args.custom_config["uris"]
    train_retriever(
        items_uri=uris["items"],
        moments_uri=uris["moments"],
        transform_uri=fn_args.transform_graph_path,
        serving_model_dir=fn_args.serving_model_dir,
        model_run_dir=fn_args.model_run_dir,
        config=RetrieverConfig.from_json(fn_args.custom_config["config"]),
        text_encoder_dir=uris.get("text_encoder"),
        item_vectors_uri=uris.get("item_vectors"),
        searches_uri=uris.get("searches"),
    )
