"""A log beyond a worker's memory is measured on a share of its users."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from components.evaluate_funnel.read import read_test_set
from core import features
from core.config.evaluation import EvaluationConfig
from tests.components import small_world
from tests.components.small_world import CUTOFF, SHOP

CONFIG = EvaluationConfig(k_values=(3, 20), primary_k=3)


@pytest.fixture(scope="module")
def uris(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return small_world.write_examples(tmp_path_factory.mktemp("examples"))


def _read(uris: dict[str, str], config: EvaluationConfig):  # type: ignore[no-untyped-def]
    return read_test_set(uris["moments"], uris["items"], uris["events"], SHOP, config)


def _users_below(share: float) -> set[str]:
    return {
        f"u{n:03d}"
        for n in range(40)
        if zlib.crc32(f"u{n:03d}".encode()) < share * 2**32
    }


def test_a_log_that_fits_is_measured_whole(uris: dict[str, str]) -> None:
    found = _read(uris, CONFIG)
    assert found.num_moments == 40
    assert len(found.past) == small_world.events_table().num_rows


def test_of_a_larger_log_some_users_count_with_all_that_they_did(
    uris: dict[str, str],
) -> None:
    events = small_world.events_table().to_pandas()
    found = _read(uris, CONFIG.replace(max_events=len(events) // 2))
    inside = _users_below((len(events) // 2) / len(events))
    assert 10 < len(inside) < 30  # 20 expected
    measured = set(found.moments.column(features.USER_ID).to_pylist())
    assert measured == inside
    theirs = events[events["user_id"].isin(inside)]
    assert len(found.past) == len(theirs)
    assert found.cutoff == CUTOFF
    assert (found.users >= 0).all()  # nobody is measured without a past
    owned = theirs.groupby("user_id")["item_id"].nunique()
    users = found.moments.column(features.USER_ID).to_pylist()
    np.testing.assert_array_equal(found.owned.sizes, [owned[user] for user in users])


def test_many_moments_are_thinned_before_they_are_read(uris: dict[str, str]) -> None:
    found = _read(uris, CONFIG.replace(max_moments=2))
    assert found.num_moments == 2
    users = set(found.moments.column(features.USER_ID).to_pylist())
    assert users < _users_below(16 / 40)  # eight times `max_moments` of 40
    assert len(found.past) == small_world.events_table().num_rows
