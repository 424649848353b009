"""Column profiles from the statistics that StatisticsGen wrote."""

from __future__ import annotations

from pathlib import Path

from tensorflow_metadata.proto.v0 import statistics_pb2

from components.report.data import FeatureProfile

_FILE = "FeatureStats.pb"
_KINDS = {0: "integer", 1: "number", 2: "text", 3: "bytes", 4: "struct"}


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
    unique, summary = None, ""
    if which == "string_stats":
        unique = int(stats.unique)
        top = [f"{v.value} ({int(v.frequency):,})" for v in stats.top_values[:2]]
        summary = " · ".join(top)
    elif which == "num_stats":
        summary = f"{stats.min:,.6g} to {stats.max:,.6g}, median {stats.median:,.6g}"
    return FeatureProfile(
        name=name,
        kind=_KINDS.get(feature.type, "other"),
        missing=1.0 - stats.common_stats.num_non_missing / total,
        unique=unique,
        summary=summary,
    )
