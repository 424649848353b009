"""Beam's Flink job server: its jar, built once by Maven, and the running process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib import resources
from importlib.metadata import version
from pathlib import Path

from core.errors import ConfigError
from pipeline.flink import java, processes, settings

# The runner of the SDK's own version: both then speak the same dialect.
BEAM_VERSION, FLINK_VERSION = version("apache-beam"), "1.19"
JAR_NAME = f"flink-job-server-{BEAM_VERSION}-{FLINK_VERSION}.jar"
_BUILD_TIMEOUT_S = 900


def ensure_jar(cache: Path) -> Path:
    """`cache`/JAR_NAME; built by Maven where it is not there yet (160 MB, a minute).

    Raises:
      ConfigError: it has to be built and there is no Maven, or the build fails.
    """
    jar = cache / JAR_NAME
    if jar.is_file():
        return jar
    maven = shutil.which("mvn")
    if maven is None:
        raise ConfigError(
            f"Flink's job server must be built once, by Maven. Received: no `mvn` on "
            f"the PATH. Install it (Debian, Ubuntu: apt-get install maven), or copy "
            f"{JAR_NAME} from a machine that has one to `{cache}`."
        )
    java.find_java()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once build one jar
        if not jar.is_file():
            _build(maven, jar)
    return jar


def _build(maven: str, jar: Path) -> None:
    log = jar.parent / "build.log"
    with tempfile.TemporaryDirectory(dir=jar.parent) as folder:
        pom = resources.files("pipeline.flink").joinpath("pom.xml").read_text("utf-8")
        (Path(folder) / "pom.xml").write_text(pom, "utf-8")
        command = [
            *(maven, "--batch-mode", "--quiet", "package"),
            f"-Dmaven.repo.local={folder}/repository",
            f"-Dbeam.version={BEAM_VERSION}",
            f"-Dflink.version={FLINK_VERSION}",
        ]
        try:
            with log.open("w") as output:
                subprocess.run(
                    command,
                    cwd=folder,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=_BUILD_TIMEOUT_S,
                    check=True,
                )
        except (OSError, subprocess.SubprocessError) as error:
            raise ConfigError(
                f"Maven must be able to build {JAR_NAME} from its repository. "
                f"Received: {error}. `{log}` tells why; the network or the mirror in "
                "~/.m2/settings.xml is the usual reason."
            ) from error
        os.replace(Path(folder) / "target" / JAR_NAME, jar)


@contextlib.contextmanager
def running(
    jar: Path, master: str, folder: Path, options: settings.FlinkSettings
) -> Iterator[str]:
    """Runs the job server; yields its endpoint, HOST:PORT.

    Args:
      jar: what `ensure_jar` gave.
      master: HOST:8081 of a cluster, or `[local]`: Flink inside the job server.
      folder: for its configuration, log and staged files.
      options: sizes.

    Raises:
      SoukError: it does not answer in time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings.write(folder, options)
    port = processes.free_port()
    log = folder / "job_server.log"
    command = [
        java.find_java(),
        *java.OPEN_MODULES,
        *java.memory_options(options.heap_mb, options.network_mb + 256),
        *("-jar", str(jar)),
        f"--flink-master={master}",
        f"--flink-conf-dir={folder}",
        f"--artifacts-dir={folder / 'staged'}",
        f"--job-port={port}",
        "--artifact-port=0",
        "--expansion-port=0",
    ]
    with processes.process(command, log) as server:
        processes.await_port(server, port, log)
        yield f"localhost:{port}"
