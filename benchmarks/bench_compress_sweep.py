"""Size, latency and quality over sparsity, storage, neurons and neighbours.

    python -m benchmarks.bench_compress_sweep [--shop demo] [--home var] [--minutes 30]

Each point is a compressed bundle as of the validation cut-off, asked for the pages of
the validation moments; the smallest within half a percent of NDCG@20 (all and new) of
the plain one is chosen. Times are processor milliseconds of one thread. The rankers are
a run's final ones, which were fitted on the validation period too, so only differences
between points are to be read; the test split plays no part here (`make bench-compress`
measures on it).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf
from matplotlib import pyplot
from tensorflow.core.protobuf import config_pb2

from benchmarks.bench_compress import BATCHES, newest
from components.bundle.build_bundle import BundleParts, assemble_bundle
from components.bundle.build_compact import size_of
from components.compress.compress_models import compress_model
from components.evaluate_funnel.bundle_client import (
    BundleClient,
    no_filters,
    person_inputs,
)
from components.evaluate_funnel.evaluate import ask_bundle, make_views
from components.evaluate_funnel.measure import values_of
from components.evaluate_funnel.test_set import TestSet, build_test_set
from core import features, presets, signatures
from core.config import ShopConfig, SplitConfig
from core.config.compress import CompressConfig
from core.config.souk import SoukConfig
from core.layout import HomeLayout
from serving.model_server.saved_model import LoadedModel
from trainer.compression.bundle_plan import bundle_plan
from trainer.compression.compact_model import CompactModel
from trainer.compression.trim_tables import trim_tables
from trainer.data.examples import read_split

K, MAX_DROP = 20, 0.005
_HALF_OF_WEIGHTS = {
    "sparsity": ("trunk_*=0.5", "bottom_*=0.5"),
    "quantization_aware": True,
}
# The plain bundle first; then what each setting alone and together gives.
POINTS: dict[str, dict[str, Any]] = {
    "plain": {"quantize": False, "num_neighbours": 0},
    "8 bits": {"num_neighbours": 0},
    "480 neighbours": {"num_neighbours": 480},
    "360 neighbours": {"num_neighbours": 360},
    "240 neighbours": {"num_neighbours": 240},
    "360, 96 candidates": {"num_neighbours": 360, "num_candidates": 96},
    "360, half of the weights": {"num_neighbours": 360, **_HALF_OF_WEIGHTS},
    "360, 2:4": {"num_neighbours": 360, **_HALF_OF_WEIGHTS, "two_of_four": True},
    "360, half of the neurons": {"num_neighbours": 360, "kept_neurons": 0.5},
    "360, 96, 1/2 neurons, 1/2 weights": {
        "num_neighbours": 360,
        "num_candidates": 96,
        "kept_neurons": 0.5,
        **_HALF_OF_WEIGHTS,
    },
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """One point."""

    name: str
    megabytes: float
    cpu_ms: dict[int, float]  # of `recommend`, by batch size
    ndcg: dict[str, float]  # by view

    def within(self, plain: Measured) -> bool:
        return all(
            value >= (1 - MAX_DROP) * plain.ndcg[view]
            for view, value in self.ndcg.items()
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shop", default="demo")
    parser.add_argument("--home", type=Path, default=Path("var"))
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--picture", type=Path, help="default docs/, SVG")
    options = parser.parse_args()
    layout = HomeLayout(options.home, options.shop)
    config = _settings(layout)
    test_set = _validation_set(layout, config)
    print(f"{options.shop}, validation: {test_set.num_moments:,} people")
    ends = time.monotonic() + 60 * options.minutes
    print(f"{'':34}{'MB':>8}{'ms at 1':>9}{'at 32':>8}{'NDCG@20 all':>13}{'new':>9}")
    found: list[Measured] = []
    for name, changes in POINTS.items():
        if time.monotonic() > ends:
            print(f"{name}: left out, {options.minutes:g} minutes are over")
            continue
        each = _measure(name, CompressConfig(**changes), layout, config, test_set)
        found.append(each)
        values = "".join(f"{value:11.4f}" for value in each.ndcg.values())
        mark = "" if each.within(found[0]) else "   below the bound"
        print(
            f"{name:34}{each.megabytes:8.2f}{each.cpu_ms[1]:9.2f}{each.cpu_ms[32]:8.1f}"
            f"{values}{mark}",
            flush=True,
        )
    chosen = min((m for m in found if m.within(found[0])), key=lambda m: m.megabytes)
    print(f"smallest within {MAX_DROP:.1%}: {chosen.name}")
    picture = options.picture or Path("docs") / f"compression-{options.shop}.svg"
    _draw(found, chosen, picture)
    print(f"picture: {picture}")


def _measure(
    name: str,
    compress: CompressConfig,
    layout: HomeLayout,
    config: SoukConfig,
    test_set: TestSet,
) -> Measured:
    parts = _parts(layout, config)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        if compress.changes_rankers:
            candidates = str(newest(layout.tfx / "MineNegatives" / "candidates"))
            compress_model(parts.ranker, candidates, out / "ranker", compress)
            parts = dataclasses.replace(parts, ranker=out / "ranker")
        bundle = assemble_bundle(
            parts,
            read_split(parts.items, "train"),
            shop=config.shop,
            splits=config.splits,
            funnel_config=compress.funnel(config.funnel),
            config=config.bundle,
            search_config=config.search,
            trim=lambda t: trim_tables(t, compress.num_neighbours, compress.block),
        )
        bundle.save(out / "plain")
        model = out / "plain"
        if compress.quantize:
            plan = bundle_plan(bundle.funnel, compress)
            CompactModel(tf.saved_model.load(str(model)), plan).save(out / "compact")
            model = out / "compact"
        ids = test_set.items.column(features.ITEM_ID).to_pylist()
        views = make_views(test_set)
        client = BundleClient(model, ids, config.evaluation.batch_size)
        pages = ask_bundle(client, test_set, views, K).pages
        ndcg = {
            view.name: float(
                values_of(pages[view.name], view, (K,))[f"ndcg@{K}"].mean()
            )
            for view in views
        }
        return Measured(
            name=name,
            megabytes=size_of(model) / 1e6,
            cpu_ms=_cpu_ms(model, test_set),
            ndcg=ndcg,
        )


def _cpu_ms(model: Path, test_set: TestSet) -> dict[int, float]:
    """Median processor time of `recommend` in one thread, by batch size."""
    one = config_pb2.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=1
    )
    loaded = LoadedModel(name="sweep", version=1, path=model, session_config=one)
    signature = loaded.signature(signatures.RECOMMEND)
    random = np.random.default_rng(3)
    found = {}
    for size, count in BATCHES.items():
        seconds = []
        for _ in range(count):
            chosen = random.integers(0, test_set.num_moments, size)
            inputs = {
                **person_inputs(test_set.moments.take(pa.array(chosen))),
                **no_filters(size, K),
            }
            specs = signature.inputs.items()
            feeds = [np.asarray(inputs[name], spec.dtype) for name, spec in specs]
            start = time.thread_time()
            signature.run(feeds)
            seconds.append(time.thread_time() - start)
        found[size] = 1e3 * float(np.median(seconds[count // 10 :]))
    loaded.close()
    return found


def _settings(layout: HomeLayout) -> SoukConfig:
    bundle = newest(layout.tfx / "Bundle" / "model") / "Format-Serving"
    facts = json.loads((bundle / "souk.json").read_text("utf-8"))
    shop = ShopConfig.from_dict(facts["shop"])
    return presets.for_shop(shop, SplitConfig.from_dict(facts["splits"]))


def _parts(layout: HomeLayout, config: SoukConfig) -> BundleParts:
    """The run's parts but for search, with the tables of the validation cut-off."""

    def at(component: str, key: str) -> Path:
        return newest(layout.tfx / component / key)

    tables = at("ItemNeighbours", "tables") / f"as_of={config.splits.eval_start}"
    return BundleParts(
        items=str(at("Clean", "items")),
        events=str(at("Clean", "events")),
        tables=tables,
        retriever=at("Retriever", "model") / "Format-Serving",
        ranker=at("Ranker", "model") / "Format-Serving",
        candidates=at("MineNegatives", "candidates"),
    )


def _validation_set(layout: HomeLayout, config: SoukConfig) -> TestSet:
    items = read_split(str(newest(layout.tfx / "Clean" / "items")), "train")
    kept = [n for n in items.column_names if n != features.DESCRIPTION]
    events_uri = str(newest(layout.tfx / "Clean" / "events"))
    columns = [features.USER_ID, features.ITEM_ID, features.EVENT, features.TIMESTAMP]
    events = [read_split(events_uri, split, columns) for split in ("train", "eval")]
    moments = newest(layout.tfx / "JoinHistory" / "moments")
    return build_test_set(
        read_split(str(moments), "eval"),
        items.select(kept),
        pa.concat_tables(events),
        config.shop,
        max_moments=config.evaluation.max_moments,
    )


def _draw(found: list[Measured], chosen: Measured, path: Path) -> None:
    """Size against NDCG@20 of all items; dots grow with latency."""
    figure, axes = pyplot.subplots(figsize=(8, 5))
    slowest = max(each.cpu_ms[1] for each in found)
    for each in found:
        colour = "tab:red" if each is chosen else "tab:blue"
        size = 40 + 160 * each.cpu_ms[1] / slowest
        axes.scatter(each.megabytes, each.ndcg["all"], size, colour, alpha=0.6)
        label = f"{each.name}, {each.cpu_ms[1]:.1f} ms"
        axes.annotate(label, (each.megabytes, each.ndcg["all"]), fontsize=8)
    axes.axhline((1 - MAX_DROP) * found[0].ndcg["all"], color="gray", linestyle="--")
    axes.set(xlabel="MB", ylabel="NDCG@20, all items, validation", xlim=(0, None))
    figure.savefig(path, bbox_inches="tight")


if __name__ == "__main__":
    main()
