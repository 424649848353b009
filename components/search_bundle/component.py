"""SearchBundle: items, tables, text encoder → the model of a shop without events."""

import json
from pathlib import Path

from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.item_neighbours.artifacts import ItemTablesArtifact
from components.mine_searches.mine_searches import SearchInputs
from components.search_bundle.build_search_bundle import build_search_bundle
from components.text_encoder.artifacts import ItemVectorsArtifact
from core.config.souk import SoukConfig


@component
def SearchBundle(
    items: InputArtifact[standard_artifacts.Examples],
    events: InputArtifact[standard_artifacts.Examples],
    tables: InputArtifact[ItemTablesArtifact],
    text_encoder: InputArtifact[standard_artifacts.Model],
    item_vectors: InputArtifact[ItemVectorsArtifact],
    model: OutputArtifact[standard_artifacts.Model],
    config: Parameter[str],
) -> None:
    """Builds the bundle; its order of a page is the prior one, nothing is learned.

    Args:
      items: the cleaned catalogue.
      events: Clean's events, without rows.
      tables: ItemNeighbours' tables, which saw no events.
      text_encoder: TextEncoder's model.
      item_vectors: TextEncoder's vectors of the catalogue.
      model: output; as Bundle's, with fewer signatures (docs/serving.md).
      config: SoukConfig as JSON.
    """
    settings = SoukConfig.from_json(config)
    inputs = SearchInputs(
        items=items.uri,
        searches="",
        tables=tables.uri,
        text_encoder=path_utils.serving_model_path(text_encoder.uri),
        item_vectors=item_vectors.uri,
        candidates="",
    )
    out_dir = Path(path_utils.serving_model_dir(model.uri))
    build_search_bundle(inputs, events.uri, out_dir, settings)
    span = json.dumps({"as_of": settings.splits.test_start})
    model.set_string_custom_property("data_span", span)
