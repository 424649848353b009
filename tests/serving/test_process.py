"""The server as a process: ready, stopped, killed, without model, without reader."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from core.errors import ServingError
from serving import main
from serving.embedded import EmbeddedServer
from serving.model_server.options import ServerConfig
from serving.model_server.server import ModelServer
from tests.serving.running import RunningServer

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[2]


def test_an_empty_folder_is_watched_and_a_closed_pipe_does_not_hold(
    tmp_path: Path, small_models: dict[int, Path]
) -> None:
    flags = [f"--model_base_path={tmp_path}", "--port=-1", "--rest_api_port=-1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "serving.model_server", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        text=True,
    )
    try:
        assert process.stdout is not None
        listening = process.stdout.readline()
        notice = process.stdout.readline()
        shutil.copytree(small_models[1], tmp_path / ".1")
        (tmp_path / ".1").rename(tmp_path / "1")
        ready = process.stdout.readline()
        url = listening.partition("REST on ")[2].strip() + "souk"
        status = httpx.get(url).json()
        process.stdout.close()  # the reader goes away
        process.send_signal(signal.SIGTERM)
        code = process.wait(20)
    finally:
        process.kill()

    assert "No version of the model found yet" in notice and str(tmp_path) in notice
    assert ready == "Ready: souk\n"
    assert status["model_version_status"][0]["state"] == "AVAILABLE"
    assert code == 0


def test_a_killed_server_is_gone(small_models: dict[int, Path]) -> None:
    with EmbeddedServer(small_models[1].parent) as server:
        assert httpx.get(f"{server.rest_url}/v1/models/souk").status_code == 200
        assert server.process is not None
        server.process.kill()

        assert server.stop() == -signal.SIGKILL
        with pytest.raises(httpx.ConnectError):
            httpx.get(server.rest_url)


def test_a_server_ends_with_the_process_that_started_it(
    small_models: dict[int, Path],
) -> None:
    code = (
        "import sys, time\n"
        "from serving.embedded import EmbeddedServer\n"
        "server = EmbeddedServer(sys.argv[1]).start()\n"
        "print(server.process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(small_models[1].parent)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    server = int(parent.stdout.readline())

    parent.kill()
    parent.wait(10)
    parent.stdout.close()

    deadline = time.monotonic() + 20
    while Path(f"/proc/{server}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{server}").exists()


@pytest.mark.parametrize("flag", ["port", "rest_api_port"])
def test_a_taken_port_is_explained(
    running: RunningServer, tmp_path: Path, flag: str
) -> None:
    ports = {"port": -1, "rest_api_port": -1}
    ports[flag] = getattr(running.server, flag)
    config = ServerConfig(model_base_path=str(tmp_path), **ports)  # type: ignore[arg-type]

    with pytest.raises(ServingError, match=f"the port is taken.*--{flag}=PORT"):
        asyncio.run(ModelServer(config).start())


def test_wrong_flags_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    code = main.serve(["--port=8500"])

    assert code == 2
    assert "model_base_path" in capsys.readouterr().err


def test_a_server_serves_in_a_second_block(small_models: dict[int, Path]) -> None:
    server = EmbeddedServer(small_models[1].parent)
    assert server.log == ""  # not started yet
    for _ in range(2):
        with server:
            assert httpx.get(f"{server.rest_url}/v1/models/souk").status_code == 200
            assert "in service" in server.log
        assert server.log == ""  # its folder is gone
        assert server.process is not None and server.process.poll() is not None


def test_a_server_starts_again_and_listens_on_ipv6(
    small_models: dict[int, Path],
) -> None:
    folder = small_models[1].parent
    server = EmbeddedServer(folder, flags={"host": "::1"})
    try:
        for _ in range(2):
            server.start()
            url = f"http://[::1]:{server.rest_api_port}/v1/models/souk"
            states = httpx.get(url).json()["model_version_status"]
            assert states[0]["state"] == "AVAILABLE"
            server.stop()
    finally:
        server.stop()
