"""Size, latency and quality over sparsity, storage, neurons and neighbours.

    python -m benchmarks.bench_compress_sweep [--shop demo] [--home var] [--minutes 30]
        [--points 'half|2:4']

Each point is a compressed bundle as of the validation cut-off, asked for the pages of
the validation moments; the smallest within half a percent of NDCG@20 (all and new) of
the plain one is chosen. Times are processor milliseconds of one thread. The ranker is
fitted here, on the training cut-offs alone: a run's own has seen the validation
period. The test split plays no part (`make bench-compress` measures on it).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf
from matplotlib import pyplot
from tensorflow.core.protobuf import config_pb2

from benchmarks.bench_compress import BATCHES, newest, requests
from components.bundle.build_bundle import BundleParts, assemble_bundle
from components.bundle.build_compact import size_of
from components.compress.compress_models import compress_model
from components.evaluate_funnel.asked import ask_bundle
from components.evaluate_funnel.bundle_client import BundleClient
from components.evaluate_funnel.evaluate import make_views
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
from trainer.export.ranker_export import save_ranker
from trainer.ranker.dataset import read_candidates
from trainer.ranker.fit import fit_ranker

K, MAX_DROP = 20, 0.005
_SPLITS = ("train",)  # of the candidates: nothing of the validation period
_HALF_OF_WEIGHTS = {
    "sparsity": ("trunk_*=0.5", "bottom_*=0.5"),
    "quantization_aware": True,
}
# The plain bundle first; then what each setting alone and together gives.
_SHORT = {"num_neighbours": 480, "num_candidates": 96}
POINTS: dict[str, dict[str, Any]] = {
    "plain": {"quantize": False, "num_neighbours": 0},
    "8 bits": {"num_neighbours": 0},
    "600 neighbours": {"num_neighbours": 600},
    "480 neighbours": {"num_neighbours": 480},
    "480, 96 candidates": _SHORT,
    "480, 96, half of the weights": {**_SHORT, **_HALF_OF_WEIGHTS},
    "480, 96, half of the neurons": {**_SHORT, "kept_neurons": 0.5},
    "480, 96, half of both": {**_SHORT, **_HALF_OF_WEIGHTS, "kept_neurons": 0.5},
    "480, 96, 2:4": {**_SHORT, **_HALF_OF_WEIGHTS, "two_of_four": True},
    "360, 96 candidates": {**_SHORT, "num_neighbours": 360},
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """One point."""

    name: str
    model: Path
    megabytes: float
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
    parser.add_argument("--points", default="", help="pattern of those to measure")
    parser.add_argument("--picture", type=Path, help="default docs/, SVG")
    options = parser.parse_args()
    layout = HomeLayout(options.home, options.shop)
    config = _settings(layout)
    test_set = _validation_set(layout, config)
    print(f"{options.shop}, validation: {test_set.num_moments:,} people")
    with tempfile.TemporaryDirectory() as folder:
        points = {
            name: changes
            for name, changes in POINTS.items()
            if name == "plain" or re.search(options.points, name)
        }
        found = _all_points(
            points, layout, config, test_set, Path(folder), options.minutes
        )
        times = _cpu_ms([each.model for each in found], test_set)
    print(f"{'by turns, processor ms':34}" + "".join(f"{b:>9}" for b in BATCHES))
    for each, by_size in zip(found, times, strict=True):
        print(f"{each.name:34}" + "".join(f"{ms:9.2f}" for ms in by_size.values()))
    chosen = min((m for m in found if m.within(found[0])), key=lambda m: m.megabytes)
    print(f"smallest within {MAX_DROP:.1%}: {chosen.name}")
    picture = options.picture or Path("docs") / f"compression-{options.shop}.svg"
    _draw(found, [by_size[1] for by_size in times], chosen, picture)
    print(f"picture: {picture}")


def _all_points(
    points: dict[str, dict[str, Any]],
    layout: HomeLayout,
    config: SoukConfig,
    test_set: TestSet,
    folder: Path,
    minutes: float,
) -> list[Measured]:
    """Each point's model and quality; points that time does not reach are left out."""
    ends = time.monotonic() + 60 * minutes
    ranker = folder / "ranker"
    rows = read_candidates(_candidates(layout), splits=_SPLITS)
    save_ranker(fit_ranker(rows, config.ranker), ranker)
    print(f"{'':34}{'MB':>8}{'NDCG@20 all':>13}{'new':>9}")
    found: list[Measured] = []
    for name, changes in points.items():
        if time.monotonic() > ends:
            print(f"{name}: left out, {minutes:g} minutes are over")
            continue
        compress = CompressConfig(**changes)
        out = folder / str(len(found))
        each = _measure(name, compress, layout, config, test_set, ranker, out)
        found.append(each)
        values = "".join(f"{value:11.4f}" for value in each.ndcg.values())
        mark = "" if each.within(found[0]) else "   below the bound"
        print(f"{name:34}{each.megabytes:8.2f}{values}{mark}", flush=True)
    return found


def _measure(
    name: str,
    compress: CompressConfig,
    layout: HomeLayout,
    config: SoukConfig,
    test_set: TestSet,
    ranker: Path,
    out: Path,
) -> Measured:
    parts = _parts(layout, config, ranker)
    if compress.changes_rankers:
        compress_model(
            ranker, _candidates(layout), out / "ranker", compress, splits=_SPLITS
        )
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
    model = out / "plain"
    bundle.save(model)
    if compress.quantize:
        plan = bundle_plan(bundle.funnel, compress)
        CompactModel(tf.saved_model.load(str(model)), plan).save(out / "compact")
        model = out / "compact"
    ids = test_set.items.column(features.ITEM_ID).to_pylist()
    views = make_views(test_set)
    client = BundleClient(model, ids, config.evaluation.batch_size)
    pages = ask_bundle(client, test_set, views, K).pages
    values = {v.name: values_of(pages[v.name], v, (K,))[f"ndcg@{K}"] for v in views}
    return Measured(
        name=name,
        model=model,
        megabytes=size_of(model) / 1e6,
        ndcg={view: float(found.mean()) for view, found in values.items()},
    )


def _cpu_ms(models: list[Path], test_set: TestSet) -> list[dict[int, float]]:
    """Median processor time of `recommend` in one thread, by batch size; by turns."""
    one = config_pb2.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=1
    )
    loaded = [
        LoadedModel(name="sweep", version=1, path=path, session_config=one)
        for path in models
    ]
    ways = [each.signature(signatures.RECOMMEND) for each in loaded]
    found: list[dict[int, float]] = [{} for _ in models]
    for size, count in BATCHES.items():
        asked = requests(test_set, size, count)
        seconds: list[list[float]] = [[] for _ in models]
        for request in [asked[0], *asked]:
            for way, taken in zip(ways, seconds, strict=True):
                specs = way.inputs.items()
                feeds = [np.asarray(request[name], spec.dtype) for name, spec in specs]
                start = time.thread_time()
                way.run(feeds)
                taken.append(time.thread_time() - start)
        for by_size, taken in zip(found, seconds, strict=True):
            by_size[size] = 1e3 * float(np.median(taken[1:]))
    for each in loaded:
        each.close()
    return found


def _settings(layout: HomeLayout) -> SoukConfig:
    bundle = newest(layout.tfx / "Bundle" / "model") / "Format-Serving"
    facts = json.loads((bundle / "souk.json").read_text("utf-8"))
    shop = ShopConfig.from_dict(facts["shop"])
    return presets.for_shop(shop, SplitConfig.from_dict(facts["splits"]))


def _candidates(layout: HomeLayout) -> str:
    return str(newest(layout.tfx / "MineNegatives" / "candidates"))


def _parts(layout: HomeLayout, config: SoukConfig, ranker: Path) -> BundleParts:
    """The run's parts but for search, with the tables of the validation cut-off."""

    def at(component: str, key: str) -> Path:
        return newest(layout.tfx / component / key)

    tables = at("ItemNeighbours", "tables") / f"as_of={config.splits.eval_start}"
    return BundleParts(
        items=str(at("Clean", "items")),
        events=str(at("Clean", "events")),
        tables=tables,
        retriever=at("Retriever", "model") / "Format-Serving",
        ranker=ranker,
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


def _draw(
    found: list[Measured], cpu_ms: list[float], chosen: Measured, path: Path
) -> None:
    """Size against NDCG@20 of either view, in percent of the plain bundle's."""
    figure, axes = pyplot.subplots(1, 2, figsize=(13, 5), sharey=True)
    for place, view in zip(axes, found[0].ndcg, strict=True):
        for number, (each, ms) in enumerate(zip(found, cpu_ms, strict=True)):
            change = 100 * (each.ndcg[view] / found[0].ndcg[view] - 1)
            colour = "tab:red" if each is chosen else "tab:blue"
            place.scatter(each.megabytes, change, 40, colour)
            # Above and below by turns: points of one size stand close together.
            place.annotate(
                f"{each.name}, {ms:.1f} ms",
                (each.megabytes, change),
                xytext=(4, 8 if number % 2 else -14),
                textcoords="offset points",
                fontsize=7,
            )
        place.axhline(-100 * MAX_DROP, color="gray", linestyle="--")
        place.set(
            title=f"{view} items", xlabel="MB", xlim=(0, 1.4 * found[0].megabytes)
        )
    axes[0].set_ylabel("NDCG@20 on validation, % of the plain bundle's")
    figure.savefig(path, bbox_inches="tight")


if __name__ == "__main__":
    main()
