"""The ranker of a shop without clicks keeps the first stage's order."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer.export.prior_ranker import PriorRanker, save_prior_ranker

NAMES = ("own_score", "query_bm25", "query_fused", "query_price_fit")

_ALONE = """
import sys
import numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
features = np.load(sys.argv[2])
(name,) = model.signatures["serving_default"].structured_outputs
assert (model.score(features)[name] == model.signatures["serving_default"](
    features=tf.constant(features))[name]).numpy().all()
np.savez(sys.argv[3], score=model.score(features)[name], names=model.feature_names)
assert not any(m.split(".")[0] in ("trainer", "core") for m in sys.modules)
"""


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    return np.random.default_rng(0).normal(size=[9, 4]).astype(np.float32)


def test_the_score_is_the_first_stage_s(features: np.ndarray) -> None:
    scores = PriorRanker(NAMES).score(tf.constant(features))
    assert list(scores) == ["score"]
    np.testing.assert_array_equal(scores["score"], features[:, 2])


def test_no_rows_have_no_scores() -> None:
    assert PriorRanker(NAMES).score(tf.zeros([0, 4]))["score"].shape == (0,)


def test_features_without_the_first_stage_are_refused() -> None:
    with pytest.raises(ValueError, match="query_fused"):
        PriorRanker(["own_score"])


@pytest.mark.slow
def test_it_loads_where_there_is_only_tensorflow(
    features: np.ndarray, tmp_path: Path
) -> None:
    save_prior_ranker(NAMES, tmp_path / "model")
    np.save(tmp_path / "features.npy", features)
    out = tmp_path / "scores.npz"
    subprocess.run(
        [sys.executable, "-c", _ALONE, tmp_path / "model", tmp_path / "features.npy",
         out],
        check=True,
        cwd=tmp_path,
        timeout=120,
    )  # fmt: skip
    with np.load(out, allow_pickle=True) as alone:
        np.testing.assert_array_equal(alone["score"], features[:, 2])
        assert tuple(n.decode() for n in alone["names"]) == NAMES
