"""Versions come and go under a stream of requests, and none of them fails."""

from __future__ import annotations

import concurrent.futures
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    prediction_log_pb2,
)
from tensorflow_serving.config import model_server_config_pb2

from serving.model_server.manager import ModelManager
from serving.model_server.warmup import WARMUP_FILE
from tests.serving.model_server.test_grpc_api import Stub, predict_request
from tests.serving.running import RunningServer, recommend_inputs

pytestmark = pytest.mark.slow  # versions are loaded, and waited for

States = get_model_status_pb2.ModelVersionStatus


@pytest.fixture
def base(tmp_path: Path, small_models: dict[int, Path]) -> Path:
    """A model folder that holds version 1."""
    folder = tmp_path / "souk"
    folder.mkdir()
    push(small_models[1], folder / "1")
    return folder


@pytest.fixture
def server(base: Path) -> Iterator[RunningServer]:
    with RunningServer(base) as server:
        yield server


def push(source: Path, target: Path) -> None:
    """Complete before visible."""
    partial = target.parent / f".{target.name}"
    shutil.copytree(source, partial)
    partial.rename(target)


def states(server: RunningServer) -> dict[int, Any]:
    with grpc.insecure_channel(server.grpc_target) as channel:
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "souk"
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        found = stub.GetModelStatus(request, timeout=10).model_version_status
        return {each.version: each for each in found}


def wait_for(condition: Any, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def test_no_request_fails_while_versions_change(
    server: RunningServer, base: Path, small_models: dict[int, Path]
) -> None:
    grpc_request = predict_request(recommend_inputs(history=["item-00003"]))
    rest_body = {
        "signature_name": "recommend",
        "inputs": recommend_inputs(history=["item-00003"]),
    }
    started, stop = threading.Barrier(5), threading.Event()

    def ask(once: Callable[[], int]) -> list[int]:
        """Answers from before the first change to after the last one."""
        answers = [once()]
        started.wait(timeout=20)
        while not stop.is_set():
            answers.append(once())
        return [*answers, once()]

    def ask_grpc() -> list[int]:
        with grpc.insecure_channel(server.grpc_target) as channel:
            predict = Stub(channel).Predict
            return ask(
                lambda: predict(grpc_request, timeout=20).model_spec.version.value
            )

    def ask_rest() -> list[int]:
        with httpx.Client(base_url=server.rest_url, timeout=20) as http:
            url = "/v1/models/souk:predict"
            return ask(lambda: http.post(url, json=rest_body).status_code)

    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(f) for f in (ask_grpc, ask_grpc, ask_rest, ask_rest)]
        try:
            started.wait(timeout=20)
            for version in (2, 3, 4):
                push(small_models[version % 2 + 1], base / str(version))
                wait_for(
                    lambda v=version: (
                        states(server).get(v - 1, None) is None
                        or states(server)[v - 1].state == States.END
                    )
                )
        finally:
            stop.set()
        answers = [each.result() for each in asked]

    for versions in answers[:2]:
        assert versions == sorted(versions)  # never back to an older version
        assert set(versions) >= {1, 4}
    for codes in answers[2:]:
        assert set(codes) == {200}
    assert states(server)[4].state == States.AVAILABLE


def test_a_broken_version_leaves_the_old_one_serving(
    server: RunningServer, base: Path, small_models: dict[int, Path]
) -> None:
    (base / "2").mkdir()
    (base / "2" / "saved_model.pb").write_bytes(b"not a model")
    wait_for(lambda: 2 in states(server) and states(server)[2].state == States.END)

    found = states(server)
    assert found[1].state == States.AVAILABLE
    assert found[2].status.error_code != 0
    assert found[2].status.error_message
    page = httpx.get(f"{server.rest_url}/v1/models/souk/versions/2").json()
    (status,) = page["model_version_status"]
    assert status["state"] == "END" and status["status"]["error_code"] != "OK"

    shutil.rmtree(base / "2")  # mended: pushed once more under the same number
    push(small_models[2], base / "2")
    wait_for(lambda: states(server).get(2, found[2]).state == States.AVAILABLE)


def test_removing_the_newest_version_rolls_back(
    server: RunningServer, base: Path, small_models: dict[int, Path]
) -> None:
    push(small_models[2], base / "2")
    wait_for(lambda: states(server)[1].state == States.END)

    shutil.rmtree(base / "2")
    wait_for(lambda: states(server)[2].state == States.END)

    assert states(server)[1].state == States.AVAILABLE


def test_an_emptied_folder_leaves_the_last_version_serving(
    server: RunningServer, base: Path
) -> None:
    shutil.rmtree(base / "1")
    server.refresh()

    assert states(server)[1].state == States.AVAILABLE


def test_failing_warm_up_requests_keep_a_version_out(
    server: RunningServer, base: Path, small_models: dict[int, Path]
) -> None:
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.CopyFrom(
        predict_request(recommend_inputs(history=["item-00001"]))
    )
    prepared = base.parent / "prepared"
    shutil.copytree(small_models[2], prepared)
    warmup = prepared / WARMUP_FILE
    warmup.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(warmup)) as writer:
        writer.write(log.SerializeToString())
    push(prepared, base / "2")
    wait_for(lambda: 2 in states(server) and states(server)[2].state == 30)

    del log.predict_log.request.inputs["k"]
    with tf.io.TFRecordWriter(str(warmup)) as writer:
        writer.write(log.SerializeToString())
    push(prepared, base / "3")
    wait_for(lambda: 3 in states(server) and states(server)[3].state == States.END)

    assert "Missing but required: {k}" in states(server)[3].status.error_message
    assert states(server)[2].state == States.AVAILABLE


def reload(server: RunningServer, config: str) -> Any:
    request = model_management_pb2.ReloadConfigRequest()
    request.config.CopyFrom(
        text_format.Parse(config, model_server_config_pb2.ModelServerConfig())
    )
    with grpc.insecure_channel(server.grpc_target) as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        return stub.HandleReloadConfigRequest(request, timeout=60).status


def test_reloaded_configuration_brings_versions_labels_and_models(
    server: RunningServer, base: Path, small_models: dict[int, Path]
) -> None:
    push(small_models[2], base / "2")
    status = reload(
        server,
        f"""
        model_config_list {{
          config {{
            name: "souk" base_path: "{base}" model_platform: "tensorflow"
            model_version_policy {{ specific {{ versions: 1 versions: 2 }} }}
            version_labels {{ key: "stable" value: 1 }}
            version_labels {{ key: "canary" value: 2 }}
          }}
          config {{ name: "second" base_path: "{small_models[1].parent}" }}
        }}""",
    )
    assert status.error_code == 0, status.error_message

    request = predict_request(recommend_inputs(history=[]))
    with grpc.insecure_channel(server.grpc_target) as channel:
        stub = Stub(channel)
        for label, version in (("stable", 1), ("canary", 2)):
            request.model_spec.version_label = label
            answer = stub.Predict(request, timeout=10)
            assert answer.model_spec.version.value == version
        request.model_spec.Clear()
        request.model_spec.name = "second"
        request.model_spec.signature_name = "recommend"
        assert stub.Predict(request, timeout=10).model_spec.name == "second"
    inputs = recommend_inputs(history=[])
    labelled = httpx.post(
        f"{server.rest_url}/v1/models/souk/labels/stable:predict",
        json={"signature_name": "recommend", "inputs": inputs},
    )
    assert labelled.status_code == 200

    wrong_label = reload(
        server,
        f"""
        model_config_list {{
          config {{
            name: "souk" base_path: "{base}"
            version_labels {{ key: "canary" value: 77 }}
          }}
        }}""",
    )
    assert wrong_label.error_code == grpc.StatusCode.FAILED_PRECONDITION.value[0]
    wait_for(lambda: states(server)[1].state == States.END)  # latest 1 again
    # The label stays where it was, as with TensorFlow Serving.
    still = httpx.post(
        f"{server.rest_url}/v1/models/souk/labels/canary:predict",
        json={"signature_name": "recommend", "inputs": inputs},
    )
    assert still.status_code == 200
    gone = httpx.get(f"{server.rest_url}/v1/models/second")
    assert gone.status_code == 404


def test_a_version_in_use_is_closed_by_its_last_request(tmp_path: Path) -> None:
    import asyncio

    from serving.model_server.model import ModelConfig

    closed: list[int] = []

    class Version:
        def __init__(self, name: str, version: int, path: Path) -> None:
            self.name, self.version, self.path, self.in_flight = name, version, path, 0

        def close(self) -> None:
            closed.append(self.version)

    def make(version: int) -> None:
        (tmp_path / str(version)).mkdir()
        (tmp_path / str(version) / "saved_model.pb").write_bytes(b"x")

    async def scenario() -> None:
        manager = ModelManager(load=Version)  # type: ignore[arg-type]
        manager.configure([ModelConfig(name="souk", base_path=tmp_path)])
        make(1)
        await manager.refresh()
        used = manager.acquire("souk")
        make(2)
        await manager.refresh()
        assert manager.acquire("souk").version == 2
        assert closed == []
        manager.release(used)
        await manager.close()

    asyncio.run(scenario())
    assert closed == [1]  # version 2 is still in use
