"""The GPU's compose file and manifest say what the model needs of a card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"


def read(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text("utf-8"))


def test_compose_overlay_changes_the_service_that_the_first_file_has() -> None:
    base = read("compose/docker-compose.yml")["services"]["serving-gpu"]
    over = read("compose/docker-compose.gpu.yml")["services"]["serving-gpu"]
    assert base["image"].endswith("-gpu")
    # A list replaces the first file's list, so that it must hold all of it.
    assert set(base["command"]) <= set(over["command"])
    assert over["environment"]["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert not any("enable_batching" in flag for flag in over["command"])


def test_the_manifest_asks_for_one_gpu_and_lets_memory_grow() -> None:
    pod = read("kubernetes/model-server-gpu.yaml")["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    # Kubernetes wants an extended resource's request and limit to be equal.
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert container["resources"]["requests"]["nvidia.com/gpu"] == 1
    values = {each["name"]: each["value"] for each in container["env"]}
    assert values["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert "--enable_model_warmup=true" in container["args"]
    assert pod["metadata"]["labels"]["souk/device"] == "gpu"
    mounted = {each["name"] for each in container["volumeMounts"]}
    assert mounted == {each["name"] for each in pod["spec"]["volumes"]}
