"""Statistics of a table → what is wrong with it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import (
    anomalies_pb2,
    schema_pb2,
    statistics_pb2,
)

from components.data_gate.log_histograms import with_log_histograms
from core.config.validation import ValidationConfig
from core.tables import OF_GUESTS

Statistics: TypeAlias = statistics_pb2.DatasetFeatureStatisticsList
# Fewer values than this say nothing of a column's share.
_FEWEST_VALUES = 30
EDIT_SCHEMA = "fix the data, or edit the schema file"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    split: str
    feature: str
    description: str
    remedy: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """One measured distance with its bound; within it unless a finding says else."""

    kind: str  # drift, skew
    against: str
    feature: str
    measure: str
    value: float
    bound: float


def schema_findings(
    anomalies: Mapping[str, anomalies_pb2.Anomalies],
    statistics: Mapping[str, Statistics],
) -> list[Finding]:
    """ExampleValidator's anomalies of every split that has rows."""
    found = []
    for split, report in anomalies.items():
        if num_examples(statistics[split]) == 0:
            continue  # an empty eval or test split is a choice of dates
        for feature, info in sorted(report.anomaly_info.items()):
            found.append(_finding(split, feature, info))
        if report.HasField("dataset_anomaly_info"):
            found.append(_finding(split, "(rows)", report.dataset_anomaly_info))
    return found


def drift(
    current: Statistics, previous: Statistics, schema: schema_pb2.Schema
) -> tuple[list[Comparison], list[Finding]]:
    """Train against the last accepted run's train, by the schema's comparators."""
    current, previous = (_comparable(s, schema) for s in (current, previous))
    report = tfdv.validate_statistics(current, schema, previous_statistics=previous)
    return _compared(report, "drift", "last accepted run", "train")


def skew(
    statistics: Mapping[str, Statistics], schema: schema_pb2.Schema
) -> tuple[list[Comparison], list[Finding]]:
    """Eval and test against train, by the schema's comparators."""
    comparisons: list[Comparison] = []
    found: list[Finding] = []
    for split, other in statistics.items():
        if split == "train" or num_examples(other) == 0:
            continue
        train, other = (_comparable(s, schema) for s in (statistics["train"], other))
        report = tfdv.validate_statistics(train, schema, serving_statistics=other)
        measured, beyond = _compared(report, "skew", split, split)
        comparisons += measured
        found += beyond
    return comparisons, found


def presence_drops(
    current: Statistics,
    previous: Statistics,
    config: ValidationConfig,
    *,
    split: str = "train",
    against: str = "last accepted run",
) -> tuple[list[Comparison], list[Finding]]:
    """Columns that have lost a share of their values since `previous`.

    Columns whose values are too few in either to tell are passed over.
    """
    comparisons, found = [], []
    now, before = _presence(current), _presence(previous)
    smaller = min(num_examples(current), num_examples(previous))
    for feature in sorted(before):
        kept, had = now.get(feature, 0.0), before[feature]
        if kept >= had or had * smaller < _FEWEST_VALUES:
            continue
        drop = 1.0 - kept / had
        comparisons.append(
            Comparison(
                kind="drift" if split == "train" else "skew",
                against=against if split == "train" else split,
                feature=feature,
                measure="share of values lost",
                value=drop,
                bound=config.max_presence_drop,
            )
        )
        if drop > config.max_presence_drop:
            text = f"present in {kept:.0%} of rows, {had:.0%} in the {against}"
            remedy = "fix the data, or raise the setting validation.max_presence_drop"
            found.append(
                Finding(split=split, feature=feature, description=text, remedy=remedy)
            )
    return comparisons, found


def fallen_silent(
    statistics: Mapping[str, Statistics], config: ValidationConfig
) -> tuple[list[Comparison], list[Finding]]:
    """Columns that eval or test hold far fewer values of than train."""
    comparisons: list[Comparison] = []
    found: list[Finding] = []
    for split in [name for name in statistics if name != "train"]:
        measured, beyond = presence_drops(
            statistics[split],
            statistics["train"],
            config,
            split=split,
            against="train split",
        )
        comparisons += measured
        found += beyond
    return comparisons, found


def rejections(
    summary: Mapping[str, Any], table: str, config: ValidationConfig
) -> list[Finding]:
    """The shop's adapter and cleaning rejected more of the table than they may.

    Rows of nobody in particular do not count: a log may be of guests for the most part.
    """
    counts = summary[table]
    by_adapter = Counter(summary["adapter"]["rejected"].get(table, {}))
    for reason in OF_GUESTS:
        by_adapter.pop(reason, None)
    rejected = by_adapter + Counter(counts["rejected"])
    share = rejected.total() / max(1, counts["rows_in"] + by_adapter.total())
    if share <= config.max_rejected:
        return []
    top = rejected.most_common(1)[0][0]
    return [
        Finding(
            split="all",
            feature="(rows)",
            description=f"{share:.0%} of the rows were rejected, mostly: {top}",
            remedy="fix the data, or raise the setting validation.max_rejected",
        )
    ]


def _comparable(statistics: Statistics, schema: schema_pb2.Schema) -> Statistics:
    """With prices, or whatever else is compared by distribution, on a log scale."""
    numbers = {
        feature.name
        for feature in schema.feature
        for comparator in (feature.drift_comparator, feature.skew_comparator)
        if comparator.HasField("jensen_shannon_divergence")
    }
    return with_log_histograms(statistics, numbers)


def num_examples(statistics: Statistics) -> int:
    """Rows that the statistics were computed over."""
    return int(statistics.datasets[0].num_examples) if statistics.datasets else 0


def _compared(
    report: anomalies_pb2.Anomalies, kind: str, against: str, split: str
) -> tuple[list[Comparison], list[Finding]]:
    comparisons = []
    for info in report.drift_skew_info:
        measured = (
            info.drift_measurements if kind == "drift" else info.skew_measurements
        )
        for one in measured:
            comparisons.append(
                Comparison(
                    kind=kind,
                    against=against,
                    feature=".".join(info.path.step),
                    measure=type(one).Type.Name(one.type).lower(),
                    value=one.value,
                    bound=one.threshold,
                )
            )
    found = [
        _finding(split, feature, info, kind)
        for feature, info in sorted(report.anomaly_info.items())
        if any(_is_comparison(reason) for reason in info.reason)
    ]
    return comparisons, found


def _is_comparison(reason: anomalies_pb2.AnomalyInfo.Reason) -> bool:
    name = anomalies_pb2.AnomalyInfo.Type.Name(reason.type)
    return name.startswith("COMPARATOR_")


def _finding(
    split: str, feature: str, info: anomalies_pb2.AnomalyInfo, kind: str = ""
) -> Finding:
    text = info.description or info.short_description
    description = f"{kind}: {text}" if kind else text
    return Finding(
        split=split, feature=feature, description=description, remedy=EDIT_SCHEMA
    )


def _presence(statistics: Statistics) -> dict[str, float]:
    return dict(_presence_by_feature(statistics))


def _presence_by_feature(statistics: Statistics) -> Iterator[tuple[str, float]]:
    total = num_examples(statistics)
    for feature in statistics.datasets[0].features if total else ():
        kind = feature.WhichOneof("stats")
        common = getattr(feature, kind).common_stats
        yield feature.path.step[0] or feature.name, common.num_non_missing / total
