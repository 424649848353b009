"""Open-loop load on a server of this machine: Poisson arrivals, bounded, from outside.

Runs in a process of its own (`measure`), so that the generator's work and the server's
share nothing but the cores. A latency counts from the moment a request was due, not
from the moment a free connection was found (no coordinated omission).
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from core.config.base import Config
from core.errors import ConfigError, ServingError
from serving import load_targets

LOOPBACK = ("127.0.0.1", "::1", "localhost")
MAX_REQUESTS = 500_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoadConfig(Config):
    """One measurement."""

    protocol: Literal["grpc", "rest"]
    port: int
    host: str = "127.0.0.1"
    rate: float = 0.0  # requests per second; 0 = closed loop, every connection busy
    duration_s: float = 10.0
    warmup_s: float = 1.0  # sent, not counted
    connections: int = 64
    seed: int = 0
    path: str = "/v1/models/souk:predict"  # REST

    def __post_init__(self) -> None:
        self.require(
            self.host in LOOPBACK,
            "host",
            "this machine (127.0.0.1)",
            "Load is only ever put on one's own machine.",
        )
        self.require(self.rate >= 0, "rate", ">= 0")
        self.require(0 < self.duration_s <= 600, "duration_s", "0 .. 600")
        self.require(0 <= self.warmup_s <= 60, "warmup_s", "0 .. 60")
        self.require(1 <= self.connections <= 1024, "connections", "1 .. 1024")
        total = self.rate * (self.duration_s + self.warmup_s)
        self.require(
            total <= MAX_REQUESTS, "rate", f"at most {MAX_REQUESTS} requests in all"
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoadResult(Config):
    """What the requests of one measurement met."""

    sent: int
    errors: int
    seconds: float
    throughput: float  # good answers per second
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


def measure(config: LoadConfig, payloads: Sequence[bytes]) -> LoadResult:
    """The result of the load, put by a child process.

    Args:
      payloads: bodies (REST) or serialized PredictRequests (gRPC), sent in turn.

    Raises:
      ServingError: the generator failed.
    """
    task = {
        "config": config.to_dict(),
        "payloads": [base64.b64encode(p).decode() for p in payloads],
    }
    done = subprocess.run(
        [sys.executable, "-m", "serving.load"],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parent.parent,
        timeout=config.duration_s + config.warmup_s + 60,
    )
    if done.returncode != 0:
        raise ServingError(f"The load generator failed:\n{done.stderr[-2000:]}")
    return LoadResult.from_dict(json.loads(done.stdout.splitlines()[-1]))


def saturation(
    config: LoadConfig, payloads: Sequence[bytes], *, p99_limit_ms: float = 250.0
) -> float:
    """The highest rate that open-loop arrivals can have without a growing queue.

    A closed loop finds the capacity; then shorter open-loop runs go down from it until
    at least 97 % of the arrivals are answered within the run and p99 is bounded.
    """
    closed = measure(config.replace(rate=0.0), payloads)
    for share in (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.35, 0.2):
        rate = closed.throughput * share
        result = measure(config.replace(rate=rate), payloads)
        answered = result.throughput >= 0.97 * result.sent / result.seconds
        if answered and not result.errors and result.p99_ms <= p99_limit_ms:
            return rate
    raise ServingError("No rate was sustained. Is the machine busy with other work?")


class Generator:
    """Sends the requests of one measurement and keeps their latencies."""

    def __init__(self, config: LoadConfig, payloads: Sequence[bytes]) -> None:
        if not payloads:
            raise ConfigError("`payloads` must hold at least one request.")
        self._config = config
        self._payloads = payloads
        self._latencies: list[float] = []
        self._errors = 0
        self._next = 0

    async def run(self) -> LoadResult:
        config = self._config
        send, close = await load_targets.connect(
            config.protocol, config.host, config.port, config.path, config.connections
        )
        try:
            start = time.perf_counter()
            if config.rate:
                sent = await self._open_loop(send, start)
            else:
                sent = await self._closed_loop(send, start)
            seconds = time.perf_counter() - start - config.warmup_s
        finally:
            await close()
        found = np.array(self._latencies or [float("nan")]) * 1e3
        p50, p90, p99, top = np.percentile(found, [50, 90, 99, 100]).tolist()
        return LoadResult(
            sent=sent,
            errors=self._errors,
            seconds=seconds,
            throughput=len(self._latencies) / seconds,
            p50_ms=p50,
            p90_ms=p90,
            p99_ms=p99,
            max_ms=top,
        )

    async def _open_loop(self, send: load_targets.Send, start: float) -> int:
        config = self._config
        random = np.random.default_rng(config.seed)
        length = config.warmup_s + config.duration_s
        count = random.poisson(config.rate * length)
        arrivals = np.sort(random.uniform(0, length, count)).tolist()
        tasks: set[asyncio.Task[None]] = set()
        for arrival in arrivals:
            wait = start + arrival - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            counted = arrival >= config.warmup_s
            task = asyncio.ensure_future(self._one(send, start + arrival, counted))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        if tasks:
            await asyncio.wait(tasks, timeout=30)
        unanswered = len(tasks)
        for task in tasks:
            task.cancel()
        self._errors += unanswered
        return sum(1 for arrival in arrivals if arrival >= config.warmup_s)

    async def _closed_loop(self, send: load_targets.Send, start: float) -> int:
        begin = start + self._config.warmup_s
        end = begin + self._config.duration_s

        async def worker() -> None:
            while (now := time.perf_counter()) < end:
                await self._one(send, now, now >= begin)

        await asyncio.gather(*(worker() for _ in range(self._config.connections)))
        return len(self._latencies) + self._errors

    async def _one(
        self, send: Callable[[bytes], Awaitable[bool]], due: float, counted: bool
    ) -> None:
        self._next += 1
        good = await send(self._payloads[self._next % len(self._payloads)])
        if not counted:
            return
        if good:
            self._latencies.append(time.perf_counter() - due)
        else:
            self._errors += 1


def main() -> None:
    """Reads {"config", "payloads"} from standard input, prints the result as JSON."""
    task = json.load(sys.stdin)
    payloads = [base64.b64decode(p) for p in task["payloads"]]
    generator = Generator(LoadConfig.from_dict(task["config"]), payloads)
    result = load_targets.run(generator.run())
    print(result.to_json())


if __name__ == "__main__":
    main()
