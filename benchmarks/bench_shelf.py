"""A page that weighs a shelf of items, against one that weighs the whole catalogue.

    python -m benchmarks.bench_shelf [--shop demo] [--home var] [--sizes 256 512 1024]

Reads a finished run: its tables as of the validation period, its retriever and first
stage. Both forms are built here, whatever the catalogue's size, and asked for
candidates and their features for the same people: processor milliseconds of one thread
by turns (the median), the share of the whole's candidates, and of its best 40, that the
shelf has, and of what people bought afterwards, that either has.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

import shops
from benchmarks.search_trials import Run
from components.item_neighbours.build_tables import table_dir
from components.mine_negatives.mine_splits import embedder
from components.moment_parts import plan_parts, read_part
from core import features, presets
from core.layout import HomeLayout
from trainer.funnel.encoded_moments import (
    EncodedMoments,
    encode_moments,
    moment_batch,
)
from trainer.funnel.funnel import CandidateFunnel
from trainer.funnel.fusion import FusionWeights
from trainer.funnel.mine import EmbedQuery, Step, mining_step
from trainer.funnel.shelf import build_funnel
from trainer.funnel.tables import ItemTables
from trainer.moment import Moment

BATCHES = (1, 32)
PEOPLE, BEST, AT_ONCE = 512, 40, 16
Rows = npt.NDArray[np.int32]
Build = Callable[[int], CandidateFunnel]  # by the size of the shelf


@dataclasses.dataclass(frozen=True, kw_only=True)
class People:
    """Whose candidates are asked for, and what is known of them."""

    moments: EncodedMoments
    embed: EmbedQuery
    num_items: int
    target: int  # number of the event type that counts

    def batch(self, numbers: npt.NDArray[np.int64]) -> tuple[Moment, tf.Tensor]:
        moment = moment_batch(self.moments, numbers, self.num_items)
        return moment, self.embed(moment)

    def bought(self, candidates: Rows) -> float:
        """Share of what they bought afterwards that is among candidates [P, C]."""
        offsets, rows, kinds = self.moments.targets
        hits = total = 0
        for i, found in enumerate(candidates):
            part = slice(offsets[i], offsets[i + 1])
            truth = set(rows[part][kinds[part] == self.target]) - {self.num_items}
            hits += len(truth & set(found))
            total += len(truth)
        return hits / max(total, 1)


def candidates(step: Step, people: People) -> Rows:
    """[P, C] of everyone, best first."""
    parts = [
        step(*people.batch(np.arange(i, min(i + AT_ONCE, len(people.moments)))))[0]
        for i in range(0, len(people.moments), AT_ONCE)
    ]
    return np.concatenate([part.numpy() for part in parts])


def share(found: Rows, wanted: Rows) -> float:
    """Mean share of each row of `wanted` that is in the same row of `found`."""
    return float(
        np.mean([np.isin(w, f).mean() for f, w in zip(found, wanted, strict=True)])
    )


def milliseconds(
    steps: list[Step], people: People, size: int, rounds: int
) -> list[float]:
    """The median processor time of each step by turns, on the same batches."""
    rng = np.random.default_rng(0)
    spent: list[list[float]] = [[] for _ in steps]
    for _ in range(rounds + 2):
        numbers = rng.choice(len(people.moments), min(size, len(people.moments)))
        batch = people.batch(np.sort(numbers))
        for step, times in zip(steps, spent, strict=True):
            start = time.process_time()
            step(*batch)[1].numpy()
            times.append(time.process_time() - start)
    return [1e3 * float(np.median(times[2:])) for times in spent]


def read_run(layout: HomeLayout) -> tuple[People, Build]:
    """The people of the validation period, and how a funnel of it is made."""
    run, shop = Run(layout=layout), shops.read_tables(layout.tables)
    part = plan_parts(
        str(run.newest("JoinHistory", "moments")),
        ("eval",),
        features.TIMESTAMP,
        max_moments=PEOPLE,
        size=PEOPLE,
        seed=7,
    )[0]
    folder = table_dir(str(run.newest("ItemNeighbours", "tables")), part.cutoff)
    tables = ItemTables.load(folder)
    model = run.newest("Retriever", "model") / "Format-Serving"
    retriever = tf.saved_model.load(str(model))
    people = People(
        moments=encode_moments(read_part(part), tables.item_ids, shop.config),
        embed=embedder(retriever, shop.config),
        num_items=tables.num_items,
        target=shop.config.event_types.index(shop.config.target_event),
    )
    settings = presets.for_shop(shop.config, shop.splits).funnel
    weights = FusionWeights.load(run.newest("MineNegatives", "candidates"))

    def build(size: int) -> CandidateFunnel:
        """With a shelf of `size` items; 0: weighing all."""
        limit = 1 if size else 2**31
        count = min(settings.num_candidates, size or 2**31)
        config = settings.replace(whole_max_items=limit, num_candidates=count)
        config = config.replace(shelf_size=max(size, count))
        return build_funnel(tables, retriever.item_embeddings.numpy(), config, weights)

    return people, build


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shop", default="demo")
    parser.add_argument("--home", type=Path, default=Path("var"))
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    people, build = read_run(HomeLayout(options.home, options.shop))
    sizes = (0, *options.sizes)
    steps = [mining_step(build(size)) for size in sizes]
    found = [candidates(step, people) for step in steps]
    times = [milliseconds(steps, people, b, options.rounds) for b in BATCHES]
    count = len(people.moments)
    print(f"{options.shop}: {people.num_items:,} items, {count:,} people")
    print(
        f"{'weighed':>10}{'of the whole':>14}{f'its best {BEST}':>14}"
        f"{'of the bought':>15}" + "".join(f"{f'ms at {b}':>10}" for b in BATCHES)
    )
    for i, (size, rows) in enumerate(zip(sizes, found, strict=True)):
        cells = f"{share(rows, found[0]):14.3f}{share(rows, found[0][:, :BEST]):14.3f}"
        spent = "".join(f"{by_step[i]:10.2f}" for by_step in times)
        name = f"{size:,}" if size else "all"
        print(f"{name:>10}{cells}{people.bought(rows):15.3f}{spent}")


if __name__ == "__main__":
    main()
