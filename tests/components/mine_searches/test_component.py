"""MineSearches on small artifacts, and the ranker that follows it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from tfx.types import channel, standard_artifacts
from tfx.utils import path_utils

from components import data_artifacts
from components.item_neighbours.artifacts import ItemTablesArtifact
from components.item_neighbours.build_tables import build_tables
from components.join_history.make_searches import make_searches
from components.mine_negatives.artifacts import CandidatesArtifact
from components.mine_searches import executor
from components.mine_searches.component import MineSearches
from components.text_encoder.artifacts import ItemVectorsArtifact
from core.config.funnel import FunnelConfig
from core.config.neighbours import NeighboursConfig
from core.config.ranker import RankerConfig
from core.config.search import SearchConfig
from core.config.searches import SearchMomentConfig
from tests.trainer.funnel import tiny_shop
from tests.trainer.search.funnel_world import FakeEncoder, FakeTowers
from trainer import search_ranker_module
from trainer.data.examples import write_split
from trainer.funnel.funnel import CandidateFunnel
from trainer.funnel.fusion import FusionWeights
from trainer.funnel.ranker_rows import RankerRows
from trainer.funnel.tables import ItemTables
from trainer.search.search_funnel import PRIOR, SIGNALS

pytestmark = pytest.mark.slow

N, DAY, SPLITS = tiny_shop.NUM_ITEMS, tiny_shop.DAY, tiny_shop.SPLITS
NEIGHBOURS = NeighboursConfig(num_neighbours=10, ease_lambda=5.0, title_dim=8)
FUNNEL = FunnelConfig(num_candidates=25)
SEARCH = SearchConfig(num_candidates=20, max_rows_per_page=8, mining_batch=16)
COLOURS = ("red", "blue", "绿色")  # item i has colour i mod 3


def search_events(pages: int = 150) -> pa.Table:
    """People search for a colour, see four items of it, and buy the cheapest."""
    rng = np.random.default_rng(3)
    rows = []
    for page in range(pages):
        time = int(tiny_shop.T2 - rng.integers(1, 30 * DAY))
        colour = page % 3
        shown = rng.choice(np.arange(colour, N, 3), 4, replace=False)
        seen = [(item, "view", slot, time) for slot, item in enumerate(shown)]
        bought = (shown.min(), "purchase", int(shown.argmin()), time + 60)
        for item, event, slot, at in [*seen, bought]:
            rows.append((f"u{page % 20:02d}", item, event, at, COLOURS[colour], slot))
    return pa.table(
        {
            "user_id": [r[0] for r in rows],
            "item_id": [f"i{r[1]:02d}" for r in rows],
            "event": [r[2] for r in rows],
            "timestamp": pa.array([r[3] for r in rows], pa.int64()),
            "session_id": pa.nulls(len(rows), pa.string()),
            "country": ["FR"] * len(rows),
            "query": [r[4] for r in rows],
            "position": pa.array([r[5] for r in rows], pa.int64()),
        }
    )


def _examples(uri: Path, splits: dict[str, pa.Table]) -> standard_artifacts.Examples:
    artifact = standard_artifacts.Examples()
    artifact.uri = str(uri)
    for name, table in splits.items():
        write_split(artifact.uri, name, table)
    data_artifacts.mark_as_parquet(artifact, list(splits))
    return artifact


def mine(root: Path, events: pa.Table) -> Path:
    """Runs the executor over artifacts made of these events; the output's folder."""
    items = _examples(root / "items", {"train": tiny_shop.items()})
    everything = _examples(root / "events", {"train": events})
    pages = make_searches(
        events, SPLITS, SearchMomentConfig(), tiny_shop.SHOP.event_types, ["country"]
    )
    artifacts: dict[str, Any] = {
        "items": items,
        "searches": _examples(root / "searches", pages),
    }
    for name, kind in (
        ("tables", ItemTablesArtifact),
        ("text_encoder", standard_artifacts.Model),
        ("item_vectors", ItemVectorsArtifact),
        ("candidates", CandidatesArtifact),
        ("retriever", standard_artifacts.Model),
        ("search_candidates", CandidatesArtifact),
    ):
        artifacts[name] = kind()
        artifacts[name].uri = str(root / name)
    folders = build_tables(
        items.uri,
        everything.uri,
        ["train"],
        artifacts["tables"].uri,
        shop=tiny_shop.SHOP,
        splits=SPLITS,
        config=NEIGHBOURS,
    )
    funnel = CandidateFunnel(ItemTables.load(folders[-1]), None, FUNNEL)
    funnel.fusion.weights().save(artifacts["candidates"].uri)
    encoder = FakeEncoder({"rouge": 0, "bleu": 1}, 3)
    model_dir = path_utils.serving_model_dir(artifacts["text_encoder"].uri)
    tf.saved_model.save(encoder, model_dir)
    towers = FakeTowers(N, 3, num_contexts=1)
    towers.text_encoder = encoder
    model_dir = path_utils.serving_model_dir(artifacts["retriever"].uri)
    tf.saved_model.save(towers, model_dir)
    (root / "item_vectors").mkdir()
    vectors = np.eye(3, dtype=np.float32)[np.arange(N) % 3]
    np.save(root / "item_vectors" / "item_vectors.npy", vectors)
    output = artifacts.pop("search_candidates")
    executor.Executor().Do(
        {name: [artifact] for name, artifact in artifacts.items()},
        {"search_candidates": [output]},
        {
            "shop": tiny_shop.SHOP.to_json(),
            "funnel": FUNNEL.to_json(),
            "search": SEARCH.to_json(),
        },
    )
    return Path(output.uri)


def rank(root: Path, candidates: Path) -> Any:
    """Runs the ranker's door; the loaded SavedModel."""
    config = RankerConfig(hidden_units=(8,), epochs=1, fit_cutoffs=9, top_k=10)
    search_ranker_module.run_fn(
        SimpleNamespace(
            custom_config={
                "config": config.to_json(),
                "uris": {"candidates": str(candidates)},
            },
            serving_model_dir=str(root / "model"),
            model_run_dir=str(root / "model_run" / "1"),
        )
    )
    return tf.saved_model.load(str(root / "model"))


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mine(tmp_path_factory.mktemp("searched"), search_events())


def shards(folder: Path, split: str) -> list[RankerRows]:
    found = sorted((folder / f"Split-{split}").glob("part-*.npz"))
    return [RankerRows.load(path) for path in found]


def test_splits_hold_the_arrays_of_the_contract(searched: Path) -> None:
    meta = json.loads((searched / "meta.json").read_text())
    assert meta["event_types"] == ["purchase"]
    for split, most in (("train", 8), ("eval", 10)):  # ten items of a colour
        parts = shards(searched, split)
        assert parts
        for rows in parts:
            assert rows.features.shape == (len(rows.rows), len(meta["feature_names"]))
            assert np.isfinite(rows.features).all()
            assert rows.labels.shape == (len(rows.rows), 1)
            assert (np.diff(rows.group) >= 0).all()
            assert np.bincount(rows.group).max() <= most
            assert rows.gains is not None


def test_each_part_has_one_cut_off_and_its_pages_come_after(searched: Path) -> None:
    cutoffs = {*SPLITS.grid}
    for split in ("train", "eval"):
        for rows in shards(searched, split):
            (cutoff,) = set(rows.cutoff.tolist())
            assert cutoff in cutoffs
    assert {r.cutoff[0] for r in shards(searched, "eval")} == {SPLITS.eval_start}


def test_what_was_bought_on_the_page_is_worth_something(searched: Path) -> None:
    for split in ("train", "eval"):
        for rows in shards(searched, split):
            bought = rows.labels[:, 0] > 0
            assert rows.gains is not None
            np.testing.assert_array_equal(rows.gains > 0, bought)
            # One purchase a page, four items shown; the rest was not.
            assert (np.bincount(rows.group, bought) == 1).all()
            assert (np.bincount(rows.group, ~rows.owned) == 4).all()


def test_the_first_stage_is_learned_and_kept(searched: Path) -> None:
    weights = FusionWeights.load(searched)
    assert weights.names == SIGNALS
    assert weights.linear != PRIOR.linear


def test_the_ranker_of_the_pages_loads_and_scores(
    searched: Path, tmp_path: Path
) -> None:
    model = rank(tmp_path, searched)
    names = [n.decode() for n in model.feature_names.numpy()]
    meta = json.loads((searched / "meta.json").read_text())
    assert names == meta["feature_names"]
    scores = model.score(shards(searched, "eval")[0].features)["score"]
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("bought", [False, None], ids=["no click", "no search"])
def test_a_shop_without_clicks_gets_the_first_stage_s_order(
    tmp_path: Path, bought: bool | None
) -> None:
    events = search_events()
    if bought is None:
        events = events.drop(["query", "position"])
        empty = pa.nulls(events.num_rows, pa.string())
        events = events.append_column("query", empty)
        slots = pa.nulls(events.num_rows, pa.int64())
        events = events.append_column("position", slots)
    else:
        seen = np.array(events["event"].to_pylist()) == "view"
        events = pa.concat_tables(
            [
                events.filter(pa.array(seen)),
                # Purchases of another time, without words.
                tiny_shop.events().append_column(
                    "query", pa.nulls(900, pa.string())
                ).append_column("position", pa.nulls(900, pa.int64())),
            ]
        )  # fmt: skip
    folder = mine(tmp_path, events)
    weights = FusionWeights.load(folder)
    assert weights.names == SIGNALS
    np.testing.assert_allclose(weights.linear, PRIOR.linear, rtol=1e-6)
    if bought is None:
        assert sum(len(rows.rows) for rows in shards(folder, "train")) == 0
    model = rank(tmp_path, folder)
    names = json.loads((folder / "meta.json").read_text())["feature_names"]
    features = np.random.default_rng(0).normal(size=[5, len(names)])
    features = features.astype(np.float32)
    fused = features[:, names.index("query_fused")]
    np.testing.assert_array_equal(model.score(features)["score"], fused)


def test_the_component_can_be_constructed() -> None:
    examples = channel.Channel(type=standard_artifacts.Examples)
    step = MineSearches(
        items=examples,
        searches=examples,
        tables=channel.Channel(type=ItemTablesArtifact),
        text_encoder=channel.Channel(type=standard_artifacts.Model),
        item_vectors=channel.Channel(type=ItemVectorsArtifact),
        candidates=channel.Channel(type=CandidatesArtifact),
        retriever=channel.Channel(type=standard_artifacts.Model),
        shop=tiny_shop.SHOP,
        funnel=FUNNEL,
        search=SEARCH,
    )
    assert step.outputs["search_candidates"].type is CandidatesArtifact
    assert SearchConfig.from_json(step.exec_properties["search"]) == SEARCH
