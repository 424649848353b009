"""Reading candidate folders and sampling lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import ArtifactError
from tests.trainer.ranker.worlds import DAY, EVAL_CUTOFF, world, write_world
from trainer.ranker.dataset import (
    UNKNOWN_LABEL,
    event_rates,
    read_candidates,
    sample_lists,
)


def test_shards_and_splits_line_up(tmp_path: Path) -> None:
    uri = write_world(tmp_path, moments=5, rows=7)
    rows = read_candidates(uri)
    assert rows.features.shape == (4 * 5 * 7, 5)
    np.testing.assert_array_equal(np.diff(rows.starts), 7)
    with np.load(tmp_path / "Split-eval" / "part-00000.npz") as shard:
        numbers = rows.rows_of(rows.moments("eval"))
        np.testing.assert_array_equal(rows.features[numbers], shard["features"])
        np.testing.assert_array_equal(rows.labels[numbers], shard["labels"])
    newest = rows.newest(rows.moments("train", "recent", "eval"), 2)
    assert set(rows.cutoff[newest]) == {EVAL_CUTOFF, EVAL_CUTOFF - 7 * DAY}


def test_a_large_matrix_lives_in_a_file(tmp_path: Path) -> None:
    uri = write_world(tmp_path, moments=2000, rows=40)
    mapped = read_candidates(uri, memory_limit_mb=1)
    assert isinstance(mapped.features, np.memmap)
    np.testing.assert_array_equal(mapped.features, read_candidates(uri).features)


def test_long_lists_keep_their_positives(tmp_path: Path) -> None:
    rows = world(tmp_path, moments=6, rows=40)
    rows.labels[:] = 0
    rows.labels[rows.starts[:-1] + 39, 1] = 1
    moments = rows.moments("train")
    lists = sample_lists(rows, moments, size=10, rng=np.random.default_rng(0))
    again = sample_lists(rows, moments, size=10, rng=np.random.default_rng(1))
    for moment, picked in zip(moments, lists, strict=True):
        assert len(set(picked)) == 10
        assert rows.starts[moment] + 39 in picked
        assert picked.min() >= rows.starts[moment]
        assert picked.max() < rows.starts[moment + 1]
    assert np.any(lists != again)


def test_short_lists_are_padded(tmp_path: Path) -> None:
    rows = world(tmp_path, moments=3, rows=4)
    lists = sample_lists(rows, np.array([1]), size=6, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(lists, [[4, 5, 6, 7, -1, -1]])


def test_event_rates_are_those_of_the_sampled_lists(tmp_path: Path) -> None:
    rows = world(tmp_path, moments=6, rows=40)
    rows.labels[:] = 0
    rows.labels[rows.starts[:-1] + 39, 1] = 1
    # A list of 40 is cut to 10 and keeps its only purchase.
    few = event_rates(
        rows, rows.moments("train"), size=10, rng=np.random.default_rng(0)
    )
    assert few == pytest.approx((0.0, 0.1))
    # Nothing is known of four other rows a list: one of 36 is bought.
    rows.labels[np.arange(len(rows.labels)) % 40 < 4, 1] = UNKNOWN_LABEL
    rows.labels[:, 0] = UNKNOWN_LABEL
    whole = event_rates(
        rows, rows.moments("train"), size=50, rng=np.random.default_rng(0)
    )
    assert whole == pytest.approx((0.0, 1 / 36))


@pytest.mark.parametrize(
    "break_it", ["meta", "half meta", "no names", "group", "labels", "bytes", "empty"]
)
def test_a_broken_folder_is_refused(tmp_path: Path, break_it: str) -> None:
    uri = write_world(tmp_path, moments=3, rows=4)
    path = tmp_path / "Split-eval" / "part-00000.npz"
    if break_it == "meta":
        (tmp_path / "meta.json").unlink()
    elif break_it == "half meta":
        whole = (tmp_path / "meta.json").read_bytes()
        (tmp_path / "meta.json").write_bytes(whole[: len(whole) // 2])
    elif break_it == "no names":
        (tmp_path / "meta.json").write_text("[]")
    elif break_it == "bytes":
        path.write_bytes(b"no zip")
    elif break_it == "empty":
        for shard in tmp_path.glob("Split-*/*.npz"):
            shard.unlink()
    else:
        with np.load(path) as file:
            arrays = dict(file)
        arrays[break_it] = arrays[break_it][::-1, ...][:, None].copy()
        if break_it == "group":
            arrays["group"] = arrays["group"][:, 0]
        np.savez(path, **arrays)
    with pytest.raises(ArtifactError):
        read_candidates(uri)


def test_the_newest_cutoffs_are_those_of_the_moments_asked(tmp_path):
    rows = read_candidates(write_world(tmp_path, moments=5, rows=7))
    train = rows.moments("train")
    last = rows.cutoff[train].max()
    assert last < EVAL_CUTOFF
    newest = rows.newest(train, 1)
    assert set(rows.cutoff[newest]) == {last}
