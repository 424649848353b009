"""Whether two runs of a step wrote the same: by hash where it must be, else closely.

Two engines add floating-point numbers in different orders, and statistics hold
approximate quantiles: there a tolerance is the honest comparison.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MEAN_TOLERANCE = 1e-6  # relative, of means and deviations
QUANTILE_TOLERANCE = 0.02  # of a feature's range, of histogram buckets
SCORE_TOLERANCE = 1e-4  # of what an analyzed graph gives for numbers
CANDIDATES_ALIKE = 0.999  # of mined rows; equal scores at a list's end may change


def same_outputs(step: str, one: Path, other: Path) -> str:
    """What was compared, or `outputs differ: …`."""
    compare = {
        "StatisticsEvents": _statistics,
        "Transform": _transform_assets,
        "MineNegatives": _candidates,
        "MineSearches": _candidates,
        "EvaluateFunnel": _page_metrics,
        "EvaluateSearch": _page_metrics,
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


def _candidates(one: Path, other: Path) -> str:
    """Mined rows: the same moments, and but for ties at a list's end the same rows."""
    files = sorted(one.rglob("part-*.npz"))
    same = total = 0
    wrong = [] if files else ["none written"]
    for file in files:
        match = other / file.relative_to(one)
        if not match.is_file():
            return f"outputs differ: no {match.name} in {match.parent.name}"
        (left, rows), (right, matching) = (_mined(path) for path in (file, match))
        if left != right:
            wrong.append(file.name)
        same += len(rows & matching)
        total += len(rows | matching)
    if wrong or same < CANDIDATES_ALIKE * total:
        return f"outputs differ: {', '.join(wrong) or f'{same} of {total} rows alike'}"
    return f"{same} of {total} rows alike"


def _mined(path: Path) -> tuple[list[object], set[tuple[int, int]]]:
    """Cut-offs and sizes of the truths by moment; pairs of moment and row."""
    with np.load(path) as rows:
        moments = [rows["cutoff"].tolist(), rows["truth_size"].tolist()]
        pairs = zip(rows["group"].tolist(), rows["rows"].tolist(), strict=True)
        return moments, set(pairs)


def _page_metrics(one: Path, other: Path) -> str:
    """Every number of two metrics.json or search_metrics.json but the seconds."""
    texts = [
        "".join(path.read_text() for path in (folder / "metrics").glob("*.json"))
        for folder in (one, other)
    ]
    left, right = (dict(_leaves(json.loads(text))) for text in texts)
    wrong = [
        path
        for path in left.keys() | right.keys()
        if not np.isclose(
            left.get(path, np.inf), right.get(path, -np.inf), atol=SCORE_TOLERANCE
        )
    ]
    if wrong:
        return f"outputs differ: {', '.join(sorted(wrong)[:5])}"
    return f"{len(left)} numbers equal within tolerance"


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, float]]:
    """Path and value of every number of a JSON document, seconds left out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("timing", "seconds"):
                yield from _leaves(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{path}/{place}")
    elif isinstance(value, (int, float)):
        yield path, float(value)


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
