"""Cluster settings from YAML, and whose settings a step gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigError
from pipeline.kubeflow.config import ClusterConfig, StepConfig


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
    assert found.step("Ranker") == StepConfig(cpu=16, gpus=2, gpu_type="amd.com/gpu")
    assert found.step("Clean") == StepConfig(cpu=2, memory_gb=6)
    # What is refused once is refused again, whatever the default says.
    assert found.step("GateItems").retries == 0


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("steps: {Ranker: {cpus: 3}}", "has no setting cpus"),
        ("steps: {Ranker: {cpu: 0}}", "StepConfig.cpu` must be > 0"),
        ("volume: x", "has no setting volume"),
        ("steps: [1]", "mapping of step names"),
        ("- 1", "mapping"),
        ("a: [", "must be a YAML file"),
    ],
)
def test_a_wrong_file_is_refused_with_the_rule(
    tmp_path: Path, text: str, rule: str
) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=rule):
        ClusterConfig.from_file(path)
