"""ItemNeighbours and MineNegatives, run on real small artifacts."""

from __future__ import annotations

import json
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
from tfx.types import channel, standard_artifacts

from components import data_artifacts
from components.item_neighbours import executor as tables_executor
from components.item_neighbours.artifacts import ItemTablesArtifact
from components.item_neighbours.component import ItemNeighbours
from components.join_history.make_moments import make_moments
from components.mine_negatives import executor as mine_executor
from components.mine_negatives import mine_splits
from components.mine_negatives.artifacts import CandidatesArtifact
from components.mine_negatives.component import MineNegatives
from core.config.funnel import FunnelConfig
from core.config.moments import MomentConfig
from core.config.neighbours import NeighboursConfig
from tests.trainer.funnel import tiny_shop
from trainer.data.examples import write_split
from trainer.funnel.fusion import FusionWeights
from trainer.funnel.ranker_rows import RankerRows
from trainer.funnel.tables import ItemTables

CONFIG = NeighboursConfig(num_neighbours=10, ease_lambda=5.0, title_dim=8)
FUNNEL = FunnelConfig(num_candidates=25, max_rows_per_moment=12, mining_batch=8)


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("mined")
    items, events = tiny_shop.items(), tiny_shop.events()
    artifacts = {
        "items": (standard_artifacts.Examples(), {"train": items}),
        "events": (standard_artifacts.Examples(), {"train": events}),
        "moments": (
            standard_artifacts.Examples(),
            make_moments(events, tiny_shop.SPLITS, MomentConfig(), ["country"]),
        ),
    }
    for name, (artifact, splits) in artifacts.items():
        artifact.uri = str(root / name)
        for split, table in splits.items():
            write_split(artifact.uri, split, table)
        data_artifacts.mark_as_parquet(artifact, list(splits))
    tables, candidates = ItemTablesArtifact(), CandidatesArtifact()
    tables.uri, candidates.uri = str(root / "tables"), str(root / "candidates")
    settings = {"shop": tiny_shop.SHOP.to_json()}
    tables_executor.Executor().Do(
        {"items": [artifacts["items"][0]], "events": [artifacts["events"][0]]},
        {"tables": [tables]},
        settings | {"splits": tiny_shop.SPLITS.to_json(), "config": CONFIG.to_json()},
    )
    mine_executor.Executor().Do(
        {"moments": [artifacts["moments"][0]], "tables": [tables]},
        {"candidates": [candidates]},
        settings | {"config": FUNNEL.to_json()},
    )
    names = ("moments", "tables", "candidates")
    return {name: root / name for name in names}


def test_tables_of_every_cutoff_are_written(mined: dict[str, Path]) -> None:
    folders = {p.name for p in mined["tables"].iterdir()}
    cutoffs = {*tiny_shop.SPLITS.grid, tiny_shop.T2}
    assert folders == {f"as_of={c}" for c in cutoffs}
    newest = ItemTables.load(mined["tables"] / f"as_of={tiny_shop.T2}")
    assert newest.as_of == tiny_shop.T2 and newest.num_items == tiny_shop.NUM_ITEMS


def test_splits_hold_the_arrays_of_the_contract(mined: dict[str, Path]) -> None:
    meta = json.loads((mined["candidates"] / "meta.json").read_text())
    assert meta["event_types"] == ["view", "purchase"]
    for split, most in (("train", 12), ("recent", 12), ("eval", 25)):
        files = sorted((mined["candidates"] / f"Split-{split}").glob("part-*.npz"))
        assert files, split
        for file in files:
            rows = RankerRows.load(file)
            assert rows.features.shape == (len(rows.rows), len(meta["feature_names"]))
            assert rows.labels.shape == (len(rows.rows), 2)
            assert (np.diff(rows.group) >= 0).all()
            assert np.bincount(rows.group).max() <= most
            assert rows.truth_size.shape == (len(rows.cutoff), 2)
            assert len(rows.cutoff) == rows.group.max() + 1
            assert np.isfinite(rows.features).all()


def test_components_can_be_constructed() -> None:
    examples = channel.Channel(type=standard_artifacts.Examples)
    step = ItemNeighbours(examples, examples, tiny_shop.SHOP, tiny_shop.SPLITS, CONFIG)
    tables = step.outputs["tables"]
    mining = MineNegatives(examples, tables, tiny_shop.SHOP, FUNNEL)
    assert mining.outputs["candidates"].type is CandidatesArtifact


def mined_again(mined: dict[str, Path], out: Path, **changes: int) -> dict[str, int]:
    return mine_splits.mine_splits(
        str(mined["moments"]),
        str(mined["tables"]),
        str(out),
        shop=tiny_shop.SHOP,
        config=FUNNEL.replace(**changes),
        pipeline=beam.Pipeline(),
    )


def candidates_of(folder: Path, split: str) -> list[tuple[object, ...]]:
    """Per moment: cut-off, size of its truth, and its candidates with their labels."""
    found: list[tuple[object, ...]] = []
    for path in sorted((folder / f"Split-{split}").glob("part-*.npz")):
        rows = RankerRows.load(path)
        for moment, cutoff in enumerate(rows.cutoff.tolist()):
            here = rows.group == moment
            labels = rows.labels[here].astype(int).tolist()
            pairs = sorted(zip(rows.rows[here].tolist(), labels, strict=True))
            found.append((cutoff, rows.truth_size[moment].tolist(), pairs))
    return sorted(found, key=str)


def test_small_parts_hold_what_one_large_part_holds(
    mined: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mine_splits, "PART_MOMENTS", 3)
    counts = mined_again(mined, tmp_path)
    assert len(list((tmp_path / "Split-eval").glob("part-*.npz"))) > 1
    assert not list(tmp_path.rglob(".*"))
    whole = candidates_of(mined["candidates"], "eval")  # every candidate, no sample
    assert candidates_of(tmp_path, "eval") == whole
    assert counts["eval"] == sum(len(pairs) for *_, pairs in whole)  # type: ignore[arg-type]
    weights = [FusionWeights.load(f) for f in (tmp_path, mined["candidates"])]
    assert weights[0] == weights[1]


def test_many_moments_are_sampled_down_by_cut_off(
    mined: dict[str, Path], tmp_path: Path
) -> None:
    mined_again(mined, tmp_path, max_moments=4)
    for split in ("train", "recent", "eval"):
        whole = candidates_of(mined["candidates"], split)
        some = candidates_of(tmp_path, split)
        for cutoff in {moment[0] for moment in whole}:
            wanted = min(4, sum(moment[0] == cutoff for moment in whole))
            assert sum(moment[0] == cutoff for moment in some) == wanted


def test_a_large_catalogue_is_mined_from_shelves(
    mined: dict[str, Path], tmp_path: Path
) -> None:
    n = tiny_shop.NUM_ITEMS
    mined_again(mined, tmp_path, whole_max_items=1, shelf_size=n, head_size=n)
    weights = [FusionWeights.load(f) for f in (tmp_path, mined["candidates"])]
    # The same sums in another order.
    np.testing.assert_allclose(weights[0].linear, weights[1].linear, atol=5e-3)
    found, whole = (
        {pair for *_, pairs in candidates_of(f, "eval") for pair in map(str, pairs)}
        for f in (tmp_path, mined["candidates"])
    )
    assert len(found & whole) > 0.95 * len(whole) > 0
