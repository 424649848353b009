"""Artifacts to paths and back, for Bundle."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.bundle.build_bundle import BundleParts, build_bundle
from components.bundle.build_compact import build_compact
from components.compress.compress_models import FACTS_FILE
from components.mine_searches.mine_searches import SearchInputs
from core.config import ShopConfig, SplitConfig
from core.config.bundle import BundleConfig
from core.config.compress import CompressConfig
from core.config.funnel import FunnelConfig
from core.config.search import SearchConfig
from core.layout import SEARCH_SIDE


class Executor(base_executor.BaseExecutor):
    """Retriever, ranker, tables and items → one SavedModel."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Builds the bundle.

        Args:
          input_dict:
            - items: Examples, the cleaned catalogue.
            - events: Examples, the cleaned events; the lexicon reads those before T2.
            - tables: item tables, one folder per cut-off.
            - retriever: Model, the two-tower SavedModel.
            - ranker: Model, the ranker SavedModel.
            - candidates: CandidatesArtifact, for the first stage's weights.
            - text_encoder, item_vectors, search_candidates, search_ranker: optional,
              all or none; without them the bundle has no `search`. A jointly trained
              `ranker` is also the `search_ranker`.
            - compressed_ranker, compressed_search_ranker, compression: optional, what
              Compress made of the rankers and says of them.
          output_dict:
            - model: Model, the bundle.
            - uncompressed: Model, only where `compress` is enabled.
          exec_properties:
            - shop, splits, funnel, bundle, search, compress: JSON of the settings of
              these names.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        splits = SplitConfig.from_json(exec_properties["splits"])
        parts = _parts(input_dict, splits.test_start)
        output = artifact_utils.get_single_instance(output_dict["model"])
        out_dir = Path(path_utils.serving_model_dir(output.uri))
        settings: dict[str, Any] = {
            "shop": ShopConfig.from_json(exec_properties["shop"]),
            "splits": splits,
            "funnel_config": FunnelConfig.from_json(exec_properties["funnel"]),
            "config": BundleConfig.from_json(exec_properties["bundle"]),
            "search_config": SearchConfig.from_json(exec_properties["search"]),
        }
        compress = CompressConfig.from_json(exec_properties["compress"])
        if compress.enabled:
            plain = artifact_utils.get_single_instance(output_dict["uncompressed"])
            plain_dir = Path(path_utils.serving_model_dir(plain.uri))
            build_bundle(parts, plain_dir, **settings)
            smaller, facts = _compressed(parts, input_dict)
            build_compact(
                smaller,
                plain_dir,
                out_dir,
                compress=compress,
                rankers=facts,
                **settings,
            )
        else:
            build_bundle(parts, out_dir, **settings)
        span = json.dumps({"as_of": splits.test_start})
        output.set_string_custom_property("data_span", span)


def _parts(input_dict: dict[str, list[types.Artifact]], as_of: int) -> BundleParts:
    """Where everything lies that the bundle is made of; search's parts where given."""

    def uri(key: str) -> str:
        return str(artifact_utils.get_single_uri(input_dict[key]))

    def model(key: str) -> Path:
        return Path(path_utils.serving_model_dir(uri(key)))

    search: dict[str, Any] = {}
    if input_dict.get("text_encoder"):
        search = {
            "search": SearchInputs(
                items=uri("items"),
                searches="",
                tables=uri("tables"),
                text_encoder=path_utils.serving_model_path(uri("text_encoder")),
                item_vectors=uri("item_vectors"),
                candidates=uri("candidates"),
            ),
            "search_candidates": Path(uri("search_candidates")),
            "search_ranker": _search_side(model("search_ranker")),
        }
    return BundleParts(
        items=uri("items"),
        events=uri("events"),
        tables=Path(uri("tables")) / f"as_of={as_of}",
        retriever=model("retriever"),
        ranker=model("ranker"),
        candidates=Path(uri("candidates")),
        **search,
    )


def _compressed(
    parts: BundleParts, input_dict: dict[str, list[types.Artifact]]
) -> tuple[BundleParts, dict[str, Any] | None]:
    """The parts with Compress's rankers in place of the trained ones, and its facts."""
    changed: dict[str, Any] = {
        name: Path(path_utils.serving_model_dir(artifact_utils.get_single_uri(found)))
        for name in ("ranker", "search_ranker")
        if (found := input_dict.get(f"compressed_{name}"))
    }
    facts = None
    if input_dict.get("compression"):
        folder = Path(artifact_utils.get_single_uri(input_dict["compression"]))
        facts = json.loads((folder / FACTS_FILE).read_text("utf-8"))
    return dataclasses.replace(parts, **changed), facts


def _search_side(model: Path) -> Path:
    """Where the ranker of search pages lies: inside one that ranks both, or itself."""
    side = model / SEARCH_SIDE
    return side if side.is_dir() else model
