"""The manifests are valid Kubernetes, and fit each other."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
FILES = sorted(p for p in FOLDER.glob("*.yaml") if p.name != "kustomization.yaml")
VERSIONS = ("1.28", "1.34")  # the oldest and the newest cluster we write for


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text("utf-8")))


OBJECTS = [(path.name, each) for path in FILES for each in documents(path)]


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    return [each for _, each in OBJECTS if each["kind"] in kinds]


@pytest.fixture(scope="module")
def kubernetes_validate() -> ModuleType:
    """Imported late: it compiles a grammar for seconds, and every worker collects."""
    import kubernetes_validate

    return kubernetes_validate


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "found", [pytest.param(o, id=f"{n}-{o['kind']}") for n, o in OBJECTS]
)
def test_every_object_is_valid_and_has_no_unknown_field(
    found, version, kubernetes_validate
) -> None:
    kubernetes_validate.validate(found, version, strict=True)


@pytest.mark.slow
def test_the_validator_finds_a_misspelt_field(kubernetes_validate) -> None:
    broken = documents(FOLDER / "volume.yaml")[0]
    broken["spec"]["accessMode"] = ["ReadWriteMany"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSIONS[-1], strict=True)


def test_kustomization_names_every_file() -> None:
    (kustomization,) = documents(FOLDER / "kustomization.yaml")
    optional = {"model-server-gpu.yaml"}  # in place of the CPU server, or beside it
    listed = set(kustomization["resources"])
    assert {path.name for path in FILES} - optional <= listed
    assert all((FOLDER / name).is_file() for name in listed)


def test_services_and_budgets_select_pods_that_there_are() -> None:
    labels = [
        each["spec"]["template"]["metadata"]["labels"] for each in of_kind("Deployment")
    ]
    selectors = [each["spec"]["selector"] for each in of_kind("Service")]
    for each in of_kind("Deployment", "PodDisruptionBudget"):
        selectors.append(each["spec"]["selector"]["matchLabels"])
    for selector in selectors:
        assert any(selector.items() <= found.items() for found in labels), selector


def test_autoscalers_and_volumes_name_objects_that_there_are() -> None:
    names = {(each["kind"], each["metadata"]["name"]) for _, each in OBJECTS}
    for scaler in of_kind("HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        assert (target["kind"], target["name"]) in names
    for deployment in of_kind("Deployment"):
        for volume in deployment["spec"]["template"]["spec"].get("volumes", ()):
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            config = volume.get("configMap", {}).get("name")
            assert claim is None or ("PersistentVolumeClaim", claim) in names
            assert config is None or ("ConfigMap", config) in names


def test_pods_run_as_nobody_in_particular_and_are_scraped_on_a_port_they_open() -> None:
    for deployment in of_kind("Deployment"):
        template = deployment["spec"]["template"]
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] != 0
        annotations = template["metadata"]["annotations"]
        assert annotations["prometheus.io/scrape"] == "true"
        ports = [p["containerPort"] for c in spec["containers"] for p in c["ports"]]
        assert int(annotations["prometheus.io/port"]) in ports
        for container in spec["containers"]:
            assert container["resources"]["requests"]
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
