"""Compress: trained rankers and their rows → smaller rankers."""

from pathlib import Path

from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.compress.artifacts import CompressionFacts
from components.compress.compress_models import FACTS_FILE, compress_model
from components.json_file import write_json
from components.mine_negatives.artifacts import CandidatesArtifact
from core.config.compress import CompressConfig


@component
def Compress(
    ranker: InputArtifact[standard_artifacts.Model],
    candidates: InputArtifact[CandidatesArtifact],
    search_ranker: InputArtifact[standard_artifacts.Model],
    search_candidates: InputArtifact[CandidatesArtifact],
    compressed_ranker: OutputArtifact[standard_artifacts.Model],
    compressed_search_ranker: OutputArtifact[standard_artifacts.Model],
    facts: OutputArtifact[CompressionFacts],
    config: Parameter[str],
) -> None:
    """Drops neurons, prunes and fine-tunes for 8 bits, with TF-MOT.

    Args:
      ranker, search_ranker: SavedModels of the two rankers.
      candidates, search_candidates: the rows that each was trained on.
      compressed_ranker, compressed_search_ranker: outputs; the same, smaller.
      facts: output; compression.json with parameters, zeros and NDCG on the eval
        moments before and after, by ranker; of `ranker` also AUC and calibration of
        its probabilities, which `rank` serves.
      config: CompressConfig as JSON.
    """
    settings = CompressConfig.from_json(config)
    found = {}
    for name, model, rows, out in (
        ("ranker", ranker, candidates, compressed_ranker),
        (
            "search_ranker",
            search_ranker,
            search_candidates,
            compressed_search_ranker,
        ),
    ):
        found[name] = compress_model(
            Path(path_utils.serving_model_path(model.uri)),
            rows.uri,
            Path(path_utils.serving_model_dir(out.uri)),
            settings,
            probabilities=name == "ranker",  # `search` reads the score alone
        )
    write_json(Path(facts.uri) / FACTS_FILE, found)
