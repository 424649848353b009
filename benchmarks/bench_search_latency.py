"""`search` beside `recommend`, of one bundle and for the same people, in process.

    python -m benchmarks.bench_search_latency [--shop demo] [--home var] [--rounds 40]

Each call is one batch through the Session callable that the model server uses, on one
thread, the two signatures taking turns. People and their histories are those of the
test moments, queries those of the log, or titles where nobody searched. What counts is
the ratio; milliseconds are the processor's, as other work may run beside.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from benchmarks.search_trials import Run
from components.evaluate_funnel.bundle_client import no_filters, person_inputs
from components.pusher.push import newest_version
from core import features, signatures
from core.layout import HomeLayout
from serving.model_server.saved_model import LoadedModel, Signature
from trainer.data.examples import read_split

BATCHES = (1, 32)
NUM_PEOPLE = 256
PAGE = 10
Feeds = list[np.ndarray]


def people(run: Run) -> pa.Table:
    """Test moments of people with a history, in random order."""
    moments = read_split(str(run.newest("JoinHistory", "moments")), "test")
    lengths = pc.list_value_length(moments.column(features.HISTORY_ITEM_IDS))
    moments = moments.filter(pc.greater(lengths, 0))
    order = np.random.default_rng(3).permutation(moments.num_rows)[:NUM_PEOPLE]
    return moments.take(pa.array(order))


def queries(run: Run, count: int) -> np.ndarray:
    """Texts that people typed, as often as they did, or titles."""
    pages = read_split(str(run.newest("JoinHistory", "searches")), "eval")
    texts = pages.column(features.QUERY).to_pylist()
    if not texts:
        items = read_split(str(run.newest("Clean", "items")), "train")
        texts = items.column(features.TITLE).to_pylist()
    return np.random.default_rng(4).choice(np.array(texts, object), count)


def feeds_of(signature: Signature, moments: pa.Table, texts: np.ndarray) -> Feeds:
    """The inputs of one batch in the signature's order."""
    given = {
        **person_inputs(moments),
        **no_filters(moments.num_rows, PAGE),
        features.QUERY: texts,
    }
    empty = np.full(moments.num_rows, "", object)
    values = {}
    for name, spec in signature.inputs.items():
        value = np.asarray(given.get(name, empty))
        if value.dtype.kind == "O":
            value = np.vectorize(str.encode, otypes=[object])(value)
        values[name] = value.astype(spec.dtype)
    return signature.order(values)


def measure(model: LoadedModel, run: Run, size: int, rounds: int) -> dict[str, float]:
    """Median processor ms per call of each signature, taking turns."""
    moments = people(run)
    texts = queries(run, moments.num_rows)
    names = (signatures.RECOMMEND, signatures.SEARCH)
    batches = {
        name: [
            feeds_of(model.signature(name), moments.slice(i, size), texts[i : i + size])
            for i in range(0, moments.num_rows - size + 1, size)
        ]
        for name in names
    }
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names:
            feeds = batches[name][turn % len(batches[name])]
            start = time.process_time_ns()
            model.signature(name).run(feeds)
            if turn >= min(5, rounds // 2):  # warm by then
                times[name].append((time.process_time_ns() - start) / 1e6)
    return {name: float(np.median(each)) for name, each in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shop", default="demo")
    parser.add_argument("--home", type=Path, default=Path("var"))
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    run = Run(layout=HomeLayout(options.home, options.shop))
    version = newest_version(run.layout.serving)
    if version is None:
        raise SystemExit("no pushed bundle: run `souk run` for this shop first")
    one_thread = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1)
    model = LoadedModel(name="souk", version=1, path=version, session_config=one_thread)
    print(f"{options.shop}, cores {os.cpu_count()}, load {os.getloadavg()[0]:.1f}")
    print(f"{'median ms':12}{'recommend':>12}{'search':>12}{'ratio':>8}")
    for size in BATCHES:
        ms = measure(model, run, size, options.rounds)
        recommend, search = ms[signatures.RECOMMEND], ms[signatures.SEARCH]
        ratio = search / recommend
        print(f"batch {size:<6}{recommend:12.2f}{search:12.2f}{ratio:8.2f}", flush=True)


if __name__ == "__main__":
    main()
