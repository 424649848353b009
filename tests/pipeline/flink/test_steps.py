"""Steps on Flink with two worker processes write what the direct runner writes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
import tensorflow_transform as tft

from components import arrow_elements
from components.join_history import join_in_beam
from core.config.moments import MomentConfig
from pipeline import beam_options
from pipeline.flink import same_outputs
from tests.components import shop_tables
from tests.pipeline.flink import steps
from tests.pipeline.flink.conftest import worker_processes
from trainer.retriever.transformed import transform_table

pytestmark = [pytest.mark.flink, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return steps.write_events(tmp_path_factory.mktemp("events"))


def test_the_history_join_runs_in_two_worker_processes(
    flink: list[str], home: Path, events: Any, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()

    def leave_a_trace(element: Any) -> Any:
        (seen / str(os.getpid())).touch()
        return element

    known = worker_processes(home)
    config = MomentConfig()
    with beam.Pipeline(argv=flink) as pipeline:
        _ = (
            pipeline
            | beam.Create(arrow_elements.row_groups(events.uri, ["train"]))
            | join_in_beam.BucketByUser(config.num_buckets, ["country"])
            | join_in_beam.JoinHistory(
                str(tmp_path / "moments"), shop_tables.SPLITS, config, ["country"]
            )
            | beam.Map(leave_a_trace)
        )
    workers = worker_processes(home) - known
    assert len(workers) == 2
    # Flink deals its stages' halves out to the workers in the order they open: both
    # halves of this one stage may land in the same worker.
    joined_in = {int(path.name) for path in seen.iterdir()}
    assert joined_in and joined_in <= workers


def test_the_history_join_writes_the_same_rows(
    flink: list[str], events: Any, tmp_path: Path
) -> None:
    steps.join(events, beam_options.direct(), tmp_path / "direct")
    steps.join(events, flink, tmp_path / "flink")
    expected = same_outputs.table_hashes(tmp_path / "direct")
    assert len(expected) == 6 + 3  # splits of moments and of search pages
    assert same_outputs.table_hashes(tmp_path / "flink") == expected


def test_statistics_and_the_transform_graph_are_the_same(
    flink: list[str], home: Path, events: Any, tmp_path: Path
) -> None:
    direct, distributed = tmp_path / "direct", tmp_path / "flink"
    known = worker_processes(home)
    for folder, beam_args in (
        (direct, beam_options.direct()),
        (distributed, flink),
    ):
        steps.statistics(events, beam_args, folder)
    assert list(same_outputs.statistics_differences(direct, distributed)) == []
    assert len(worker_processes(home) - known) == 2

    known = worker_processes(home)
    schema = steps.write_schema(direct, tmp_path / "schema")
    for folder, beam_args in (
        (direct, beam_options.direct()),
        (distributed, flink),
    ):
        steps.transform(events, schema, beam_args, folder)
    assert len(worker_processes(home) - known) == 2
    expected, found = _transformed(direct), _transformed(distributed)
    assert expected.keys() == found.keys()
    for name, values in expected.items():
        if values.dtype.kind == "f":  # z-scores: sums in another order
            np.testing.assert_allclose(found[name], values, atol=1e-4, err_msg=name)
        else:
            np.testing.assert_array_equal(found[name], values, err_msg=name)


def _transformed(folder: Path) -> dict[str, Any]:
    """Transformed features of 500 events by a folder's graph."""
    graph = tft.TFTransformOutput(str(folder / "transform_graph"))
    return transform_table(graph, steps.clean_events().slice(0, 500))
