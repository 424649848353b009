"""A cluster of two TaskManagers loses one in mid-run and still writes the same."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import apache_beam as beam
import pytest

from components import arrow_elements
from components.join_history import join_in_beam
from core.config.moments import MomentConfig
from pipeline import beam_options, engines
from pipeline.engines import BeamEngine
from pipeline.flink import cluster, same_outputs
from tests.components import shop_tables
from tests.pipeline.flink import steps

pytestmark = [pytest.mark.flink_cluster, pytest.mark.timeout(900)]
NUM_BUCKETS = 24


def test_a_killed_task_manager_costs_time_and_nothing_else(
    jar: Path, home: Path, tmp_path: Path
) -> None:
    events = steps.write_events(tmp_path / "events")
    _join(events.uri, tmp_path / "direct", beam_options.direct(), seconds=0.0)
    expected = same_outputs.table_hashes(tmp_path / "direct")
    out = tmp_path / "flink"
    with cluster.running(jar, tmp_path / "cluster", task_managers=2) as session:
        engine = BeamEngine(name="flink", flink_master=session.master)

        def kill_in_mid_run() -> None:
            while len(list(out.glob("Split-train/*.parquet"))) < 4:
                time.sleep(0.1)
            session.task_managers[0].kill()
            session.add_task_manager()
            finished.wait()  # what a thread starts ends with the thread

        finished = threading.Event()
        killer = threading.Thread(target=kill_in_mid_run, daemon=True)
        with engines.started(engine, home) as beam_args:
            killer.start()
            _join(events.uri, out, beam_args, seconds=1.0)
        assert session.task_managers[0].poll() is not None
        restarts = _restarts(session)
        finished.set()
        killer.join(timeout=60)
    assert same_outputs.table_hashes(out) == expected
    assert restarts >= 1


def _join(uri: str, out: Path, beam_args: list[str], seconds: float) -> None:
    """The history join, each bucket taking at least `seconds`."""

    def slowly(element: object) -> object:
        time.sleep(seconds)
        return element

    config = MomentConfig(num_buckets=NUM_BUCKETS)
    with beam.Pipeline(argv=beam_args) as pipeline:
        _ = (
            pipeline
            | beam.Create(arrow_elements.row_groups(uri, ["train"]))
            | join_in_beam.BucketByUser(NUM_BUCKETS, ["country"])
            | beam.Map(slowly)
            | join_in_beam.JoinHistory(
                str(out), shop_tables.SPLITS, config, ["country"]
            )
        )


def _restarts(session: cluster.SessionCluster) -> int:
    """How often the newest job was started again."""
    jobs = session.ask("/jobs/overview")["jobs"]
    newest = max(jobs, key=lambda job: job["start-time"])
    metrics = session.ask(f"/jobs/{newest['jid']}/exceptions")
    return len(metrics["exceptionHistory"]["entries"])
