"""Small worlds with a known answer for the Retriever's tests."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from core.config.retriever import RetrieverConfig
from trainer.preprocessing import names
from trainer.retriever.catalogue import Catalogue
from trainer.retriever.moments import MomentArrays

NUM_GROUPS = 4
ITEMS_PER_GROUP = 25
NUM_ITEMS = NUM_GROUPS * ITEMS_PER_GROUP
HISTORY = 4


def tiny_config(**changes: object) -> RetrieverConfig:
    """Settings that fit a tiny world in a second."""
    return RetrieverConfig(
        embedding_dim=8,
        hidden_dim=16,
        content_dim=4,
        max_history=HISTORY,
        batch_size=128,
        max_epochs=6,
        eval_k=ITEMS_PER_GROUP,
        steps_per_execution=4,
        refit=False,
    ).replace(**changes)


def checkerboard_catalogue() -> Catalogue:
    """Item i belongs to group i % NUM_GROUPS, which its first title token names."""
    rows = np.arange(NUM_ITEMS)
    features = {
        names.ITEM_ID: rows + 1,
        names.TITLE_TOKENS: np.stack(
            [rows % NUM_GROUPS + 1, np.zeros_like(rows)], axis=1
        ),
    }
    padded = {
        name: np.concatenate([v, np.zeros_like(v[:1])]).astype(np.int32)
        for name, v in features.items()
    }
    ids = pa.array([f"item{row:03d}" for row in rows])
    return Catalogue(item_ids=ids, item_features=padded)


def checkerboard_sizes(num_users: int = 50) -> dict[str, int]:
    return {
        names.USER_ID: num_users,
        names.ITEM_ID: NUM_ITEMS,
        names.TITLE_TOKENS: NUM_GROUPS,
    }


def checkerboard_moments(num_moments: int, seed: int) -> MomentArrays:
    """History and the two targets of a moment come from one group of items."""
    generator = np.random.default_rng(seed)
    group = generator.integers(0, NUM_GROUPS, num_moments)

    def items(width: int) -> np.ndarray:
        picks = generator.integers(0, ITEMS_PER_GROUP, (num_moments, width))
        return (picks * NUM_GROUPS + group[:, None]).astype(np.int32)

    first = items(1)[:, 0]
    second = (first + NUM_GROUPS) % NUM_ITEMS
    shape = (num_moments, HISTORY)
    return MomentArrays(
        persons={
            names.USER_ID: np.zeros(num_moments, np.int32),
            names.HOUR: np.zeros(num_moments, np.int32),
            names.WEEKDAY: np.zeros(num_moments, np.int32),
        },
        history_rows=items(HISTORY),
        history_events=np.zeros(shape, np.int32),
        history_ages=np.ones(shape, np.int32),
        target_rows=np.stack([first, second], 1).reshape(-1).astype(np.int32),
        target_weights=np.ones(2 * num_moments, np.float32),
        target_offsets=np.arange(num_moments + 1, dtype=np.int64) * 2,
    )
