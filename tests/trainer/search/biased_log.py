"""Search logs of a made-up world whose attractiveness and position bias are known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class BiasedLog(NamedTuple):
    """S pages of L slots."""

    queries: IntArray  # [S, L]
    items: IntArray  # [S, L] numbers within the query
    positions: IntArray  # [S, L]
    clicked: npt.NDArray[np.bool_]  # [S, L]


def ranked_log(
    rng: np.random.Generator,
    attract: FloatArray,
    ranked_by: FloatArray,
    examine: FloatArray,
    num_pages: int,
    noise: float,
) -> BiasedLog:
    """Pages ranked by a noisy score, clicked with examine[slot] * attract[item].

    Args:
      attract: [Q, n] true attractiveness of a query's items.
      ranked_by: [Q, n] what the pages were ranked by, highest first, plus noise.
      examine: [L] position bias.
      noise: standard deviation of the noise that moves items between slots.
    """
    num_slots = len(examine)
    queries = rng.integers(0, len(attract), num_pages)
    scores = ranked_by[queries] + noise * rng.normal(size=(num_pages, attract.shape[1]))
    items = np.argsort(-scores, axis=1)[:, :num_slots]
    worth = np.take_along_axis(attract[queries], items, axis=1)
    clicked = rng.random(items.shape) < examine * worth
    positions = np.broadcast_to(np.arange(num_slots), items.shape)
    owner = np.broadcast_to(queries[:, None], items.shape)
    return BiasedLog(owner.copy(), items, positions.copy(), clicked)
