"""Item tables and query clicks as of every cut-off; free of TFX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from core import features
from core.config import ShopConfig, SplitConfig
from core.config.neighbours import NeighboursConfig
from core.config.query_clicks import QueryClicksConfig
from core.errors import InputDataError
from core.progress import advance, counted
from trainer.data import examples
from trainer.data.log_sample import concatenate, iterate_log, share_of_users
from trainer.funnel.event_log import encode_events
from trainer.funnel.tables import build_item_tables, build_title_tables
from trainer.search.analyzer import Analyzer
from trainer.search.position_bias import estimate_propensities
from trainer.search.query_clicks import build_query_clicks
from trainer.search.query_log import QueryLog, impressions_before, query_log

STEP = "ItemNeighbours"
_EVENT_COLUMNS = [
    features.USER_ID,
    features.ITEM_ID,
    features.EVENT,
    features.TIMESTAMP,
]
_SEARCH_COLUMNS = [features.QUERY, features.SESSION_ID, features.POSITION]


def table_dir(uri: str | Path, cutoff: int) -> Path:
    """Folder of the tables as of `cutoff` inside the artifact."""
    return Path(uri) / f"as_of={cutoff}"


def cutoffs_of(shop: ShopConfig, splits: SplitConfig) -> tuple[int, ...]:
    """Cut-offs that need tables, oldest first: the grid and T2; without a log T2."""
    if not shop.has_events:
        return (splits.test_start,)
    return tuple(sorted({*splits.grid, splits.test_start}))


def build_tables(
    items_uri: str,
    events_uri: str,
    event_splits: Sequence[str],
    out_uri: str,
    *,
    shop: ShopConfig,
    splits: SplitConfig,
    config: NeighboursConfig,
) -> list[Path]:
    """Writes the tables of all cut-offs and returns their folders.

    They are counted from at most about `config.max_events`: those of a share of the
    users where the log is larger.

    Raises:
      InputDataError: no event of a log lies before the end of the training data.
    """
    items = examples.read_split(items_uri, "train")
    share = share_of_users(events_uri, event_splits, config.max_events)
    log = encode_events(
        items, iterate_log(events_uri, event_splits, _EVENT_COLUMNS, share), shop
    )
    if shop.has_events and not (log.timestamps < splits.test_start).any():
        raise InputDataError(
            "`events` must hold events of known items before `SplitConfig.test_start` "
            f"({splits.test_start}). Received: {counted(len(log.rows), 'event')}, none "
            "before."
        )
    titles = build_title_tables(items, config)
    searches = query_log(
        items, _searches(events_uri, event_splits, share), shop, Analyzer()
    )
    folders: list[Path] = []
    cutoffs = cutoffs_of(shop, splits)
    for cutoff in cutoffs:
        tables = build_item_tables(
            items, log, as_of=cutoff, shop=shop, config=config, titles=titles
        )
        folders.append(tables.save(table_dir(out_uri, cutoff)).parent)
        write_query_clicks(folders[-1], searches, cutoff, config.query_clicks)
        count = int((log.timestamps < cutoff).sum())
        held = f"{counted(items.num_rows, 'item')}, {counted(count, 'event')}"
        note = f"{held} at the last of the cut-offs"
        advance(STEP, len(folders), len(cutoffs), note)
    return folders


def write_query_clicks(
    folder: Path, searches: QueryLog, cutoff: int, config: QueryClicksConfig
) -> None:
    """Writes `propensities.json` and `query_clicks.npz`, from events before `cutoff`.

    A shop without queries gets propensities of 1 and empty tables.
    """
    shown = impressions_before(searches, cutoff, config.page_gap_s)
    propensities = estimate_propensities(
        shown.queries,
        shown.rows,
        shown.positions,
        shown.clicked,
        max_positions=config.max_positions,
        smoothing=config.position_smoothing,
    )
    propensities.save(folder)
    clicks = build_query_clicks(
        searches, as_of=cutoff, propensities=propensities, config=config
    )
    clicks.save(folder)


def _searches(uri: str, splits: Sequence[str], share: float) -> pa.Table:
    """All events of the sampled users that carry a query."""
    parts = iterate_log(uri, splits, _EVENT_COLUMNS, share, optional=_SEARCH_COLUMNS)
    return concatenate([_with_query(part) for part in parts])


def _with_query(events: pa.Table) -> pa.Table:
    """Those that carry a query; none where nobody searches."""
    if features.QUERY not in events.column_names:
        return events.slice(0, 0)
    return events.filter(pc.not_equal(events.column(features.QUERY), ""))
