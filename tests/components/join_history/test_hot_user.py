"""One user with a million events, one item in nine of ten: bounded rows and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.components.shop_tables import SPLITS


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_a_hot_user_has_few_moments_short_histories_and_linear_memory(
    tmp_path: Path,
) -> None:
    few = _join(tmp_path / "few", 100_000)
    many = _join(tmp_path / "many", 1_000_000)
    # At most one moment per cut-off (grid and T2) and `max_next_moments_per_user`
    # sessions in each of next_train and next_eval, however many events there are.
    most = len(SPLITS.grid) + 1 + 2 * SPLITS.max_next_moments_per_user
    for found in (few, many):
        assert found["moments"] <= most
        assert found["longest"] == SPLITS.max_history
    assert many["moments"] == most
    # Ten times the events: not more than ten times the memory, and under 1.5 GiB.
    assert many["added"] < 10 * max(few["added"], 2**26)
    assert many["added"] < 1.5 * 2**30


def _join(folder: Path, num_events: int) -> dict[str, int]:
    module = "tests.components.join_history.hot_user"
    found = subprocess.run(
        [sys.executable, "-m", module, str(folder), str(num_events)],
        capture_output=True,
        text=True,
        timeout=540,
        check=True,
    )
    values: dict[str, int] = json.loads(found.stdout.splitlines()[-1])
    return values
