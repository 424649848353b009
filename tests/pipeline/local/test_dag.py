"""Small pipelines through ML Metadata: order, processes, cache, failures."""

import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import tensorflow as tf
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.types.standard_artifacts import Model

from components.report.lineage import read_lineage
from core.errors import InputDataError
from pipeline.local import dag, step_code
from pipeline.local.dag import DagRunner, default_jobs


@component
def Meet(
    model: OutputArtifact[Model],
    folder: Parameter[str],
    name: Parameter[str],
    others: Parameter[str],
):
    """Says that it is there, and waits until all the others are."""
    _note(Path(folder), name)
    for other in filter(None, others.split(",")):
        _wait_for(Path(folder, other))
    Path(model.uri, "pid").write_text(str(os.getpid()))


@component
def Refuse(model: OutputArtifact[Model], folder: Parameter[str], after: Parameter[str]):
    """Fails as soon as another is there."""
    if after:
        _wait_for(Path(folder, after))
    raise InputDataError("Row 7 of `a.csv`.")


@component
def Slow(model: OutputArtifact[Model], folder: Parameter[str]):
    """Ends a while after it began."""
    _note(Path(folder), "slow")
    time.sleep(1.0)
    _note(Path(folder), "slow-ended")


def _note(folder: Path, name: str) -> None:
    (folder / name).touch()


def _wait_for(path: Path, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path.name} is not there")
        time.sleep(0.01)


def pipeline_of(folder: Path, nodes: Sequence, *, cache: bool = False) -> Pipeline:
    return Pipeline(
        pipeline_name="test",
        pipeline_root=str(folder / "tfx"),
        components=list(nodes),
        enable_cache=cache,
        metadata_connection_config=sqlite_metadata_connection_config(
            str(folder / "metadata.sqlite")
        ),
    )


def meet(folder: Path, name: str, others: str = "", after: Sequence = ()):
    node = Meet(folder=str(folder), name=name, others=others).with_id(name)
    for upstream in after:
        node.add_upstream_node(upstream)
    return node


def states(folder: Path) -> dict[str, str]:
    return {e.component: e.state for e in read_lineage(folder / "metadata.sqlite")}


def process_ids(folder: Path) -> list[int]:
    return [int(path.read_text()) for path in folder.glob("tfx/*/model/*/pid")]


def test_what_is_served_and_shown_is_never_taken_from_the_cache(tmp_path) -> None:
    """It may be gone by now, or something newer stands before it."""
    for _ in range(2):
        for name in ("Pusher", "Report", "Bundle"):
            (tmp_path / name).unlink(missing_ok=True)
        nodes = [meet(tmp_path, name) for name in ("Pusher", "Report", "Bundle")]
        DagRunner(1).run(pipeline_of(tmp_path, nodes, cache=True))

    ran = {
        name for name in ("Pusher", "Report", "Bundle") if (tmp_path / name).exists()
    }
    assert ran == {"Pusher", "Report"}


def test_nodes_that_wait_for_nothing_run_at_once_and_apart(tmp_path) -> None:
    # Either ends only while the other runs too.
    nodes = [meet(tmp_path, "a", others="b"), meet(tmp_path, "b", others="a")]
    DagRunner(2).run(pipeline_of(tmp_path, nodes))
    assert states(tmp_path) == {"a": "complete", "b": "complete"}
    assert len({*process_ids(tmp_path), os.getpid()}) == 3


def test_one_job_runs_in_this_process(tmp_path) -> None:
    first = meet(tmp_path, "first")
    nodes = [first, meet(tmp_path, "second", after=[first])]
    DagRunner(1).run(pipeline_of(tmp_path, nodes))
    assert states(tmp_path) == {"first": "complete", "second": "complete"}
    assert process_ids(tmp_path) == [os.getpid()] * 2


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_a_node_starts_after_what_it_waits_for(tmp_path, caplog, jobs) -> None:
    a = meet(tmp_path, "a")
    b, c = meet(tmp_path, "b", after=[a]), meet(tmp_path, "c", after=[a])
    d = meet(tmp_path, "d", after=[b, c])
    with caplog.at_level(logging.INFO, "souk"):
        DagRunner(jobs).run(pipeline_of(tmp_path, [a, b, c, d]))
    told = [
        (r.souk_component, r.souk_state)
        for r in caplog.records
        if hasattr(r, "souk_component")
    ]
    place = told.index
    for before, after in (("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")):
        assert place((before, "finished")) < place((after, "running"))


def test_what_did_not_change_comes_from_the_cache(tmp_path) -> None:
    for state in ("complete", "cached"):
        nodes = [meet(tmp_path, "a"), meet(tmp_path, "b")]
        DagRunner(2).run(pipeline_of(tmp_path, nodes, cache=True))
        assert states(tmp_path) == {"a": state, "b": state}


def test_other_code_runs_again(tmp_path, monkeypatch) -> None:
    for digest, state in (("1", "complete"), ("2", "complete"), ("2", "cached")):
        monkeypatch.setattr(step_code, "code_digest", lambda names, d=digest: d)
        nodes = [meet(tmp_path, "a")]
        DagRunner(1).run(pipeline_of(tmp_path, nodes, cache=True))
        assert states(tmp_path) == {"a": state}


def test_a_failure_keeps_what_was_running_and_starts_no_other(tmp_path) -> None:
    def nodes() -> list:
        slow = Slow(folder=str(tmp_path)).with_id("slow")
        refuse = Refuse(folder=str(tmp_path), after="slow").with_id("refuse")
        return [slow, refuse, meet(tmp_path, "later", after=[slow])]

    with pytest.raises(InputDataError, match="Row 7"):
        DagRunner(2).run(pipeline_of(tmp_path, nodes(), cache=True))
    assert (tmp_path / "slow-ended").exists()
    assert states(tmp_path) == {"slow": "complete", "refuse": "failed"}
    # Nothing is left of the failed step's outputs, and the next run goes on from there.
    assert not list(tmp_path.glob("tfx/refuse/model/*"))
    with pytest.raises(InputDataError):
        DagRunner(2).run(pipeline_of(tmp_path, nodes(), cache=True))
    assert states(tmp_path)["slow"] == "cached"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failure_is_recorded_and_told(tmp_path, caplog, jobs) -> None:
    refuse = Refuse(folder=str(tmp_path), after="").with_id("refuse")
    with (
        caplog.at_level(logging.INFO, "souk"),
        pytest.raises(InputDataError, match="Row 7"),
    ):
        DagRunner(jobs).run(pipeline_of(tmp_path, [refuse]))
    assert states(tmp_path) == {"refuse": "failed"}
    assert "Component refuse is failed." in caplog.messages


def test_one_job_where_there_is_a_gpu_or_one_processor(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2})
    monkeypatch.setattr(dag, "may_fork", lambda: True)
    assert default_jobs(tmp_path) == 2
    (tmp_path / "nvidia0").touch()
    assert default_jobs(tmp_path) == 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    assert default_jobs(tmp_path / "none") == 1


def test_one_job_where_tensorflow_has_run(tmp_path, monkeypatch) -> None:
    tf.constant(1)  # starts the threads that a fork would wait for
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2})
    assert default_jobs(tmp_path) == 1
