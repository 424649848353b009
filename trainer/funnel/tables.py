"""All that the funnel knows of a catalogue as of a cut-off, as NumPy arrays."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import sparse

from core import features
from core.config import Config, ShopConfig
from core.config.neighbours import NeighboursConfig
from core.errors import UNREADABLE, ArtifactError
from trainer.funnel import neighbours as nb
from trainer.funnel import popularity, repeats, text
from trainer.funnel.cosine import cosine, cosine_of_near_cells
from trainer.funnel.event_log import EventLog, event_log
from trainer.funnel.facets import CATEGORY, item_facets
from trainer.funnel.item_features import item_features, price_z
from trainer.funnel.sources import BASKET, CF, FORECAST, INTEREST, KNN, LATELY, TITLE

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]

FILE_NAME = "tables.npz"


@dataclasses.dataclass(frozen=True)
class TitleTables:
    """What titles alone say; the same for every cut-off of a catalogue."""

    vectors: FloatArray  # [n, title_dim], L2-normalized, 0 for empty titles
    neighbours: nb.Neighbours


@dataclasses.dataclass(frozen=True)
class ItemTables:
    """Arrays over n catalogue rows, from events strictly before `as_of` only."""

    as_of: int  # seconds UTC
    shop: ShopConfig
    config: NeighboursConfig
    item_ids: npt.NDArray[np.str_]  # [n], the catalogue order
    # By source: `cf` is EASE up to `ease_max_items`; `interest` exists where the shop
    # logs several event types.
    neighbours: dict[str, nb.Neighbours]
    factors_in: FloatArray  # [n, k] of the truncated SVD
    factors_out: FloatArray  # [n, k]
    feature_names: tuple[str, ...]
    features: FloatArray  # [n, G] the item's own ranker features
    popularity: dict[int, FloatArray]  # days -> [n] distinct buyers
    trend: FloatArray  # [n] (buyers 30 d + 1) / (buyers ever + 10)
    trending: FloatArray  # [n] first-time buyers of the last days
    buyers: FloatArray  # [n] distinct buyers ever
    seen: FloatArray  # [n] 1 where the item has an event of any type
    repeat_gaps: FloatArray  # [n] mean days between repeat visits
    prices: FloatArray  # [n] z-scores of log prices, 0 unknown
    title_vectors: FloatArray  # [n, d]
    facets: dict[str, IntArray]  # name -> [n] ids from 0; 0 = unknown

    @property
    def num_items(self) -> int:
        return len(self.item_ids)

    def save(self, folder: str | Path) -> Path:
        """Writes `folder/tables.npz` and returns its path."""
        path = Path(folder) / FILE_NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, npt.NDArray[np.generic]] = {}
        for field in dataclasses.fields(self):
            arrays.update(_flat(field.name, getattr(self, field.name)))
        np.savez(path, **arrays)  # type: ignore[arg-type]
        return path

    @classmethod
    def load(cls, folder: str | Path) -> ItemTables:
        """Reads what `save` wrote.

        Raises:
          ArtifactError: the file is missing or not readable.
        """
        path = Path(folder) / FILE_NAME
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            return cls(**_nested(arrays))
        except (*UNREADABLE, KeyError, TypeError) as error:
            raise ArtifactError(
                f"Item tables must be readable at {path}. Received: {error}. "
                "Run the ItemNeighbours step again."
            ) from error


def build_title_tables(items: pa.Table, config: NeighboursConfig) -> TitleTables:
    """Title vectors and neighbours; pass it to `build_item_tables` at every cut-off."""
    titles = [t or "" for t in items.column(features.TITLE).to_pylist()]
    matrix = text.tfidf(titles)
    vectors = text.title_vectors(matrix, config.title_dim)
    count = config.num_title_neighbours
    if len(titles) <= config.exact_titles_max_items:
        similar = cosine(matrix.T.tocsr(), count=count, shrinkage=0.0)
    else:
        similar = cosine_of_near_cells(matrix, vectors, count=count)
    return TitleTables(vectors=vectors, neighbours=similar)


def build_item_tables(
    items: pa.Table,
    events: pa.Table | EventLog,
    *,
    as_of: int,
    shop: ShopConfig,
    config: NeighboursConfig,
    titles: TitleTables | None = None,
) -> ItemTables:
    """Counts everything the funnel needs from the events with timestamp < `as_of`.

    Args:
      items: the catalogue: item_id, title; category, brand, price where known. Its
        order defines the catalogue rows.
      events: user_id, item_id, event, timestamp; other columns are not read. Or the
        same already encoded (`encode_events`), for several cut-offs.
      titles: reuse of `build_title_tables`, which does not depend on the cut-off.
    """
    if isinstance(events, pa.Table):
        log = event_log(items, events, as_of=as_of, shop=shop)
    else:
        log = events.before(as_of)
    target = log.of_kind(shop.event_types.index(shop.target_event))
    titles = titles or build_title_tables(items, config)
    prices = _prices(items)
    facets = item_facets(items, prices)
    habits = repeats.habits(target, config.visit_s, facets.get(CATEGORY))
    names, values = item_features(
        log,
        prices=prices,
        titles=titles.neighbours,
        habits=habits,
        categories=facets.get(CATEGORY),
        shop=shop,
        config=config,
    )
    touched = _lately(log, config)
    into, out = nb.item_factors(touched, config.num_factors)
    return ItemTables(
        as_of=as_of,
        shop=shop,
        config=config,
        item_ids=np.asarray(items.column(features.ITEM_ID).to_pylist(), dtype=np.str_),
        neighbours={
            **_collaborative(log, touched, shop, config),
            TITLE: titles.neighbours,
        },
        factors_in=into,
        factors_out=out,
        feature_names=names,
        features=values,
        popularity={d: popularity.buyers(target, d) for d in config.popularity_days},
        trend=popularity.trend(target, config.trend_days),
        trending=popularity.first_time_buyers(target, config.trend_days),
        buyers=popularity.buyers(target),
        seen=(popularity.buyers(log) > 0).astype(np.float32),
        repeat_gaps=habits.gap,
        prices=price_z(prices),
        title_vectors=titles.vectors,
        facets=facets,
    )


def _collaborative(
    log: EventLog,
    touched: sparse.csr_matrix,
    shop: ShopConfig,
    config: NeighboursConfig,
) -> dict[str, nb.Neighbours]:
    """Tables of purchases, and of all events where there are several types.

    Args:
      touched: of `_lately`, over all event types.
    """
    target = log.of_kind(shop.event_types.index(shop.target_event))
    bought, several = nb.user_item_matrix(target), len(shop.event_types) > 1
    count = config.num_neighbours
    visits = nb.visit_item_matrix(
        target,
        visit_s=config.visit_s,
        decay_days=config.basket_decay_days,
        max_items=config.max_visit_items,
    )

    def alike(matrix: sparse.csr_matrix) -> nb.Neighbours:
        return cosine(matrix, count=count, shrinkage=config.shrinkage)

    similar = alike(touched if several else bought)
    tables = {KNN: similar, BASKET: cosine(visits, count=count, shrinkage=1.0)}
    if target.num_items > config.ease_max_items:
        cf = alike(bought) if several else similar
        return tables | {CF: cf} | ({INTEREST: similar} if several else {})
    tables |= _dense_only(target, bought, config)
    if several:
        weights = nb.ease(touched, config.lately_lambda)
        tables[INTEREST] = nb.top_of_rows(weights, count)
    return tables


def _dense_only(
    target: EventLog, bought: sparse.csr_matrix, config: NeighboursConfig
) -> dict[str, nb.Neighbours]:
    """Tables of purchases that need n x n solves."""
    recent = target.ages <= config.forecast_days

    def best(weights: FloatArray) -> nb.Neighbours:
        return nb.top_of_rows(weights, config.num_neighbours)

    return {
        CF: best(nb.ease(bought, config.ease_lambda)),
        LATELY: best(nb.ease(_lately(target, config), config.lately_lambda)),
        FORECAST: best(
            nb.forecast(
                nb.user_item_matrix(target.where(~recent)),
                nb.user_item_matrix(target.where(recent)),
                config.forecast_lambda,
            )
        ),
    }


def _lately(log: EventLog, config: NeighboursConfig) -> sparse.csr_matrix:
    """[num_users, n] exp(-age of the pair's newest event / `lately_days`)."""
    return nb.user_item_matrix(log, np.exp(-log.ages / config.lately_days))


def _prices(items: pa.Table) -> FloatArray:
    if features.PRICE not in items.column_names:
        return np.full(items.num_rows, np.nan, np.float32)
    column = items.column(features.PRICE).cast(pa.float32())
    return np.asarray(column.to_pandas(), dtype=np.float32)


def _flat(name: str, value: object) -> dict[str, npt.NDArray[np.generic]]:
    if isinstance(value, Config):
        return {name: np.asarray(value.to_json())}
    if isinstance(value, nb.Neighbours):
        return _flat(name, value.packed())
    if isinstance(value, dict):
        parts: dict[str, npt.NDArray[np.generic]] = {}
        for key, inner in value.items():
            parts.update(_flat(f"{name}/{key}", inner))
        return parts
    return {name: np.asarray(value)}


def _nested(arrays: dict[str, npt.NDArray[np.generic]]) -> dict[str, Any]:
    fields: dict[str, Any] = {"neighbours": {}, "popularity": {}, "facets": {}}
    tables: dict[str, dict[str, Any]] = {}
    for name, array in arrays.items():
        head, *rest = name.split("/")
        if head == "neighbours":
            tables.setdefault(rest[0], {})[rest[1]] = array
        elif head == "popularity":
            fields["popularity"][int(rest[0])] = array
        elif head == "facets":
            fields["facets"][rest[0]] = array
        else:
            fields[head] = array
    fields["neighbours"] = {k: nb.Neighbours.unpacked(v) for k, v in tables.items()}
    fields["shop"] = ShopConfig.from_json(str(arrays["shop"]))
    fields["config"] = NeighboursConfig.from_json(str(arrays["config"]))
    fields["as_of"] = int(arrays["as_of"])
    fields["feature_names"] = tuple(str(v) for v in arrays["feature_names"])
    return fields
