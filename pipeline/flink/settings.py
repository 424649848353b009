"""Flink's own configuration file, for the job server and for a session cluster."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from core.config.base import Config

CONFIG_FILE = "flink-conf.yaml"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FlinkSettings(Config):
    """Sizes of each JVM; the Python worker beside a slot is not counted in."""

    heap_mb: int = 512
    # Buffers between tasks. TFX's graphs have hundreds of tasks: with less than this
    # they stop with "Insufficient number of network buffers".
    network_mb: int = 768
    managed_mb: int = 128  # Flink's sort and hash memory
    slots: int = 1  # per TaskManager: one Python worker each
    restarts: int = 10  # of a job whose TaskManager died

    def __post_init__(self) -> None:
        self.require(self.heap_mb >= 256, "heap_mb", ">= 256")
        self.require(self.network_mb >= 64, "network_mb", ">= 64")
        self.require(self.slots >= 1, "slots", ">= 1")
        self.require(self.restarts >= 0, "restarts", ">= 0")


def write(
    folder: Path, options: FlinkSettings, rpc_port: int = 0, rest_port: int = 0
) -> None:
    """Writes `folder/flink-conf.yaml`.

    Args:
      folder: of the configuration; temporary files go below it.
      options: sizes.
      rpc_port, rest_port: of a cluster's JobManager on loopback.
    """
    values = {
        "jobmanager.rpc.address": "127.0.0.1",
        "jobmanager.rpc.port": rpc_port,
        "jobmanager.bind-host": "127.0.0.1",
        "rest.address": "127.0.0.1",
        "rest.bind-address": "127.0.0.1",
        "rest.port": rest_port,
        "taskmanager.bind-host": "127.0.0.1",
        "taskmanager.host": "127.0.0.1",
        "taskmanager.numberOfTaskSlots": options.slots,
        "taskmanager.cpu.cores": 1.0,
        "taskmanager.memory.task.heap.size": f"{options.heap_mb // 2}m",
        "taskmanager.memory.task.off-heap.size": "64m",
        "taskmanager.memory.framework.heap.size": "128m",
        "taskmanager.memory.framework.off-heap.size": "128m",
        "taskmanager.memory.managed.size": f"{options.managed_mb}m",
        "taskmanager.memory.network.min": f"{options.network_mb}m",
        "taskmanager.memory.network.max": f"{options.network_mb}m",
        "taskmanager.memory.jvm-metaspace.size": "384m",
        "taskmanager.memory.jvm-overhead.min": "192m",
        "taskmanager.memory.jvm-overhead.max": "192m",
        "taskmanager.network.sort-shuffle.min-buffers": 64,
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": options.restarts,
        "restart-strategy.fixed-delay.delay": "2 s",
        "heartbeat.interval": 2_000,
        "heartbeat.timeout": 20_000,
        # The cluster's JVMs run from the job server's jar: its classes are theirs.
        "classloader.resolve-order": "parent-first",
        "classloader.check-leaked-classloader": "false",
        "io.tmp.dirs": str(folder / "tmp"),
        "blob.storage.directory": str(folder / "blobs"),
    }
    for name in ("tmp", "blobs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{key}: {value}\n" for key, value in values.items())
    (folder / CONFIG_FILE).write_text(lines, "utf-8")
