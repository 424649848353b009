"""What people typed, summed up by query."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from core import features
from core.config.suggest import LexiconConfig
from core.text.units import completion_key

COLUMNS = (
    "query",
    "count",
    "users",
    "clicks",
    "last_seen",
    "weight",
    "category",
)


def sum_up_queries(
    events: pa.Table, items: pa.Table, *, as_of: int, config: LexiconConfig
) -> pd.DataFrame:
    """One row per query (by its key), most weight first, with `COLUMNS`.

    A search is one query of one person in one session (at one second where there are no
    sessions). It was clicked if any stronger event than a view carries its query. Its
    weight is (1 + clicked) * 0.5^(age in days / half_life_days).

    Args:
      events: canonical events; without a column `query` the result is empty.
      items: canonical items, for the categories of what was clicked.
      as_of: events from this second on are not read.
      config: the half-life.
    """
    if features.QUERY not in events.column_names:
        return pd.DataFrame(columns=list(COLUMNS))
    log = _searched(events, as_of)
    if log.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    searches = log.groupby(["key", "user", "session"], sort=False).agg(
        text=("query", "first"), clicked=("clicked", "max"), time=("time", "max")
    )
    searches = searches.reset_index()
    age_days = (as_of - searches["time"]) / features.SECONDS_PER_DAY
    decay = np.power(0.5, age_days / config.half_life_days)
    searches["weight"] = (1 + searches["clicked"]) * decay
    queries = searches.groupby("key").agg(
        count=("text", "size"),
        users=("user", "nunique"),
        clicks=("clicked", "sum"),
        last_seen=("time", "max"),
        weight=("weight", "sum"),
    )
    queries["query"] = _most_common(searches["key"], searches["text"])
    queries["category"] = _clicked_category(log, items)
    queries["category"] = queries["category"].fillna("")
    order = np.lexsort((queries.index, -queries["weight"]))
    return queries.iloc[order][list(COLUMNS)]


def _searched(events: pa.Table, as_of: int) -> pd.DataFrame:
    """Rows of searches before `as_of`, with `key` and `clicked`."""
    session = features.SESSION_ID
    names = [features.USER_ID, features.ITEM_ID, features.EVENT, features.TIMESTAMP]
    names += [n for n in (features.QUERY, session) if n in events.column_names]
    rows = events.select(names).to_pandas()
    rows = rows[rows[features.QUERY].notna() & (rows[features.TIMESTAMP] < as_of)]
    time = rows[features.TIMESTAMP]
    log = pd.DataFrame(
        {
            "query": rows[features.QUERY],
            "user": rows[features.USER_ID],
            "item": rows[features.ITEM_ID],
            "session": time.astype(str),
            "clicked": (rows[features.EVENT] != features.VIEW).astype(np.int64),
            "time": time,
        }
    )
    if session in rows:
        log["session"] = rows[session].fillna(log["session"])
    keys = {text: completion_key(text) for text in log["query"].unique()}
    log["key"] = log["query"].map(keys)
    log["query"] = log["query"].map({text: " ".join(text.split()) for text in keys})
    return log[log["key"] != ""]


def _most_common(keys: pd.Series, values: pd.Series) -> pd.Series:
    """By key, its most frequent value; of equally frequent ones the first in order."""
    counts = pd.DataFrame({"key": keys, "value": values}).dropna()
    counts = counts.value_counts().rename("count").reset_index()
    counts = counts.sort_values(["count", "value"], ascending=[False, True])
    return counts.drop_duplicates("key").set_index("key")["value"]


def _clicked_category(log: pd.DataFrame, items: pa.Table) -> pd.Series:
    """By key, the category of most of the clicked items."""
    if features.CATEGORY not in items.column_names:
        return pd.Series(dtype=object)
    ids = items.column(features.ITEM_ID).to_pylist()
    categories = items.column(features.CATEGORY).to_pylist()
    clicked = log[log["clicked"] > 0]
    category = clicked["item"].map(dict(zip(ids, categories, strict=True)))
    return _most_common(clicked["key"], category)
