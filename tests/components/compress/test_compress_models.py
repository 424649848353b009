"""A smaller ranker is taken only where it is as good as the one that was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.compress.compress_models import compress_model, losses
from core.config.compress import CompressConfig
from core.config.ranker import RankerConfig
from tests.trainer.ranker.worlds import write_world
from trainer.export.ranker_export import load_fitted, save_ranker
from trainer.ranker.dataset import read_candidates
from trainer.ranker.fit import fit_ranker


@pytest.mark.slow
def test_a_ranker_that_loses_too_much_stays_as_it_was_trained(tmp_path: Path) -> None:
    candidates = write_world(tmp_path / "candidates")
    config = RankerConfig(hidden_units=(32, 16), epochs=8, learning_rate=0.01)
    fitted = fit_ranker(read_candidates(candidates), config)
    save_ranker(fitted, tmp_path / "ranker")
    # Of 160 weights of the first kernel 2 stay: no XOR of two features.
    harsh = CompressConfig(sparsity=("trunk_*=0.99",), quantization_aware=False)
    facts = compress_model(tmp_path / "ranker", candidates, tmp_path / "out", harsh)
    assert facts is not None
    assert any("AUC of purchase" in reason for reason in facts["refused"])
    assert facts["after"] == facts["before"]
    written = load_fitted(tmp_path / "out").model.get_weights()
    for ours, trained in zip(written, fitted.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, trained)


def _facts(ndcg: float | None, new: float | None, auc: float) -> dict[str, Any]:
    events = None if ndcg is None else {"purchase": {"auc": auc}}
    return {"ndcg": ndcg, "ndcg_new": new, "events": events}


@pytest.mark.parametrize(
    ("after", "named"),
    [
        (_facts(0.399, 0.2, 0.795), []),  # -.25 %, 0, -.005
        (_facts(0.397, 0.2, 0.8), ["NDCG 0.4000 to 0.3970"]),  # -.75 %
        (_facts(0.4, 0.198, 0.8), ["NDCG of new items 0.2000 to 0.1980"]),  # -1 %
        (_facts(0.4, 0.2, 0.785), ["AUC of purchase 0.8000 to 0.7850"]),
    ],
)
def test_losses_beyond_the_bounds_are_named(after, named) -> None:
    config = CompressConfig(max_ndcg_drop_percent=0.5, max_auc_drop=0.01)
    assert losses(_facts(0.4, 0.2, 0.8), after, config) == named


def test_nothing_is_lost_where_nothing_was_measured() -> None:
    unknown = _facts(None, None, 0.0)
    assert losses(unknown, unknown, CompressConfig()) == []
