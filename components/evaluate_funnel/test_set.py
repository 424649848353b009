"""What the bundle is measured on: test moments, their truth, the data before them."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core import features
from core.config import ShopConfig
from core.errors import ArtifactError
from core.metrics import Truth
from core.progress import counted

IntArray = npt.NDArray[np.int64]
_ANYBODY = 1_000  # moments that calibration is measured on


@dataclasses.dataclass(frozen=True)
class TestSet:
    """M test moments over a catalogue of n items.

    Attributes:
      moments: the moments' columns, M rows; every one has at least one relevant item.
      items: the catalogue, n rows in catalogue order.
      cutoff: earliest moment, seconds UTC: baselines know only what is before it.
      truth: relevant rows: distinct target items that were seen before the cut-off.
      owned: rows of the items the user already had (target events before the moment).
      past: events before the cut-off: columns user (code), row, event, timestamp.
      users: [M] int64, code of each moment's user in `past`, -1 for none.
      anybody: some of all moments (of people with an event in the horizon), those
        without a relevant item among them.
      anybody_truth: theirs.
    """

    __test__ = False  # no pytest class

    moments: pa.Table
    items: pa.Table
    cutoff: int
    truth: Truth
    owned: Truth
    past: pd.DataFrame
    users: IntArray
    anybody: pa.Table
    anybody_truth: Truth

    @property
    def num_items(self) -> int:
        return int(self.items.num_rows)

    @property
    def num_moments(self) -> int:
        return int(self.moments.num_rows)

    @property
    def new_truth(self) -> Truth:
        """Relevant rows that the user did not have before."""
        return self.truth.without(self.owned)

    @property
    def events_before(self) -> IntArray:
        """[M] all events of the moment's user before the cut-off.

        A moment's own history holds the newest of them only.
        """
        counts = np.bincount(self.past["user"])
        known = self.users >= 0
        found = np.zeros(self.num_moments, np.int64)
        found[known] = counts[self.users[known]]
        return found


def build_test_set(
    moments: pa.Table,
    items: pa.Table,
    events: pa.Table,
    shop: ShopConfig,
    *,
    max_moments: int | None = None,
    seed: int = 0,
) -> TestSet:
    """The test set of `moments` (columns of core.features; see TestSet).

    Args:
      moments: test moments with history_*, target_* and context columns.
      items: catalogue sorted by item_id.
      events: user_id, item_id, event, timestamp of all events before (and, harmlessly,
        after) the moments.
      shop: says which event is relevant.
      max_moments: larger test sets are sampled down, deterministically.
      seed: of that sample.

    Raises:
      ArtifactError: there is no moment, or none has a relevant item.
    """
    if moments.num_rows == 0:
        raise ArtifactError(
            "The test split must hold at least one moment: a user_id with an event "
            "before `SplitConfig.test_start` and one in the horizon from then on. "
            "Received: none. Move `test_start` or lengthen `horizon_days` until people "
            "come back, or check that a person keeps one user_id from visit to visit."
        )
    catalogue = pd.Index(items.column(features.ITEM_ID).to_pandas())
    cutoff = int(pc.min(moments.column(features.TIMESTAMP)).as_py())
    log = _log(events, catalogue)
    past = log[log["timestamp"] < cutoff].reset_index(drop=True)
    seen = np.zeros(len(catalogue), bool)
    seen[past["row"]] = True
    truth = _truth(moments, catalogue, seen, shop.target_event)
    chosen = _choose(truth.sizes > 0, max_moments, seed)
    if not chosen.any():
        raise ArtifactError(
            "The test split must hold at least one moment with a target item known "
            f"before {cutoff}. Received: {counted(moments.num_rows, 'moment')}, none "
            "of them. Move `SplitConfig.test_start` back or add newer events."
        )
    anybody = _choose(np.ones(moments.num_rows, bool), _ANYBODY, seed)
    everybody, whole_truth = moments, truth
    moments = moments.filter(pa.array(chosen))
    codes, known_users = pd.factorize(past["user_id"])
    past = past.assign(user=codes).drop(columns="user_id")
    return TestSet(
        moments=moments,
        items=items,
        cutoff=cutoff,
        truth=truth.select(chosen),
        owned=_owned(moments, log, shop.target_event, len(catalogue)),
        past=past,
        users=pd.Index(known_users).get_indexer(
            moments.column(features.USER_ID).to_pandas()
        ),
        anybody=everybody.filter(pa.array(anybody)),
        anybody_truth=whole_truth.select(anybody),
    )


def _log(events: pa.Table, catalogue: pd.Index) -> pd.DataFrame:
    names = [features.USER_ID, features.EVENT, features.TIMESTAMP, features.ITEM_ID]
    log = events.select(names).to_pandas()
    log["row"] = catalogue.get_indexer(log.pop(features.ITEM_ID))
    return log[log["row"] >= 0]


def _truth(
    moments: pa.Table,
    catalogue: pd.Index,
    seen: npt.NDArray[np.bool_],
    target_event: str,
) -> Truth:
    lists = moments.column(features.TARGET_ITEM_IDS).combine_chunks()
    numbers = pc.list_parent_indices(lists).to_numpy()
    rows = catalogue.get_indexer(lists.flatten().to_pandas())
    targets = moments.column(features.TARGET_EVENTS).combine_chunks().flatten()
    keep = (rows >= 0) & (targets.to_pandas() == target_event).to_numpy()
    keep &= seen[rows]
    return Truth.from_pairs(numbers[keep], rows[keep], moments.num_rows, len(catalogue))


def _choose(
    usable: npt.NDArray[np.bool_], max_moments: int | None, seed: int
) -> npt.NDArray[np.bool_]:
    numbers = np.flatnonzero(usable)
    if max_moments is not None and len(numbers) > max_moments:
        generator = np.random.default_rng(seed)
        numbers = generator.choice(numbers, max_moments, replace=False)
    chosen = np.zeros(len(usable), bool)
    chosen[numbers] = True
    return chosen


def _owned(
    moments: pa.Table, log: pd.DataFrame, target_event: str, num_items: int
) -> Truth:
    people = pd.DataFrame(
        {
            "user_id": moments.column(features.USER_ID).to_pandas(),
            "cutoff": moments.column(features.TIMESTAMP).to_pandas(),
            "moment": np.arange(moments.num_rows),
        }
    )
    bought = log[log["event"] == target_event]
    pairs = people.merge(bought, on="user_id")
    pairs = pairs[pairs["timestamp"] < pairs["cutoff"]]
    return Truth.from_pairs(pairs["moment"], pairs["row"], moments.num_rows, num_items)
