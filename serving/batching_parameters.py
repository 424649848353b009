"""Batching settings of a model server, from how long its batches take.

    python -m serving.batching_parameters --budget-ms 20 1=1.0 8=2.0 32=5.0 64=12.0

prints TensorFlow Serving's batching file. The sizes and milliseconds are what
`make gpu-check` or `make bench-serving` measured.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import sys
from collections.abc import Mapping, Sequence

from core.errors import ConfigError

# A larger batch must bring this much more throughput to be worth its latency.
_MIN_GAIN = 1.05


@dataclasses.dataclass(frozen=True, kw_only=True)
class BatchingParameters:
    """TensorFlow Serving's BatchingParameters, `allowed_batch_sizes` included."""

    max_batch_size: int
    batch_timeout_micros: int
    num_batch_threads: int
    max_enqueued_batches: int
    allowed_batch_sizes: tuple[int, ...]

    def to_text(self) -> str:
        """The `--batching_parameters_file`."""
        single = {
            name: value
            for name, value in dataclasses.asdict(self).items()
            if name != "allowed_batch_sizes"
        }
        lines = [f"{name} {{ value: {value} }}" for name, value in single.items()]
        lines += [f"allowed_batch_sizes: {size}" for size in self.allowed_batch_sizes]
        return "\n".join(lines) + "\n"


def batching_parameters(
    latencies_s: Mapping[int, float],
    *,
    budget_s: float,
    queue_s: float = 1.0,
    num_devices: int = 1,
) -> BatchingParameters:
    """Settings that keep a request below the budget while batches are full.

    - A request may just miss a batch and runs in the next: twice a batch's time has to
      fit the budget. Of the sizes that fit, larger ones are taken while each brings 5 %
      more requests per second.
    - A batch waits for others for what the budget leaves, but no longer than a request
      takes alone: running it then would be as fast.
    - The queue holds what is answered within `queue_s`; more is refused at once.

    Args:
      latencies_s: batch size, at least 1 -> seconds per batch, measured; size 1 among
        them.
      budget_s: what a request may take in the server.
      queue_s: how long one that is queued may wait.
      num_devices: batches that run at a time.

    Raises:
      ConfigError: no size 1 or one below, a time that is not finite and positive, or a
        budget that even single requests do not keep.
    """
    if 1 not in latencies_s or min(latencies_s) < 1:
        raise ConfigError(
            "`latencies_s` must hold batch sizes >= 1, size 1 among them. "
            f"Received: {dict(latencies_s)}. Measure with `make gpu-check`."
        )
    for size, seconds in latencies_s.items():
        _check_time(f"latencies_s[{size}]", seconds)
    _check_time("budget_s", budget_s)
    _check_time("queue_s", queue_s)
    if 2 * latencies_s[1] > budget_s:
        raise ConfigError(
            f"`budget_s` must be at least twice a lone request ({latencies_s[1]:.4f} "
            f"s). Received: {budget_s}. Raise the budget or take a faster device."
        )
    best = 1
    for size in sorted(latencies_s):
        gain = size / latencies_s[size] / (best / latencies_s[best])
        if size > 1 and 2 * latencies_s[size] <= budget_s and gain >= _MIN_GAIN:
            best = size
    batch_s = latencies_s[best]
    wait_s = min(budget_s - 2 * batch_s, latencies_s[1]) if best > 1 else 0.0
    return BatchingParameters(
        max_batch_size=best,
        batch_timeout_micros=round(1e6 * wait_s),
        num_batch_threads=num_devices,
        max_enqueued_batches=max(int(queue_s * num_devices / batch_s + 1e-9), 1),
        allowed_batch_sizes=tuple(size for size in sorted(latencies_s) if size <= best),
    )


def _check_time(name: str, seconds: float) -> None:
    if not (math.isfinite(seconds) and seconds > 0):
        raise ConfigError(
            f"`{name}` must be a finite time > 0. Received: {seconds}. "
            "Give what was measured, or what a request may take."
        )


def parse_latencies(texts: Sequence[str]) -> dict[int, float]:
    """Seconds per batch by batch size, of texts such as `8=2.5` (milliseconds).

    Raises:
      ConfigError: a text is no size and time, or a size is there twice.
    """
    found: dict[int, float] = {}
    for text in texts:
        size, _, milliseconds = text.partition("=")
        try:
            latency = int(size), float(milliseconds) / 1e3
        except ValueError as error:
            raise ConfigError(
                "A latency must be SIZE=MILLISECONDS, the size a whole number. "
                f"Received: {text!r}. Write `8=2.5` for 2.5 ms per batch of 8."
            ) from error
        if latency[0] in found:
            raise ConfigError(
                f"Each batch size must be there once. Received: {latency[0]} twice, "
                f"again as {text!r}. Leave one of them out."
            )
        found[latency[0]] = latency[1]
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the file for measured latencies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget-ms", type=float, required=True)
    parser.add_argument("--queue-ms", type=float, default=1000.0)
    parser.add_argument("latency", nargs="+", help="SIZE=MILLISECONDS")
    given = parser.parse_args(arguments)
    try:
        found = batching_parameters(
            parse_latencies(given.latency),
            budget_s=given.budget_ms / 1e3,
            queue_s=given.queue_ms / 1e3,
        )
    except ConfigError as error:
        parser.exit(2, f"{error}\n")
    sys.stdout.write(found.to_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
