"""Histograms of prices by doubling, so that one dear item does not hide the others.

StatisticsGen's standard histogram has buckets of one width from the lowest value to the
highest: a price of 999,999 puts all others into the first. TFDV compares these, so they
are written anew, from the quantiles, before it does.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection
from typing import TypeAlias

from tensorflow_metadata.proto.v0 import statistics_pb2

Statistics: TypeAlias = statistics_pb2.DatasetFeatureStatisticsList
_Histogram: TypeAlias = statistics_pb2.Histogram
# What lies outside counts with the nearest: 1e-6 and 1e12.
_LEAST, _MOST = -20, 40


def with_log_histograms(statistics: Statistics, names: Collection[str]) -> Statistics:
    """A copy whose named numbers have a bucket for each doubling of the value.

    Values are spread evenly (on the log scale) between two quantiles.
    """
    changed = Statistics()
    changed.CopyFrom(statistics)
    for dataset in changed.datasets:
        for feature in dataset.features:
            name = feature.path.step[0] if feature.path.step else feature.name
            if name in names and feature.HasField("num_stats"):
                _rewrite(feature.num_stats.histograms)
    return changed


def _rewrite(histograms: Collection[_Histogram]) -> None:
    by_type = {histogram.type: histogram for histogram in histograms}
    standard = by_type.get(_Histogram.STANDARD)
    quantiles = by_type.get(_Histogram.QUANTILES)
    if standard is None or quantiles is None:
        return
    counts: defaultdict[int, float] = defaultdict(float)
    for bucket in quantiles.buckets:
        low, high = _log(bucket.low_value), _log(bucket.high_value)
        for place in range(math.floor(low), math.floor(high) + 1):
            inside = min(high, place + 1) - max(low, place)
            share = inside / (high - low) if high > low else 1.0
            counts[place] += share * bucket.sample_count
    del standard.buckets[:]
    for place in range(_LEAST, _MOST + 1):
        standard.buckets.add(
            low_value=place, high_value=place + 1, sample_count=counts[place]
        )


def _log(value: float) -> float:
    return min(max(math.log2(max(value, 2.0**_LEAST)), _LEAST), _MOST)
