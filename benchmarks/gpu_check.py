"""A bundle's hot path on a GPU beside the CPU: the same scores, time per batch.

    python -m benchmarks.gpu_check [--shop demo | --model FOLDER] [--signature similar]

The words of the recorded requests are looked up on the host; the rest, cut out of the
SavedModel, runs on the CPU and, where TensorFlow sees one, on the GPU; with `--xla`
also compiled by XLA. Without a GPU it says so, times the CPU and ends with 0; it ends
with 1 where scores differ.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from core.errors import ConfigError
from pipeline.inspect import model_dir
from serving.batching_parameters import batching_parameters
from serving.inspect.hot_function import HotFunction, hot_function
from serving.inspect.inspection import recorded_requests

ROUNDS = 20
# Sums run in another order on a GPU.
TOLERANCE = 1e-3

Run = Callable[..., Any]


def timed(run: Run, inputs: list[tf.Tensor], rounds: int) -> tuple[list, float]:
    """Outputs as arrays, and the median seconds of a call that waits for them."""

    def call() -> list[np.ndarray]:
        return [output.numpy() for output in run(*inputs)]

    outputs = call()  # compiles and allocates
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return outputs, float(np.median(times))


def largest_difference(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    """Of the float outputs; integers name items, and near ties may change places."""
    return max(
        float(np.abs(a - b).max(initial=0.0))
        for a, b in zip(one, other, strict=True)
        if a.dtype.kind == "f"
    )


def forms(
    hot: HotFunction, devices: list[str], *, xla: bool
) -> dict[str, tuple[str, Run]]:
    """What is timed: a name, the device, the function."""
    found: dict[str, tuple[str, Run]] = {}
    for device in devices:
        found[f"{device} op by op"] = (device, hot.function)
        if xla:
            found[f"{device} XLA"] = (device, hot.compiled())
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", default="demo")
    parser.add_argument("--home", type=Path, default=Path("var"))
    parser.add_argument("--model", help="a SavedModel's folder, in place of a shop")
    parser.add_argument("--signature", default="recommend")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--budget-ms", type=float, default=50.0)
    parser.add_argument("--xla", action="store_true", help="the compiled form too")
    given = parser.parse_args()
    folder = model_dir(given.model or given.shop, given.home)
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    devices = ["CPU:0", *(["GPU:0"] if gpus else [])]
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        print(f"GPU: {details.get('device_name', gpus[0].name)}")
    else:
        print("No GPU is visible to TensorFlow here: only the CPU is measured.")
    hot = hot_function(folder, given.signature)
    requests = [r for name, r in recorded_requests(folder) if name == given.signature]
    try:
        ways = forms(hot, devices, xla=given.xla)
    except ConfigError as error:
        parser.exit(2, f"{error}\n")
    latencies: dict[str, dict[int, float]] = {}
    worst = 0.0
    for request in requests:
        size = max(len(value) for value in request.values() if value.ndim)
        inputs = hot.look_up(request)
        reference: list[np.ndarray] = []
        for name, (device, run) in ways.items():
            with tf.device(f"/{device}"):
                outputs, seconds = timed(
                    run, [tf.constant(v) for v in inputs], given.rounds
                )
            reference = reference or outputs
            difference = largest_difference(reference, outputs)
            worst = max(worst, difference)
            latencies.setdefault(name, {})[size] = seconds
            print(
                f"batch {size:<3} {name:14} {1e3 * seconds:8.2f} ms, scores differ by "
                f"{difference:.1e} at most"
            )
    print_batching(latencies, given.budget_ms / 1e3)
    if worst > TOLERANCE:
        print(f"FAILED: scores differ by {worst:.1e}, more than {TOLERANCE:.0e}.")
        return 1
    return 0


def print_batching(latencies: dict[str, dict[int, float]], budget_s: float) -> None:
    """TensorFlow Serving's settings for the fastest device's op-by-op times."""
    name = next(n for n in reversed(latencies) if n.endswith("op by op"))
    if 1 not in latencies[name] or 2 * latencies[name][1] > budget_s:
        return
    found = batching_parameters(latencies[name], budget_s=budget_s)
    print(f"\nbatching for {name}, {1e3 * budget_s:.0f} ms a request:")
    print(found.to_text(), end="")


if __name__ == "__main__":
    sys.exit(main())
