"""Size, latency and quality over sparsity, storage, neurons and neighbours.

    python -m benchmarks.bench_compress_sweep [--shop demo] [--home var] [--minutes 30]
        [--points 'half|2:4']

Each point is a compressed bundle as of the validation cut-off, asked for the pages of
the validation moments; the smallest within half a percent of NDCG@20 (all and new) of
the plain one, and within .02 of its AUC as TFMA's gate asks it, is chosen, and its
settings are left in HOME/SHOP/benchmarks for `--compress-settings`. The shop's own are
a point too; the command fails where they are not within the bounds.
Times are processor milliseconds of one thread. The ranker is fitted here, on the
training cut-offs alone: a run's own has seen the validation period. The test split
plays no part (`make bench-compress` measures on it).
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import re
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

from benchmarks.bench_compress import BATCHES, newest, requests
from benchmarks.compress_points import (
    MAX_DROP,
    PLAIN,
    PRESET,
    Measured,
    draw,
    points_around,
    smallest_within,
)
from components.bundle.build_bundle import BundleParts, assemble_bundle
from components.compress.compress_models import compress_model
from components.evaluate_funnel.asked import ask_bundle
from components.evaluate_funnel.bundle_client import BundleClient
from components.evaluate_funnel.evaluate import make_views
from components.evaluate_funnel.measure import values_of
from components.evaluate_funnel.test_set import TestSet, build_test_set
from components.rank_examples.sample import sample_candidates
from core import features, presets, signatures
from core.config import ShopConfig, SplitConfig
from core.config.compress import CompressConfig
from core.config.souk import SoukConfig
from core.disk import bytes_below
from core.layout import COMPRESS_SETTINGS, HomeLayout
from core.metrics import area_under_curve
from serving.model_server.saved_model import LoadedModel
from trainer.compression.bundle_plan import bundle_plan
from trainer.compression.compact_model import CompactModel
from trainer.compression.trim_tables import trim_tables
from trainer.data.examples import read_split
from trainer.export.ranker_export import save_ranker
from trainer.ranker.dataset import read_candidates
from trainer.ranker.fit import fit_ranker

K = 20
_SPLITS = ("train",)  # of the candidates: nothing of the validation period


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
            name: compress
            for name, compress in points_around(config.compress).items()
            if name in (PLAIN, PRESET) or re.search(options.points, name)
        }
        found = _all_points(
            points, layout, config, test_set, Path(folder), options.minutes
        )
        times = _cpu_ms([each.model for each in found], test_set)
    print(f"{'by turns, processor ms':34}" + "".join(f"{b:>9}" for b in BATCHES))
    for each, by_size in zip(found, times, strict=True):
        print(f"{each.name:34}" + "".join(f"{ms:9.2f}" for ms in by_size.values()))
    chosen = smallest_within(found)
    print(f"smallest within {MAX_DROP:.1%}: {chosen.name}")
    settings = layout.benchmarks / COMPRESS_SETTINGS
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(chosen.settings.to_json() + "\n", "utf-8")
    print(f"its settings: souk run {options.shop} --compress-settings {settings}")
    picture = options.picture or Path("docs") / f"compression-{options.shop}.svg"
    draw(found, [by_size[1] for by_size in times], chosen, picture)
    print(f"picture: {picture}")
    preset = next((each for each in found if each.name == PRESET), None)
    if preset and not preset.within(found[0]):
        raise SystemExit(f"The settings of {options.shop} lose more than accepted.")


def _all_points(
    points: dict[str, CompressConfig],
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
    print(f"{'':34}{'MB':>8}{'NDCG@20 all':>13}{'new':>9}{'AUC':>11}")
    found: list[Measured] = []
    for name, compress in points.items():
        if time.monotonic() > ends:
            print(f"{name}: left out, {minutes:g} minutes are over")
            continue
        out = folder / str(len(found))
        each = _measure(name, compress, layout, config, test_set, ranker, out)
        found.append(each)
        values = "".join(f"{v:11.4f}" for v in (*each.ndcg.values(), each.auc))
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
        # One fine-tuning for all points that differ in storage alone.
        tables = {"quantize": True, "num_neighbours": 0, "num_candidates": 0}
        settings = compress.replace(**tables).to_json()
        smaller = out.parent / hashlib.sha256(settings.encode()).hexdigest()
        if not smaller.is_dir():
            compress_model(
                ranker, _candidates(layout), smaller, compress, splits=_SPLITS
            )
        parts = dataclasses.replace(parts, ranker=smaller)
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
        settings=compress,
        model=model,
        megabytes=bytes_below(model) / 1e6,
        ndcg={view: float(found.mean()) for view, found in values.items()},
        auc=_auc(client, test_set, config),
    )


def _auc(client: BundleClient, test_set: TestSet, config: SoukConfig) -> float:
    """Of the target event's probability, over candidates drawn as for TFMA."""
    evaluation = config.evaluation
    numbers, rows, labels = sample_candidates(
        test_set,
        negatives=evaluation.rank_negatives,
        max_rows=evaluation.max_rank_examples,
        seed=evaluation.seed,
    )
    asked, first, sizes = np.unique(numbers, return_index=True, return_counts=True)
    place = np.arange(len(numbers)) - np.repeat(first, sizes)
    owner = np.repeat(np.arange(len(asked)), sizes)
    candidates = np.full((len(asked), int(sizes.max())), -1, np.int64)
    candidates[owner, place] = rows
    probability = signatures.probability(config.shop.target_event)
    found = client.rank(test_set.moments.take(pa.array(asked)), candidates, probability)
    return area_under_curve(labels, found[owner, place])


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


if __name__ == "__main__":
    main()
