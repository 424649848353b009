"""Cluster settings from YAML, and whose settings a step gets."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from core.errors import ConfigError
from pipeline.kubeflow.compile import compile_pipeline
from pipeline.kubeflow.config import ClusterConfig, StepConfig
from tests.pipeline.kubeflow.conftest import TARGET


def test_a_file_sets_volume_default_and_steps(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(
        "volume_claim: shared\n"
        "steps:\n"
        "  default: {cpu: 2, memory_gb: 6}\n"
        "  Ranker: {cpu: 16, gpus: 2, gpu_type: amd.com/gpu}\n"
    )
    found = ClusterConfig.from_file(path)
    assert found.volume_claim == "shared" and found.cache
    assert found.step("Ranker") == StepConfig(
        cpu=16, gpus=2, gpu_type="amd.com/gpu", retries=2
    )
    assert found.step("Clean") == StepConfig(cpu=2, memory_gb=6, retries=2)


@pytest.mark.parametrize(
    ("text", "retries"),
    [
        # What is refused once is refused again, whatever the default says.
        ("{}", {"Retriever": 2, "Prepare": 2, "GateItems": 0}),
        ("{default: {cpu: 3}}", {"Retriever": 2, "Prepare": 2, "GateItems": 0}),
        ("{default: {retries: 5}}", {"Retriever": 5, "Prepare": 5, "GateItems": 0}),
        ("{default: {retries: 0}}", {"Retriever": 0, "Prepare": 0, "GateItems": 0}),
        (
            "{default: {retries: 5}, Retriever: {cpu: 8}, GateItems: {retries: 1}}",
            {"Retriever": 2, "Prepare": 5, "GateItems": 1},
        ),
    ],
)
def test_retries_of_the_default_are_for_all_but_named_steps_and_gates(
    tmp_path: Path, text: str, retries: dict[str, int]
) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(f"steps: {text}\n")
    found = ClusterConfig.from_file(path)
    assert {name: found.step(name).retries for name in retries} == retries


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("steps: {Ranker: {cpus: 3}}", "has no setting cpus"),
        ("steps: {Ranker: {cpu: 0}}", "StepConfig.cpu` must be > 0"),
        ("volume: x", "has no setting volume"),
        ("steps: [1]", "mapping of step names"),
        ("- 1", "mapping"),
        ("a: [", "must be a YAML file"),
        ("steps: {Ranker: null}", "each step a mapping.* Received: Ranker: None"),
        ("steps: {Ranker: 5}", "each step a mapping.* Received: Ranker: 5"),
        ("steps: {Ranker: {retries: -1}}", "retries` must be >= 0"),
    ],
)
def test_a_wrong_file_is_refused_with_the_rule(
    tmp_path: Path, text: str, rule: str
) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=rule):
        ClusterConfig.from_file(path)


def test_a_file_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_bytes("volume_claim: café\n".encode("latin-1"))
    with pytest.raises(ConfigError, match="must be a YAML file"):
        ClusterConfig.from_file(path)


@pytest.mark.parametrize("refit", [False, True])
def test_settings_of_a_step_that_is_in_neither_dag_are_refused(
    config, layout, refit
) -> None:
    shared = {name: StepConfig() for name in ("default", "Gates", "ServingGate")}
    shared |= {name: StepConfig() for name in ("Prepare", "OnExit", "LastBlessed")}
    target = dataclasses.replace(TARGET, refit=refit)
    good = dataclasses.replace(target, cluster=ClusterConfig(steps=shared))
    compile_pipeline(config, layout, good)
    cluster = ClusterConfig(steps={**shared, "Retreiver": StepConfig(gpus=1)})
    with pytest.raises(ConfigError, match=r"Received: Retreiver\. .*Retriever"):
        compile_pipeline(config, layout, dataclasses.replace(target, cluster=cluster))
