"""The Beam side of mining: parts of a cut-off's moments → files of ranker rows.

Whatever is mined (moments here, search pages in `mine_searches`), a `Miner` does the
work on one part; a worker builds it once.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.utils.shared import Shared

from components.moment_parts import MomentPart, read_part
from core.progress import advance, counted
from core.whole_file import whole_file
from trainer.funnel.fusion import FusionWeights
from trainer.funnel.ranker_rows import RankerRows

# Of one file of rows, and of what a worker holds: a quarter of a gigabyte of rows.
PART_MOMENTS = 4_096


class Miner(ABC):
    """A funnel in a worker's memory, with graphs that are traced once."""

    @abstractmethod
    def learn_first_stage(self) -> FusionWeights:
        """The weights, learned from training moments."""

    @abstractmethod
    def use_first_stage(self, weights: FusionWeights) -> None:
        """Takes the weights that the parts are mined with."""

    @abstractmethod
    def mine(self, moments: pa.Table, cutoff: int, split: str) -> RankerRows:
        """Rows of moments that are all at the cut-off."""

    @abstractmethod
    def describe(self, folder: str) -> None:
        """Writes what the rows mean (`meta.json`)."""


class MiningTask(ABC):
    """What every worker needs to know to build its Miner; small and picklable."""

    step: str  # its name, for progress
    out_uri: str

    @abstractmethod
    def build(self) -> Miner:
        """Loads models and tables."""


class MineParts(beam.PTransform):  # type: ignore[misc]
    """Parts → (split, number of rows) of each file written.

    The first stage is learned before, in one worker, from a bounded sample.
    """

    def __init__(self, task: MiningTask, num_parts: int):
        super().__init__()
        self._task = task
        self._num_parts = num_parts
        self._shared = Shared()

    def expand(self, parts: beam.PCollection) -> beam.PCollection:
        learned = (
            parts.pipeline
            | "Once" >> beam.Create([None])
            | "LearnFirstStage"
            >> beam.ParDo(_LearnFirstStage(self._task, self._shared))
        )
        return (
            parts
            | "Spread" >> beam.Reshuffle()
            | "Mine"
            >> beam.ParDo(
                _MinePart(self._task, self._shared, self._num_parts),
                beam.pvalue.AsSingleton(learned),
            )
        )


class _WithMiner(beam.DoFn):  # type: ignore[misc]
    """Holds the worker's Miner; threads of a worker take turns with it."""

    def __init__(self, task: MiningTask, shared: Shared):
        self._task = task
        self._shared = shared

    def setup(self) -> None:
        self._held = self._shared.acquire(lambda: _Held(self._task.build()))


class _Held:
    """A Miner and the lock on its tables."""

    def __init__(self, miner: Miner) -> None:
        self.miner = miner
        self.lock = threading.Lock()


class _LearnFirstStage(_WithMiner):
    """Nothing → the weights, which also go to `fusion.json`."""

    def process(self, _: None) -> Iterator[FusionWeights]:
        with self._held.lock:
            weights = self._held.miner.learn_first_stage()
            self._held.miner.describe(self._task.out_uri)
        weights.save(self._task.out_uri)
        yield weights


class _MinePart(_WithMiner):
    """A part → its file; mining it again replaces it whole."""

    def __init__(self, task: MiningTask, shared: Shared, num_parts: int):
        super().__init__(task, shared)
        self._num_parts = num_parts
        self._done, self._rows = 0, 0

    def process(
        self, part: MomentPart, weights: FusionWeights
    ) -> Iterator[tuple[str, int]]:
        moments = read_part(part)
        with self._held.lock:
            self._held.miner.use_first_stage(weights)
            found = self._held.miner.mine(moments, part.cutoff, part.split)
        save_rows(found, self._task.out_uri, part)
        self._done += 1
        self._rows += len(found.rows)
        note = f"{counted(self._rows, 'row')} of {counted(self._done, 'part')}"
        advance(self._task.step, self._done, self._num_parts, note)
        yield part.split, len(found.rows)


def save_rows(rows: RankerRows, uri: str, part: MomentPart) -> None:
    """Writes `Split-SPLIT/part-NUMBER-PLACE.npz`, complete before visible."""
    name = f"part-{part.number:05d}-{part.place:05d}.npz"
    folder = Path(uri) / f"Split-{part.split}"
    with whole_file(folder / name) as hidden:
        rows.save(hidden)


def count_rows(uri: str, splits: tuple[str, ...]) -> dict[str, int]:
    """Rows of every split, from the files."""
    counts = {}
    for split in splits:
        files = sorted((Path(uri) / f"Split-{split}").glob("part-*.npz"))
        counts[split] = sum(_num_rows(path) for path in files)
    return counts


def _num_rows(path: Path) -> int:
    with np.load(path) as file:
        return len(file["rows"])
