"""Nearest vectors by catalogue size: memory, latency and recall, in the graph and out.

    python -m benchmarks.bench_retrieval [--sizes 4000 50000 250000 1000000] [--out DIR]

Synthetic clustered unit vectors, 64 numbers, best 100, queries held out. Ours are saved
and loaded again and called as the model server calls them. Libraries take part where
they are installed (faiss-cpu, hnswlib, scann: not in the locks). One thread each; what
counts is processor time, the clock's time on an idle machine.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from core.disk import bytes_below
from serving.model_server.saved_model import LoadedModel
from trainer.retrieval_scale.exact_index import ExactIndex
from trainer.retrieval_scale.partitioned_index import (
    PartitionedIndex,
    build_cells,
    choose_probes,
    exact_rows,
    recall_of,
)

DIM, K = 64, 100
QUERIES, TUNING = 64, 256
SIZES = (4000, 50_000, 250_000, 1_000_000)

Search = Callable[[np.ndarray], np.ndarray]  # queries [B, d] -> rows [B, K]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One system at one size."""

    system: str
    items: int
    mib: float  # of what is stored
    build_s: float
    ms_1: float
    ms_32: float
    recall: float


def made_vectors(count: int, seed: int, spread: float = 0.7) -> np.ndarray:
    """Unit vectors around 2,000 centres of uneven weight."""
    centres = np.random.default_rng(0).normal(size=(2000, DIM)).astype(np.float32)
    weights = 1.0 / np.arange(1, 2001) ** 0.7
    rng = np.random.default_rng(seed)
    picks = rng.choice(2000, size=count, p=weights / weights.sum())
    noise = rng.normal(size=(count, DIM)).astype(np.float32)
    vectors = centres[picks] + spread * noise
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def in_graph(index: Any, folder: Path) -> tuple[Search, float]:
    """A saved index, and the MiB of its folder."""
    module = tf.Module()
    module.index = index
    spec = tf.TensorSpec([None, DIM], tf.float32, name="queries")

    def best(queries: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"rows": index.best(queries, K)[1]}

    function = tf.function(best, input_signature=[spec])
    tf.saved_model.save(module, str(folder), signatures={"best": function})
    one = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=1
    )
    model = LoadedModel(name="index", version=1, path=folder, session_config=one)
    size = bytes_below(folder) / 2**20
    return lambda queries: model.signature("best").run([queries])[0], size


def ours(vectors: np.ndarray, tuning: np.ndarray) -> dict[str, Callable[[], Any]]:
    def partitioned() -> Any:
        table = build_cells(vectors)
        probes, reached = choose_probes(table, vectors, tuning, k=K)
        print(f"    {probes} of {len(table.rows):,} cells, {reached:.3f} while tuning")
        return PartitionedIndex(table, vectors, num_probes=probes)

    return {
        "souk exact int8": lambda: ExactIndex(vectors),
        "souk partitioned": partitioned,
    }


def peers(vectors: np.ndarray) -> dict[str, Callable[[], tuple[Search, float]]]:
    """Those that are installed, at settings of their documentation."""
    found: dict[str, Callable[[], tuple[Search, float]]] = {}
    n = len(vectors)
    if importlib.util.find_spec("faiss"):
        import faiss

        faiss.omp_set_num_threads(1)

        def flat() -> tuple[Search, float]:
            index = faiss.IndexFlatIP(DIM)
            index.add(vectors)
            return lambda q: index.search(q, K)[1], vectors.nbytes / 2**20

        def ivf() -> tuple[Search, float]:
            lists = int(4 * np.sqrt(n))
            index = faiss.IndexIVFFlat(
                faiss.IndexFlatIP(DIM), DIM, lists, faiss.METRIC_INNER_PRODUCT
            )
            index.train(vectors[: 64 * lists])
            index.add(vectors)
            index.nprobe = 16
            return lambda q: index.search(q, K)[1], vectors.nbytes / 2**20

        found |= {"faiss flat": flat, "faiss IVF nprobe 16": ivf}
    if importlib.util.find_spec("hnswlib"):
        import hnswlib

        def hnsw() -> tuple[Search, float]:
            index = hnswlib.Index(space="ip", dim=DIM)
            index.init_index(max_elements=n, M=16, ef_construction=100)
            index.set_num_threads(1)
            index.add_items(vectors)
            index.set_ef(200)
            size = n * (4 * DIM + 4 * 2 * 16 + 8) / 2**20
            return lambda q: index.knn_query(q, K)[0], size

        found["hnswlib M 16 ef 200"] = hnsw
    if importlib.util.find_spec("scann"):
        import scann

        def tree() -> tuple[Search, float]:
            index = (
                scann.scann_ops_pybind.builder(vectors, K, "dot_product")
                .tree(int(np.sqrt(n)), max(int(np.sqrt(n) / 20), 8))
                .score_ah(2, anisotropic_quantization_threshold=0.2)
                .reorder(400)
                .build()
            )
            return lambda q: index.search_batched(q)[0], (
                vectors.nbytes + n * DIM / 4
            ) / 2**20

        found["scann tree-AH"] = tree
    return found


def measured(
    name: str,
    search: Search,
    mib: float,
    build_s: float,
    queries: np.ndarray,
    exact: Any,
) -> Row:
    """Medians over the queries; recall of the best K."""
    rows = np.concatenate([search(queries[i : i + 32]) for i in (0, 32)])
    single = [_seconds(search, queries[i : i + 1]) for i in range(len(queries))]
    many = [_seconds(search, queries[i : i + 32]) for i in (0, 32) for _ in range(3)]
    items = 0
    return Row(
        system=name,
        items=items,
        mib=round(mib, 1),
        build_s=round(build_s, 1),
        ms_1=round(1e3 * float(np.median(single)), 3),
        ms_32=round(1e3 * float(np.median(many)), 2),
        recall=round(recall_of(np.asarray(rows), exact), 4),
    )


def _seconds(search: Search, queries: np.ndarray) -> float:
    start = time.process_time()
    search(queries)
    return time.process_time() - start


def run_size(count: int) -> list[Row]:
    """Every system at one size."""
    vectors = made_vectors(count, 1)
    tuning, queries = made_vectors(TUNING, 2), made_vectors(QUERIES, 3)
    exact = exact_rows(vectors, queries, K)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, build in ours(vectors, tuning).items():
            start = time.perf_counter()
            search, mib = in_graph(build(), Path(folder) / name.replace(" ", "-"))
            took = time.perf_counter() - start
            rows.append(measured(name, search, mib, took, queries, exact))
        for name, make in peers(vectors).items():
            start = time.perf_counter()
            search, mib = make()
            took = time.perf_counter() - start
            rows.append(measured(name, search, mib, took, queries, exact))
    return [dataclasses.replace(row, items=count) for row in rows]


def picture(rows: list[Row], path: Path) -> None:
    """Latency and memory against the size of the catalogue."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(15, 4.5))
    panels = (("ms_1", "ms, batch 1"), ("ms_32", "ms, batch 32"), ("mib", "MiB"))
    for axis, (field, label) in zip(axes, panels, strict=True):
        for system in dict.fromkeys(row.system for row in rows):
            own = [row for row in rows if row.system == system]
            style = "o-" if system.startswith("souk") else "x--"
            axis.plot(
                [r.items for r in own], [getattr(r, field) for r in own], style,
                label=f"{system} (recall {min(r.recall for r in own):.2f}+)",
            )  # fmt: skip
        axis.set(xscale="log", yscale="log", xlabel="items", title=label)
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--out", type=Path, default=Path("var/bench-retrieval"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for count in given.sizes:
        print(f"{count:,} items", flush=True)
        for row in run_size(count):
            rows.append(row)
            print(
                f"  {row.system:20} {row.mib:8.1f} MiB, built in {row.build_s:6.1f} s, "
                f"{row.ms_1:8.3f} ms at 1, {row.ms_32:8.2f} ms at 32, "
                f"recall {row.recall:.4f}",
                flush=True,
            )
    text = json.dumps([dataclasses.asdict(row) for row in rows], indent=1)
    (given.out / "retrieval.json").write_text(text)
    picture(rows, given.out / "retrieval.png")
    print(given.out / "retrieval.png")


if __name__ == "__main__":
    main()
