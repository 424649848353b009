"""A compiled pipeline is what KFP v2 takes, and knows nothing of this machine."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.utils import import_utils

from core import presets
from core.config.choices import RunChoices
from core.config.souk import SoukConfig
from core.errors import ConfigError
from core.layout import HomeLayout
from pipeline.kubeflow import names
from pipeline.kubeflow.compile import CompiledPipeline, compile_pipeline
from pipeline.kubeflow.config import ClusterConfig, StepConfig
from tests.pipeline.kubeflow.conftest import TARGET

Json = dict[str, Any]


def tasks_of(compiled: CompiledPipeline) -> Json:
    found: Json = compiled.spec["components"][names.DAG]["dag"]["tasks"]
    return found


def container(compiled: CompiledPipeline, name: str) -> Json:
    label = compiled.spec["components"][name]["executorLabel"]
    found: Json = compiled.spec["deploymentSpec"]["executors"][label]["container"]
    return found


def parameters(compiled: CompiledPipeline, name: str) -> Json:
    found: Json = tasks_of(compiled)[name]["inputs"]["parameters"]
    return found


def from_prepare(name: str) -> Json:
    return {
        "taskOutputParameter": {
            "producerTask": names.PREPARE,
            "outputParameterKey": name,
        }
    }


def test_nothing_of_this_machine_is_inside(compiled, layout) -> None:
    text = compiled.to_yaml()
    repository = Path(__file__).parents[3]
    for place in (layout.home, repository, Path.home(), Path.cwd(), sys.prefix):
        if str(place) not in ("/", ""):
            assert str(place) not in text
    absolute = set(re.findall(r"(?<![\w/}.:-])/[a-z]\w*(?:/[\w.-]+)*", text))
    assert absolute == {names.DEFAULT_HOME}


def test_it_parses_strictly_as_kfps_own_message(compiled) -> None:
    documents = list(yaml.safe_load_all(compiled.to_yaml()))
    spec = json_format.ParseDict(documents[0], pipeline_spec_pb2.PipelineSpec())
    assert spec.schema_version == "2.1.0"
    assert spec.pipeline_info.name == "souk-tiny"
    assert spec.default_pipeline_root == "gs://bucket/artifacts"
    deployment = pipeline_spec_pb2.PipelineDeploymentConfig()
    json_format.ParseDict(documents[0]["deploymentSpec"], deployment)
    kinds = {each.WhichOneof("spec") for each in deployment.executors.values()}
    assert kinds == {"container"}  # open-source KFP refuses resolvers
    json_format.ParseDict(documents[1], pipeline_spec_pb2.PlatformSpec())


def test_it_holds_every_component_of_the_local_dag(compiled, config, layout) -> None:
    from pipeline.create_pipeline import create_pipeline

    local = {node.id for node in create_pipeline(config, layout).components}
    assert set(tasks_of(compiled)) == local | {names.PREPARE}
    assert set(compiled.spec["root"]["dag"]["tasks"]) == {names.DAG, names.ON_EXIT}


def test_every_reference_resolves_and_waits_for_what_it_reads(compiled) -> None:
    tasks, components = tasks_of(compiled), compiled.spec["components"]
    for name, task in tasks.items():
        inputs = task["inputs"]
        needed = set(task.get("dependentTasks", ()))
        assert needed <= set(tasks)
        for key, source in inputs.get("artifacts", {}).items():
            produced = source["taskOutputArtifact"]
            assert produced["producerTask"] in needed, f"{name}.{key}"
            outputs = components[produced["producerTask"]]["outputDefinitions"]
            assert produced["outputArtifactKey"] in outputs["artifacts"]
        for key, source in inputs["parameters"].items():
            if "taskOutputParameter" in source:
                assert names.PREPARE in needed, f"{name}.{key}"
                produced = source["taskOutputParameter"]["outputParameterKey"]
                outputs = components[names.PREPARE]["outputDefinitions"]
                assert produced in outputs["parameters"]
            if "componentInputParameter" in source:
                dag = components[names.DAG]["inputDefinitions"]["parameters"]
                assert source["componentInputParameter"] in dag
        declared = components[name]["inputDefinitions"]["parameters"]
        assert set(declared) == set(inputs["parameters"])


def test_executors_and_artifact_types_can_be_imported_by_name(compiled) -> None:
    for name in tasks_of(compiled):
        args = container(compiled, name)["args"]
        if "--executor_class_path" in args:
            path = args[args.index("--executor_class_path") + 1]
            assert import_utils.import_class_by_path(path)
    titles = set(re.findall(r"title: (components\.\w+)", json.dumps(compiled.spec)))
    assert "components.FunnelMetrics" in titles and len(titles) == 10
    for title in titles:
        assert title == import_utils.import_class_by_path(title).TYPE_NAME


def test_shop_data_dates_and_gates_are_run_parameters(compiled, config) -> None:
    root = compiled.spec["root"]["inputDefinitions"]["parameters"]
    defaults = {name: each["defaultValue"] for name, each in root.items()}
    assert defaults == {
        "home": "/souk",
        "shop": "tiny",
        "source": "tiny",
        "data": "",
        "seed": 0,
        "test_start": "",
        "gates": "{}",
    }
    assert parameters(compiled, "Gates")["config"] == from_prepare("gate_settings")
    assert parameters(compiled, "JoinHistory")["splits"] == from_prepare("splits")
    assert parameters(compiled, "TextEncoder")["before"] == from_prepare("before")
    # The test date is nowhere a constant.
    assert str(config.splits.test_start) not in json.dumps(tasks_of(compiled))


def test_paths_hang_below_the_runs_own_home(compiled) -> None:
    constants = {
        name: parameters(compiled, name)[key]["runtimeValue"]["constant"]
        for name, key in (("IngestItems", "input_base"), ("Report", "path"))
    }
    assert constants == {
        "IngestItems": "${souk_root}/tables",
        "Report": "${souk_root}/report/index.html",
    }
    pushed = parameters(compiled, "Pusher")["push_destination"]
    assert "${souk_root}/serving/souk" in pushed["runtimeValue"]["constant"]


def test_caches_are_keyed_by_content_of_what_lies_on_the_volume(compiled) -> None:
    tasks = tasks_of(compiled)
    for name, key in (
        ("IngestEvents", "events_fingerprint"),
        ("Clean", "rejected_fingerprint"),
        ("TextEncoder", "preset_fingerprint"),
        ("LastBlessed", "served_version"),
    ):
        assert parameters(compiled, name)[key] == from_prepare(key)
        assert tasks[name]["cachingOptions"] == {"enableCache": True}
    edited = parameters(compiled, "CurateSchemaItems")["fingerprint"]
    assert edited == from_prepare("items_schema_fingerprint")
    for name in (names.PREPARE, names.REPORT):
        assert not tasks[name]["cachingOptions"].get("enableCache")


def test_the_exit_handler_runs_whatever_happens(compiled) -> None:
    task = compiled.spec["root"]["dag"]["tasks"][names.ON_EXIT]
    assert task["triggerPolicy"]["strategy"] == "ALL_UPSTREAM_TASKS_COMPLETED"
    assert task["dependentTasks"] == [names.DAG]
    dag = compiled.spec["root"]["dag"]["tasks"][names.DAG]
    assert set(dag["inputs"]["parameters"]) == set(
        compiled.spec["root"]["inputDefinitions"]["parameters"]
    )


def test_what_the_report_reads_is_kept_for_the_exit_handler(compiled) -> None:
    args = container(compiled, "Gates")["args"]
    assert args[args.index("--keep") + 1] == "verdicts=verdicts"
    assert "--keep" not in container(compiled, "RankExamples")["args"]


def test_resources_retries_and_caching_come_from_the_settings(config, layout) -> None:
    cluster = ClusterConfig(
        volume_claim="",
        cache=False,
        steps={
            "default": StepConfig(cpu=0.5, memory_gb=3),
            "Retriever": StepConfig(cpu=8, memory_gb=32, gpus=1, retries=1),
        },
    )
    found = compile_pipeline(
        config, layout, dataclasses.replace(TARGET, cluster=cluster)
    )
    assert container(found, "Retriever")["resources"] == {
        "cpuRequest": 8,
        "cpuLimit": 8,
        "memoryRequest": 32,
        "memoryLimit": 32,
        "accelerator": {"type": "nvidia.com/gpu", "count": "1"},
    }
    assert container(found, "Clean")["resources"]["memoryRequest"] == 3
    assert container(found, names.ON_EXIT)["resources"]["cpuLimit"] == 0.5
    tasks = tasks_of(found)
    assert tasks["Retriever"]["retryPolicy"]["maxRetryCount"] == 1
    assert "retryPolicy" not in tasks["GateEvents"]  # the same data is refused again
    assert not any(t["cachingOptions"].get("enableCache") for t in tasks.values())
    assert found.platform == {}


def test_the_volume_is_mounted_in_every_container(compiled) -> None:
    executors = compiled.platform["platforms"]["kubernetes"]["deploymentSpec"][
        "executors"
    ]
    assert set(executors) == set(compiled.spec["deploymentSpec"]["executors"])
    for each in executors.values():
        assert each["pvcMount"][0]["mountPath"] == "/souk"
        assert each["pvcMount"][0]["constant"] == "souk-home"


def test_a_shop_without_judgments_has_no_step_for_them(
    config, layout, tmp_path
) -> None:
    other = HomeLayout(tmp_path, "tiny")
    shutil.copytree(layout.tables, other.tables)
    (other.tables / "judgments.parquet").unlink()
    found = compile_pipeline(config, other, TARGET)
    assert "IngestJudgments" not in tasks_of(found)
    assert "judgments" not in tasks_of(found)["EvaluateSearch"]["inputs"]["artifacts"]


def test_a_shop_without_events_compiles_to_the_shorter_dag(config, layout) -> None:
    shop = config.shop.replace(has_events=False)
    short = compile_pipeline(presets.for_shop(shop, config.splits), layout, TARGET)
    tasks = tasks_of(short)
    assert "SearchBundle" in tasks and "Retriever" not in tasks
    assert names.LAST_BLESSED not in tasks
    assert parameters(short, "SearchBundle")["config"] == from_prepare("config")


@pytest.mark.parametrize("root", ["/tmp/here", "gs://", "hdfs://cluster/souk", "souk"])
def test_a_pipeline_root_that_kfp_cannot_mount_is_refused(config, layout, root) -> None:
    with pytest.raises(ConfigError, match="--pipeline-root"):
        compile_pipeline(
            config, layout, dataclasses.replace(TARGET, pipeline_root=root)
        )


def test_a_name_that_kfp_refuses_is_refused_here(config, layout, tmp_path) -> None:
    other = HomeLayout(tmp_path, "My_Shop")
    shutil.copytree(layout.tables, other.tables)
    with pytest.raises(ConfigError, match="souk-My_Shop"):
        compile_pipeline(config, other, TARGET)


def test_choices_are_compiled_in(config, layout) -> None:
    choices = RunChoices(compress=True, text_encoder_preset="/souk/presets/minilm")
    target = dataclasses.replace(TARGET, choices=choices)
    found = compile_pipeline(config, layout, target)
    assert {"Compress", "Bundle"} <= set(tasks_of(found))
    given = parameters(found, names.PREPARE)["compiled_choices"]
    assert RunChoices.from_json(given["runtimeValue"]["constant"]) == choices
    given = parameters(found, names.PREPARE)["compiled_config"]
    assert SoukConfig.from_json(given["runtimeValue"]["constant"]).compress.enabled
    encoder = parameters(found, "TextEncoder")["config"]["runtimeValue"]["constant"]
    assert json.loads(encoder)["preset"] == "/souk/presets/minilm"


def test_settings_that_prepare_would_not_make_are_refused(config, layout) -> None:
    changed = presets.with_settings(
        config, {"ranker": {"epochs": 1}, "gates": {"min_coverage": 0.2}}
    )
    with pytest.raises(
        ConfigError,
        match=r"ranker\.epochs: 2 -> 1; gates\.min_coverage: 0\.05 -> 0\.2\. .*choices",
    ):
        compile_pipeline(changed, layout, TARGET)


def test_a_refit_is_the_shorter_dag_and_writes_no_report(config, layout) -> None:
    from pipeline.create_pipeline import create_refit_pipeline

    found = compile_pipeline(config, layout, dataclasses.replace(TARGET, refit=True))
    local = {node.id for node in create_refit_pipeline(config, layout).components}
    assert set(tasks_of(found)) == local | {names.PREPARE}
    assert "ServingGate" in local and "EvaluateFunnel" not in local
    assert set(found.spec["root"]["dag"]["tasks"]) == {names.DAG}
    assert found.spec["pipelineInfo"]["name"] == "souk-tiny-refit"
    assert str(layout.home) not in found.to_yaml()
    spec = pipeline_spec_pb2.PipelineSpec()
    json_format.ParseDict(next(yaml.safe_load_all(found.to_yaml())), spec)


def test_a_shop_without_events_has_no_refit(config, layout) -> None:
    silent = config.replace(shop=config.shop.replace(has_events=False))
    with pytest.raises(ConfigError, match="shop with events"):
        compile_pipeline(silent, layout, dataclasses.replace(TARGET, refit=True))
