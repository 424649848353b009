"""Ingest against TFX's CsvExampleGen on the same rows of the same CSV file.

    python -m benchmarks.bench_ingest --rows 400000

Both run as components of a TFX pipeline with the local runner, one after the other in
one process, so that imports count for neither. The columns are those of an events
table with a title, as in the measurement that set the bar (10 times).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from components.ingest.component import Ingest  # first: it sets the Keras switch
from pipeline import quiet

from tfx.components import CsvExampleGen  # isort: skip
from tfx.orchestration import metadata, pipeline  # isort: skip
from tfx.orchestration.local import local_dag_runner  # isort: skip

BAR = 10.0


def write_rows(path: Path, num_rows: int) -> None:
    """An events table of `num_rows` random purchases, with a country and a query."""
    random = np.random.default_rng(0)
    items = random.zipf(1.3, num_rows) % 4_000
    words = np.array(["red", "white", "hanging", "heart", "holder", "lantern", "mug"])
    queries = [" ".join(w) for w in words[random.integers(0, 7, (num_rows, 4))]]
    table = pa.table(
        {
            "user_id": [f"u{n}" for n in random.integers(0, 4_300, num_rows)],
            "item_id": [f"i{n}" for n in items],
            "event": ["purchase"] * num_rows,
            "timestamp": random.integers(1_290_000_000, 1_323_000_000, num_rows),
            "quantity": random.integers(1, 50, num_rows),
            "price": random.gamma(2.0, 2.0, num_rows).round(2) + 0.01,
            "query": queries,
        }
    )
    pa_csv.write_csv(table, path)


def seconds_of(make_node: Callable[[], Any], root: Path) -> float:
    """Wall seconds of a pipeline that holds only this node."""
    connection = metadata.sqlite_metadata_connection_config(str(root / "mlmd.sqlite"))
    one_node = pipeline.Pipeline(
        pipeline_name="bench",
        pipeline_root=str(root / "tfx"),
        components=[make_node()],
        enable_cache=False,
        metadata_connection_config=connection,
    )
    start = time.perf_counter()
    local_dag_runner.LocalDagRunner().run(one_node)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=400_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "in").mkdir()
        write_rows(root / "in" / "events.csv", rows)
        source = str(root / "in")
        with quiet.quiet(root / "bench.log") as screen:
            ours = seconds_of(
                lambda: Ingest("events", source, "events.csv"), root / "a"
            )
            theirs = seconds_of(lambda: CsvExampleGen(input_base=source), root / "b")
            print(
                f"{rows:,} rows of CSV: Ingest {ours:.2f} s, CsvExampleGen "
                f"{theirs:.2f} s, ratio {theirs / ours:.0f} (bar {BAR:.0f})",
                file=screen,
            )


if __name__ == "__main__":
    main()
