"""Dates of run parameters are UTC."""

from __future__ import annotations

import pytest

from core.errors import ConfigError
from pipeline.kubeflow import dates


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2025-06-17", 1_750_118_400),
        ("2025-06-17T01:00:00", 1_750_122_000),
        ("2025-06-17T01:00:00Z", 1_750_122_000),
        ("2025-06-17T03:00:00+02:00", 1_750_122_000),
    ],
)
def test_seconds_since_1970(text: str, seconds: int) -> None:
    assert dates.to_seconds(text) == seconds


def test_no_date_is_refused_with_an_example() -> None:
    with pytest.raises(ConfigError, match=r"2025-06-17.*'17.6.2025'"):
        dates.to_seconds("17.6.2025")
