"""Compress asks each ranker for what is served of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.compress.artifacts import CompressionFacts
from components.compress.component import Compress
from components.compress.compress_models import FACTS_FILE
from components.mine_negatives.artifacts import CandidatesArtifact
from core.config.compress import CompressConfig
from core.config.ranker import RankerConfig
from tests.trainer.ranker.worlds import write_world
from trainer.export.ranker_export import load_fitted, save_ranker
from trainer.ranker.dataset import read_candidates
from trainer.ranker.fit import fit_ranker


@pytest.mark.slow
def test_the_search_ranker_is_not_asked_for_probabilities(tmp_path: Path) -> None:
    candidates = CandidatesArtifact()
    candidates.uri = write_world(tmp_path / "candidates")
    config = RankerConfig(hidden_units=(32, 16), epochs=8, learning_rate=0.01)
    models = {
        name: _model(tmp_path / name)
        for name in ("ranker", "search_ranker", "smaller", "smaller_search")
    }
    fitted = fit_ranker(read_candidates(candidates.uri), config)
    for name in ("ranker", "search_ranker"):
        save_ranker(fitted, Path(path_utils.serving_model_dir(models[name].uri)))
    facts = CompressionFacts()
    facts.uri = str(tmp_path / "facts")
    # Of 160 weights of the first kernel 2 stay: AUC falls, and any NDCG is allowed.
    harsh = CompressConfig(
        sparsity=("trunk_*=0.99",), quantization_aware=False, max_ndcg_drop_percent=100
    )
    Compress.test_call(
        ranker=models["ranker"],
        candidates=candidates,
        search_ranker=models["search_ranker"],
        search_candidates=candidates,
        compressed_ranker=models["smaller"],
        compressed_search_ranker=models["smaller_search"],
        facts=facts,
        config=harsh.to_json(),
    )
    found = json.loads((Path(facts.uri) / FACTS_FILE).read_text("utf-8"))
    assert any("AUC of purchase" in reason for reason in found["ranker"]["refused"])
    assert set(found["ranker"]["before"]["events"]) == {"view", "purchase"}
    search = found["search_ranker"]
    assert "refused" not in search
    assert search["before"]["events"] is None and search["after"]["events"] is None
    served = Path(path_utils.serving_model_path(models["smaller_search"].uri))
    kernel = load_fitted(served).model.get_layer("trunk_0").get_weights()[0]
    assert np.count_nonzero(kernel) == 2


def _model(folder: Path) -> standard_artifacts.Model:
    artifact = standard_artifacts.Model()
    artifact.uri = str(folder)
    return artifact
