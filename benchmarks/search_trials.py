"""The search ranker's trials on a finished run: mine, fit before T1, judge after it.

The artifacts of a run below `--home` are read; what a trial makes goes elsewhere. Only
pages before the validation period train, and its pages judge, by the true chance of a
click by whoever searched: a simulated shop. The run's own Retriever has seen that
period too (`RetrieverConfig.refit`), so a trial fits one that has not.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import apache_beam as beam
import numpy as np
import tensorflow as tf

from components.mine_searches.mine_searches import SearchInputs, mine_searches
from core import features
from core.config.search import SearchConfig
from core.config.souk import SoukConfig
from core.errors import ArtifactError
from core.layout import HomeLayout
from core.metrics import Grades, search_metrics
from pipeline import beam_options
from shops.shop import Shop
from trainer.data.examples import read_split
from trainer.export.ranker_export import RankerExport
from trainer.funnel.ranker_rows import RankerRows
from trainer.ranker.dataset import CandidateRows, read_candidates
from trainer.ranker.fit import FittedRanker
from trainer.retriever.train import train_retriever
from trainer.search.mine_pages import encode_pages

K = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """Where a finished run's artifacts lie."""

    layout: HomeLayout

    def newest(self, node: str, key: str) -> Path:
        """The newest execution's artifact."""
        found = [p for p in (self.layout.tfx / node / key).glob("*") if p.is_dir()]
        if not found:
            raise ArtifactError(
                f"{self.layout.tfx / node} must hold an artifact `{key}`. Received: "
                f"none. Run `souk run {self.layout.shop}` first."
            )
        return max(found, key=lambda path: int(path.name))

    def search_inputs(self, retriever: Path) -> SearchInputs:
        return SearchInputs(
            items=str(self.newest("Clean", "items")),
            searches=str(self.newest("JoinHistory", "searches")),
            tables=str(self.newest("ItemNeighbours", "tables")),
            text_encoder=str(self.newest("TextEncoder", "model") / "Format-Serving"),
            item_vectors=str(self.newest("TextEncoder", "item_vectors")),
            candidates=str(self.newest("MineNegatives", "candidates")),
            retriever=str(retriever),
        )


def fit_retriever(run: Run, config: SoukConfig, folder: Path) -> Path:
    """The towers fitted before T1, unless `folder` holds them already."""
    model = folder / "retriever"
    if not (model / "saved_model.pb").is_file():
        inputs = run.search_inputs(model)
        train_retriever(
            items_uri=inputs.items,
            moments_uri=str(run.newest("JoinHistory", "moments")),
            transform_uri=str(run.newest("Transform", "transform_graph")),
            serving_model_dir=str(model),
            model_run_dir=str(folder / "retriever_run"),
            config=config.retriever.replace(refit=False),
            text_encoder_dir=inputs.text_encoder,
            item_vectors_uri=inputs.item_vectors,
            searches_uri=inputs.searches,
        )
    return model


def mined(
    run: Run, config: SoukConfig, search: SearchConfig, retriever: Path, folder: Path
) -> Path:
    """MineSearches' output with these settings, unless `folder` holds it already."""
    if not (folder / "meta.json").is_file():
        mine_searches(
            run.search_inputs(retriever),
            str(folder),
            shop=config.shop,
            funnel_config=config.funnel,
            config=search,
            pipeline=beam.Pipeline(argv=beam_options.direct()),
        )
    return folder


class Validation:
    """The validation period's pages, in the order that they are mined in.

    Attributes:
      grades: [P, n] true chance that whoever searched clicks.
      rows: their mined candidates.
    """

    def __init__(self, run: Run, shop: Shop, candidates: Path) -> None:
        world = shop.world
        if world is None:
            raise ArtifactError(f"`{shop.config.name}` must be simulated: no truth.")
        pages = read_split(str(run.newest("JoinHistory", "searches")), "eval")
        items = read_split(str(run.newest("Clean", "items")), "train")
        ids = items.column(features.ITEM_ID).to_pylist()
        encoded = encode_pages(pages, np.array(ids), shop.config)
        # As `mine_pages` visits them.
        order = np.argsort(np.diff(encoded.moments.history[0]), kind="stable")
        gain = world.search_gain(
            encoded.moments.user_ids[order].tolist(),
            encoded.queries[order].tolist(),
            ids,
            at=encoded.moments.timestamps[order].tolist(),
        ).click
        searches, found = np.nonzero(gain > 0)
        self.grades = Grades.from_pairs(
            searches, found, gain[searches, found], *gain.shape
        )
        (path,) = sorted((candidates / "Split-eval").glob("part-*.npz"))
        self.rows = RankerRows.load(path)
        self._gain = gain

    def ndcg(self, scores: np.ndarray) -> float:
        """Mean NDCG@10 of the candidates in the order of scores [R]."""
        rows = self.rows
        order = np.lexsort((-scores, rows.group))
        sizes = np.bincount(rows.group, minlength=len(self._gain))
        rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        top = order[rank < K]
        pages = np.full((len(self._gain), K), -1, np.int64)
        pages[rows.group[top], rank[rank < K]] = rows.rows[top]
        least = float(self.grades.values.min())
        found = search_metrics(pages, self.grades, (K,), min_value=least)
        return float(found[f"ndcg@{K}"][self.grades.num_relevant > 0].mean())

    def best_possible(self) -> float:
        """NDCG@10 of the candidates in the true order: what their choice allows."""
        return self.ndcg(self._gain[self.rows.group, self.rows.rows])

    def feature(self, candidates: Path, name: str) -> np.ndarray:
        """[R] of one feature, for instance the first stage's score."""
        rows = read_candidates(str(candidates), splits=("eval",))
        return rows.features[:, rows.feature_names.index(name)]


def before_validation(candidates: Path) -> CandidateRows:
    """The rows that a trial trains on."""
    return read_candidates(str(candidates), splits=("train",))


def scores_of(fitted: FittedRanker, features_: np.ndarray) -> np.ndarray:
    """[R] ranking scores of raw features [R, F]."""
    export = RankerExport(fitted)
    parts = [
        export.score(tf.constant(features_[start : start + 16_384]))["score"].numpy()
        for start in range(0, len(features_), 16_384)
    ]
    return np.concatenate(parts)
