"""The door: one fit, two SavedModels that a bundle takes as its two rankers."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.bundle.executor import _search_side
from core.config.ranker import RankerConfig
from tests.trainer.ranker.test_joint import search_pages
from tests.trainer.ranker.worlds import FEATURES, write_world
from trainer import joint_ranker_module
from trainer.funnel.ranker_rows import RankerRows

pytestmark = pytest.mark.slow

CONFIG = RankerConfig(hidden_units=(16, 8), epochs=1, moments_per_batch=8)
SEARCH = CONFIG.replace(
    listwise_weight=0.5, new_weight=1.0, choice_new=1.0, ignored_features=("person_*",)
)


def write_pages(folder: Path, *, clicked: bool) -> str:
    """`search_pages` as MineSearches writes them; purchases in the clicks' place."""
    pages = search_pages()
    for split, number in (("train", 0), ("eval", 2)):
        lists = np.flatnonzero(pages.split == number)
        rows = pages.rows_of(lists)
        (folder / f"Split-{split}").mkdir(parents=True)
        RankerRows(
            features=pages.features[rows],
            labels=pages.labels[rows].astype(np.float32) * clicked,
            group=np.repeat(np.arange(len(lists)), 10).astype(np.int32),
            rows=np.arange(len(rows), dtype=np.int32),
            owned=pages.owned[rows],
            truth_size=pages.truth_size[lists] * clicked,
            cutoff=pages.cutoff[lists],
            gains=pages.gains[rows].astype(np.float32) * clicked,
        ).save(folder / f"Split-{split}" / "part-00000.npz")
    meta = {"feature_names": pages.feature_names, "event_types": ["purchase"]}
    (folder / "meta.json").write_text(json.dumps(meta))
    return str(folder)


def run(root: Path, *, clicked: bool = True) -> Path:
    uris = {
        "candidates": write_world(root / "candidates"),
        "search_candidates": write_pages(root / "pages", clicked=clicked),
    }
    arguments: dict[str, Any] = {
        "config": CONFIG.to_json(),
        "search_config": SEARCH.to_json(),
        "uris": uris,
    }
    joint_ranker_module.run_fn(
        SimpleNamespace(
            custom_config=arguments,
            serving_model_dir=str(root / "model"),
            model_run_dir=str(root / "model_run" / "1"),
        )
    )
    return root / "model"


def test_both_sides_load_and_score_their_own_features(tmp_path: Path) -> None:
    model = run(tmp_path)
    pages = search_pages()
    for folder, width in ((model, len(FEATURES)), (_search_side(model), 7)):
        loaded = tf.saved_model.load(str(folder))
        names = [name.decode() for name in loaded.feature_names.numpy()]
        assert tuple(names) == pages.feature_names[:width]
        scores = loaded.score(pages.features[:20, :width])["score"]
        assert scores.shape == (20,) and np.isfinite(scores).all()
    history = json.loads((tmp_path / "model_run" / "1" / "history.json").read_text())
    assert history["jointly"] and 0 < history["first_stage"] < 1
    assert {"ndcg", "ndcg_new", "search"} <= set(history["validation"])
    # The pages' features that the settings hide move nothing.
    values = pages.features[:20]
    hidden = dataclasses.replace(pages, features=values.copy()).features
    hidden[:, FEATURES.index("person_side")] = 99.0
    search = tf.saved_model.load(str(_search_side(model)))
    np.testing.assert_array_equal(
        search.score(hidden)["score"], search.score(values)["score"]
    )


def test_without_a_click_search_keeps_the_first_stage_s_order(tmp_path: Path) -> None:
    model = run(tmp_path, clicked=False)
    values = search_pages().features[:20]
    loaded = tf.saved_model.load(str(_search_side(model)))
    np.testing.assert_array_equal(loaded.score(values)["score"], values[:, -1])
    assert tf.saved_model.load(str(model)).score(values[:, : len(FEATURES)])
