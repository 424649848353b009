"""Column profiles from the statistics that StatisticsGen wrote."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path

from tensorflow_metadata.proto.v0 import statistics_pb2

from components.report.data import FeatureProfile
from components.report.words import day
from core import features

_FILE = "FeatureStats.pb"
_KINDS = {0: "integer", 1: "number", 2: "text", 3: "bytes", 4: "struct"}
# Sizes of TFDV's sketches (statistics_options.py), which no option makes smaller. The
# Misra-Gries sketch counts up to so many distinct values exactly; of more, in a column
# of n values, a count is too high by n / 1,024 at most.
COUNTED_VALUES = 1024
# The k-minimum-values sketch knows the number of distinct values up to here; above,
# within about 1 / sqrt(16,384) of it.
COUNTED_DISTINCT = 16_384
_SHOWN = 2  # most frequent values of a column


def read_profiles(uri: str | None, split: str = "train") -> list[FeatureProfile]:
    """Profiles of one split's columns; empty where there are no statistics."""
    path = Path(uri or "") / f"Split-{split}" / _FILE
    if not uri or not path.is_file():
        return []
    found = statistics_pb2.DatasetFeatureStatisticsList.FromString(path.read_bytes())
    if not found.datasets:
        return []
    total = max(1, int(found.datasets[0].num_examples))
    return [_profile(f, total) for f in found.datasets[0].features]


def _profile(
    feature: statistics_pb2.FeatureNameStatistics, total: int
) -> FeatureProfile:
    name = ".".join(feature.path.step) or feature.name
    which = feature.WhichOneof("stats")
    stats = getattr(feature, which)
    present = stats.common_stats.num_non_missing
    distinct, summary = "", ""
    if which == "string_stats":
        distinct, summary = _distinct(int(stats.unique)), _most_frequent(stats)
    elif which == "num_stats" and present:
        summary = _range(stats, day if name == features.TIMESTAMP else _number)
    return FeatureProfile(
        name=name,
        kind=_KINDS.get(feature.type, "other"),
        missing=1.0 - present / total,
        distinct=distinct,
        summary=summary,
    )


def _range(
    stats: statistics_pb2.NumericStatistics, write: Callable[[float], str]
) -> str:
    low, high, middle = map(write, (stats.min, stats.max, stats.median))
    return f"{low} to {high}, median {middle}"


def _number(value: float) -> str:
    return f"{value:,.6g}"


def _distinct(count: int) -> str:
    """The number, two digits of it where it is an estimate."""
    if count <= COUNTED_DISTINCT:
        return f"{count:,}"
    return f"about {round(count, 2 - len(str(count))):,}"


def _most_frequent(stats: statistics_pb2.StringStatistics) -> str:
    """Up to two values with their counts, or bounds of them.

    A sketch's count is too high by at most `error`, so a value leads for certain only
    where it is further than that above the next one.
    """
    top = [(v.value, int(v.frequency)) for v in stats.top_values]
    if not top:
        return ""
    if stats.unique <= COUNTED_VALUES:
        if top[0][1] == 1:
            return "each value once"
        return " · ".join(f"{value} ({count:,})" for value, count in top[:_SHOWN])
    error = math.ceil(stats.common_stats.tot_num_values / COUNTED_VALUES)
    leaders = []
    for (value, most), (_, following) in itertools.pairwise(top[: _SHOWN + 1]):
        if most - error <= following:
            break
        leaders.append(f"{value} ({most - error:,} to {most:,})")
    return " · ".join(leaders) or "no value stands out"
