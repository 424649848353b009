"""The door: run_fn reads candidates and writes a SavedModel that stands alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from core.config.ranker import RankerConfig
from tests.trainer.ranker.worlds import FEATURES, write_world
from trainer import ranker_module
from trainer.export.ranker_export import load_fitted
from trainer.ranker.model import split_heads

CONFIG = RankerConfig(hidden_units=(16, 8), epochs=2, moments_per_batch=8)

_ALONE = """
import sys
import numpy as np, tensorflow as tf
features = np.load(sys.argv[2])
model = tf.saved_model.load(sys.argv[1])
np.savez(sys.argv[3], **model.score(features))
assert not any(m.split(".")[0] in ("trainer", "core") for m in sys.modules)
"""


def _run(tmp_path: Path) -> Path:
    serving = tmp_path / "model" / "Format-Serving"
    ranker_module.run_fn(
        SimpleNamespace(
            custom_config={
                "config": CONFIG.to_json(),
                "uris": {"candidates": write_world(tmp_path / "candidates")},
            },
            serving_model_dir=str(serving),
            model_run_dir=str(tmp_path / "model_run" / "7"),
        )
    )
    return serving


@pytest.mark.slow
def test_run_fn_writes_a_model_a_history_and_no_leftovers(tmp_path: Path) -> None:
    serving = _run(tmp_path)
    run_dir = tmp_path / "model_run" / "7"
    history = json.loads((run_dir / "history.json").read_text())

    assert (serving / "saved_model.pb").is_file()
    assert len(history["trials"][0]["epochs"]) == 2
    assert set(history["validation"]["calibration_error"]) == {"view", "purchase"}
    assert list(run_dir.glob("events.out.tfevents.*"))
    assert [p.name for p in run_dir.parent.iterdir()] == ["7"]

    loaded = tf.saved_model.load(str(serving))
    names = [name.decode() for name in loaded.feature_names.numpy()]
    assert tuple(names) == FEATURES

    # the SavedModel in a process that has only TensorFlow = the Keras model kept for
    # compression, on odd inputs too
    features = np.random.default_rng(1).normal(size=[9, len(FEATURES)]) * 50
    features = features.astype(np.float32)
    features[1], features[2, 0], features[3, 1] = np.nan, np.inf, -np.inf
    np.save(tmp_path / "features.npy", features)
    out = tmp_path / "scores.npz"
    subprocess.run(
        [sys.executable, "-c", _ALONE, serving, tmp_path / "features.npy", out],
        check=True,
        cwd=tmp_path,
        timeout=120,
    )
    fitted = load_fitted(serving)
    logits = fitted.model(fitted.normalizer.apply(tf.constant(features)))
    scores, events = split_heads(logits, fitted.event_types, fitted.config)
    with np.load(out) as alone:
        assert sorted(alone.files) == ["p_purchase", "p_view", "score"]
        np.testing.assert_allclose(alone["score"], scores, rtol=1e-5, atol=1e-6)
        for i, event in enumerate(("view", "purchase")):
            expected = fitted.calibrators[i].apply(events[:, i].numpy())
            np.testing.assert_allclose(alone[f"p_{event}"], expected, atol=1e-5)
            assert np.all((alone[f"p_{event}"] >= 0) & (alone[f"p_{event}"] <= 1))
