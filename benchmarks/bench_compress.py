"""Size, types, quality and speed of a run's bundle, compressed and as it was trained.

    python -m benchmarks.bench_compress [--shop demo] [--home var] [--speed-only]

Both bundles come from one run, the newest `make run ARGS=--compress`. Types and zeros
are read back from the files. Pages of the test split are asked through both bundles'
`recommend`. Speed is in this process, batch 1 and 32, the four ways by turns on the
same requests, from one caller and from one for each core; the plain float bundle
through `tf.saved_model.load(...).signatures` is what ratios refer to.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

from components.evaluate_funnel.asked import ask_bundle
from components.evaluate_funnel.bundle_client import (
    BundleClient,
    Inputs,
    no_filters,
    person_inputs,
)
from components.evaluate_funnel.evaluate import make_views
from components.evaluate_funnel.measure import values_of
from components.evaluate_funnel.read import read_test_set
from components.evaluate_funnel.test_set import TestSet
from core import features, presets, signatures
from core.config import ShopConfig, SplitConfig
from core.config.evaluation import EvaluationConfig
from core.errors import ArtifactError
from core.layout import COMPRESSION_PATH, HomeLayout
from serving.model_server.saved_model import LoadedModel
from trainer.compression.read_back import read_back

BEFORE, AFTER = "uncompressed", "model"
BATCHES = {1: 300, 32: 26}  # batch size -> requests of each round
ROUNDS = 6
K = 20
Way = Callable[[Inputs], Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shop", default="demo")
    parser.add_argument("--home", type=Path, default=Path("var"))
    parser.add_argument("--speed-only", action="store_true")
    options = parser.parse_args()
    layout = HomeLayout(options.home, options.shop)
    # A later run without compression writes a `model` alone: take both of one run.
    run = newest(layout.tfx / "Bundle" / BEFORE).name
    bundles = {
        name: layout.tfx / "Bundle" / name / run / "Format-Serving"
        for name in (BEFORE, AFTER)
    }
    print(f"{options.shop}: {os.cpu_count()} cores")
    facts = json.loads((bundles[AFTER] / "souk.json").read_text("utf-8"))
    shop = ShopConfig.from_dict(facts["shop"])
    splits = SplitConfig.from_dict(facts["splits"])
    config = presets.for_shop(shop, splits).evaluation
    test_set = read_test_set(
        str(newest(layout.tfx / "JoinHistory" / "moments")),
        str(newest(layout.tfx / "Clean" / "items")),
        str(newest(layout.tfx / "Clean" / "events")),
        shop,
        config,
    )
    if not options.speed_only:
        print_sizes(bundles)
        print_quality(bundles, test_set, config)
    print_speed(bundles, test_set)


def print_sizes(bundles: dict[str, Path]) -> None:
    """Bytes and types of both files, and the zeros of what was pruned."""
    found = {name: read_back(path) for name, path in bundles.items()}
    before, after = found[BEFORE], found[AFTER]
    print(f"\n{'':24}{'uncompressed':>14}{'compressed':>14}{'share':>9}")
    for label, key in (
        ("whole folder, MB", "bytes"),
        ("arrays, MB", "variable_bytes"),
        ("graph, MB", "graph_bytes"),
    ):
        was, now = before[key] / 1e6, after[key] / 1e6
        print(f"{label:24}{was:14.2f}{now:14.2f}{now / was:9.1%}")
    for dtype in sorted({*before["by_dtype"], *after["by_dtype"]}):
        sizes = [
            f["by_dtype"].get(dtype, {}).get("bytes", 0) / 1e6 for f in (before, after)
        ]
        print(f"  {dtype:22}{sizes[0]:14.2f}{sizes[1]:14.2f}")
    print("\nlargest arrays of the compressed file, and the pruned ones")
    pruned = [a for a in after["arrays"] if _is_pruned(a["name"])]
    for entry in [*after["arrays"][:8], *pruned]:
        shape = " x ".join(map(str, entry["shape"]))
        name = entry["name"].removeprefix("_stored/")
        print(
            f"  {name:44}{entry['dtype']:>9}{shape:>14}{entry['zero_share']:8.1%} zeros"
        )
    rankers = json.loads((bundles[AFTER] / COMPRESSION_PATH).read_text())["rankers"]
    for name, each in rankers.items():
        if each:
            print_ranker(name, each)


def print_ranker(name: str, facts: dict[str, Any]) -> None:
    """What Compress says of a ranker, measured on moments that it has seen."""
    before, after = facts["before"], facts["after"]
    print(f"  {name}: {before['parameters']:,} parameters to {after['parameters']:,}")
    for event, was in (before["events"] or {}).items():
        now = after["events"][event]
        print(
            f"    {event:10} AUC {was['auc']:.4f} to {now['auc']:.4f}, calibration "
            f"error {was['calibration_error']:.4f} to {now['calibration_error']:.4f}"
        )
    for reason in facts.get("refused", ()):
        print(f"    kept as trained: {reason}")


def print_quality(
    bundles: dict[str, Path], test_set: TestSet, config: EvaluationConfig
) -> None:
    """NDCG@20 of the test split through both bundles."""
    views = make_views(test_set)
    ids = test_set.items.column(features.ITEM_ID).to_pylist()
    found: dict[str, list[float]] = {view.name: [] for view in views}
    for path in bundles.values():
        client = BundleClient(path, ids, config.batch_size)
        pages = ask_bundle(client, test_set, views, K).pages
        for view in views:
            values = values_of(pages[view.name], view, (K,))[f"ndcg@{K}"]
            found[view.name].append(float(values.mean()))
    print(f"\n{'NDCG@20, test split':24}{'uncompressed':>14}{'compressed':>14}")
    for name, (was, now) in found.items():
        print(f"{name:24}{was:14.4f}{now:14.4f}{now / was - 1:+9.2%}")


def print_speed(bundles: dict[str, Path], test_set: TestSet) -> None:
    """Times of `recommend` at batch 1, and moments a second at batch 32.

    The plain call and the Session's, which runs as `souk serve` runs it: one thread for
    each caller. A plain call spreads over all cores by itself.
    """
    loaded = {n: tf.saved_model.load(str(path)) for n, path in bundles.items()}
    as_served = config_pb2.ConfigProto(intra_op_parallelism_threads=1)
    sessions = {
        n: LoadedModel(name=n, version=1, path=path, session_config=as_served)
        for n, path in bundles.items()
    }
    ways: dict[str, Way] = {}
    for name, label in ((BEFORE, "uncompressed"), (AFTER, "compressed")):
        ways[f"{label}, signatures[...]"] = _through_signature(loaded[name])
        ways[f"{label}, Session callable"] = _through_session(sessions[name])
    for request in (r for size in BATCHES for r in requests(test_set, size, 5)):
        for way in ways.values():
            way(request)
    alone = _seconds(ways, requests(test_set, 1, BATCHES[1]))
    asked = requests(test_set, 32, BATCHES[32])
    cores = os.cpu_count() or 1
    rates = {callers: _rates(ways, asked, callers) for callers in (1, cores)}
    print(
        f"\n{'recommend, in process':34}{'p50 ms':>9}{'p99 ms':>9}"
        + "".join(f"{f'moments/s, {n} at once':>25}" for n in rates)
    )
    first = next(iter(ways))
    for name in ways:
        p50, p99 = np.percentile(alone[name], [50, 99]) * 1e3
        cells = [f"{r[name]:18.0f}{r[name] / r[first]:6.2f}x" for r in rates.values()]
        print(f"{name:34}{p50:9.2f}{p99:9.2f}" + "".join(cells))
    best = rates[cores][list(ways)[-1]] / rates[1][first]
    print(f"the last way, {cores} at once, against the first, 1 at once: {best:.2f}x")
    for session in sessions.values():
        session.close()


def _seconds(ways: dict[str, Way], asked: list[Inputs]) -> dict[str, list[float]]:
    """Of each request, the ways by turns."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            found[name] += [_timed(way, request) for request in asked]
    return found


def _rates(ways: dict[str, Way], asked: list[Inputs], callers: int) -> dict[str, float]:
    """Moments a second with so many callers at once: the median of the rounds."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    with futures.ThreadPoolExecutor(callers) as pool:
        for _ in range(ROUNDS):
            for name, way in ways.items():
                start = time.perf_counter()
                list(pool.map(way, asked))
                seconds = time.perf_counter() - start
                found[name].append(32 * len(asked) / seconds)
    return {name: float(np.median(rates)) for name, rates in found.items()}


def _through_signature(loaded: Any) -> Way:
    signature = loaded.signatures[signatures.RECOMMEND]
    specs = signature.structured_input_signature[1]

    def call(inputs: Inputs) -> Any:
        tensors = {n: tf.constant(inputs[n], specs[n].dtype) for n in specs}
        return {name: value.numpy() for name, value in signature(**tensors).items()}

    return call


def _through_session(model: LoadedModel) -> Way:
    signature = model.signature(signatures.RECOMMEND)
    return lambda inputs: signature.run(
        [
            np.asarray(inputs[name], spec.dtype)
            for name, spec in signature.inputs.items()
        ]
    )


def requests(test_set: TestSet, size: int, count: int) -> list[Inputs]:
    """Requests of people of the test split, drawn at random."""
    random = np.random.default_rng(11)
    made = []
    for _ in range(count):
        chosen = random.integers(0, test_set.num_moments, size)
        made.append(
            {**person_inputs(test_set.moments.take(chosen)), **no_filters(size, K)}
        )
    return made


def _timed(call: Way, request: Inputs) -> float:
    start = time.perf_counter()
    call(request)
    return time.perf_counter() - start


def _is_pruned(name: str) -> bool:
    hidden = any(part in name for part in ("trunk_", "bottom_", "expert_"))
    # The second of two rankers' kernels of one name is `..._kernel_2_codes`.
    return hidden and "_kernel_" in name and name.endswith("_codes")


def newest(folder: Path) -> Path:
    """The artifact of the newest execution."""
    found = [path for path in folder.glob("*") if path.name.isdigit()]
    if not found:
        raise ArtifactError(
            f"{folder} must hold an artifact of a run. Received none. Run "
            "`make run ARGS=--compress` first."
        )
    return max(found, key=lambda path: int(path.name))


if __name__ == "__main__":
    main()
