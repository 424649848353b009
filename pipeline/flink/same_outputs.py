"""Whether two runs of a step wrote the same: by hash where it must be, else closely.

Two engines add floating-point numbers in different orders, and statistics hold
approximate quantiles: there a tolerance is the honest comparison.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MEAN_TOLERANCE = 1e-6  # relative, of means and deviations
QUANTILE_TOLERANCE = 0.02  # of a feature's range, of histogram buckets
SCORE_TOLERANCE = 1e-4  # of what an analyzed graph gives for numbers


def same_outputs(step: str, one: Path, other: Path) -> str:
    """What was compared, or `outputs differ: …`."""
    compare = {
        "StatisticsEvents": _statistics,
        "Transform": _transform_assets,
        "Evaluator": _metrics,
    }.get(step, _tables)
    return compare(one, other)


def table_hashes(folder: Path) -> dict[str, str]:
    """Output and split → SHA-256 over its rows in order of their text."""
    found = {}
    for split in sorted({file.parent for file in folder.rglob("*.parquet")}):
        files = sorted(split.glob("*.parquet"))
        table = pa.concat_tables([pq.read_table(file) for file in files])
        digest = hashlib.sha256()
        for row in sorted(map(str, table.to_pylist())):
            digest.update(row.encode())
        found[str(split.relative_to(folder))] = digest.hexdigest()
    return found


def _tables(one: Path, other: Path) -> str:
    left, right = table_hashes(one), table_hashes(other)
    wrong = sorted(key for key in left | right if left.get(key) != right.get(key))
    if wrong or not left:
        return f"outputs differ: {', '.join(wrong) or 'none written'}"
    return f"{len(left)} tables equal by hash"


def _statistics(one: Path, other: Path) -> str:
    pairs = list(statistics_differences(one, other))
    return f"outputs differ: {'; '.join(pairs)}" if pairs else "equal within tolerance"


def statistics_differences(one: Path, other: Path) -> Iterator[str]:
    """Sentences about what two StatisticsGen outputs do not agree on."""
    import tensorflow_data_validation as tfdv

    files = sorted(one.rglob("FeatureStats.pb"))
    if not files:
        yield "no statistics written"
    for file in files:
        left = tfdv.load_stats_binary(str(file)).datasets[0]
        right = tfdv.load_stats_binary(str(other / file.relative_to(one))).datasets[0]
        if left.num_examples != right.num_examples:
            yield f"{file.parent.name}: {left.num_examples} {right.num_examples} rows"
        features = {f.path.step[0]: f for f in right.features}
        for feature in left.features:
            name = feature.path.step[0]
            match = features.get(name)
            if match is None or not _alike(feature, match):
                yield f"{file.parent.name}: {name}"


def _alike(one: object, other: object) -> bool:
    from tensorflow_metadata.proto.v0 import statistics_pb2

    if not isinstance(one, statistics_pb2.FeatureNameStatistics):
        raise TypeError(type(one))
    kind = one.WhichOneof("stats")
    left, right = getattr(one, kind), getattr(other, kind)
    counts = ("num_non_missing", "num_missing", "tot_num_values")
    equal = all(
        getattr(left.common_stats, name) == getattr(right.common_stats, name)
        for name in counts
    )
    if kind == "string_stats":
        equal &= left.unique == right.unique
        equal &= {b.value: b.frequency for b in left.top_values} == {
            b.value: b.frequency for b in right.top_values
        }
    if kind == "num_stats":
        names = ("mean", "std_dev", "min", "max")
        ours, theirs = ([getattr(s, n) for n in names] for s in (left, right))
        equal &= bool(np.allclose(ours, theirs, rtol=MEAN_TOLERANCE))
        span = max(left.max - left.min, 1e-9)
        equal &= abs(left.median - right.median) <= QUANTILE_TOLERANCE * span
    return bool(equal)


def _transform_assets(one: Path, other: Path) -> str:
    """Vocabularies of two Transform graphs; the numbers are compared in the tests."""
    files = sorted(one.rglob("transform_fn/assets/*"))
    wrong = [
        file.name
        for file in files
        if sorted(file.read_bytes().splitlines())
        != sorted((other / file.relative_to(one)).read_bytes().splitlines())
    ]
    if wrong or not files:
        return f"outputs differ: {', '.join(wrong) or 'no vocabulary written'}"
    return f"{len(files)} vocabularies equal"


def _metrics(one: Path, other: Path) -> str:
    """Metrics of two Evaluator outputs, by slice."""
    import tensorflow_model_analysis as tfma

    values = []
    for folder in (one, other):
        result = tfma.load_eval_result(str(folder / "evaluation"))
        values.append(
            {
                (slice_key, name): value
                for slice_key, metrics in result.slicing_metrics
                for name, value in _numbers(metrics)
            }
        )
    left, right = values
    wrong = [
        str(key)
        for key in left.keys() | right.keys()
        if not np.isclose(
            left.get(key, np.inf),
            right.get(key, -np.inf),
            rtol=SCORE_TOLERANCE,
            atol=SCORE_TOLERANCE,
            equal_nan=True,
        )
    ]
    if wrong or not left:
        return f"outputs differ: {', '.join(wrong[:5]) or 'no metrics'}"
    return f"{len(left)} metrics equal within tolerance"


def _numbers(metrics: object) -> Iterator[tuple[str, float]]:
    """Every double in TFMA's nest of output, sub-key and metric names."""
    if isinstance(metrics, dict):
        for name, value in metrics.items():
            if isinstance(value, dict) and "doubleValue" in value:
                yield name, float(value["doubleValue"])
            else:
                yield from ((f"{name}/{rest}", v) for rest, v in _numbers(value))
