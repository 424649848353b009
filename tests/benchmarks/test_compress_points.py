"""The sweep chooses the smallest bundle that is as good as the plain one."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.compress_points import Measured, smallest_within
from core.config.compress import CompressConfig


def _point(name: str, megabytes: float, all_items: float, new: float, auc: float):
    ndcg = {"all": all_items, "new": new}
    return Measured(
        name=name,
        settings=CompressConfig(),
        model=Path(),
        megabytes=megabytes,
        ndcg=ndcg,
        auc=auc,
    )


PLAIN = _point("plain", 60.0, 0.4, 0.2, 0.8)


@pytest.mark.parametrize(
    ("other", "chosen"),
    [
        (_point("good", 15.0, 0.3985, 0.1995, 0.79), "good"),  # -.375 %, -.25 %
        (_point("poor", 15.0, 0.3975, 0.2, 0.8), "plain"),  # -.625 % of all items
        (_point("poor for new", 15.0, 0.41, 0.1985, 0.8), "plain"),  # -.75 % of new
        (_point("poor AUC", 15.0, 0.4, 0.2, 0.779), "plain"),
        (_point("larger", 61.0, 0.42, 0.22, 0.9), "plain"),
    ],
)
def test_the_smallest_within_half_a_percent_is_chosen(other, chosen) -> None:
    assert smallest_within([PLAIN, other]).name == chosen
