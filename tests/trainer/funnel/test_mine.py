"""What is counted as true of a moment."""

from __future__ import annotations

import numpy as np

from components.join_history.make_moments import make_moments
from core.config.funnel import FunnelConfig
from core.config.moments import MomentConfig
from core.config.neighbours import NeighboursConfig
from tests.trainer.funnel import tiny_shop
from trainer.funnel.funnel import CandidateFunnel
from trainer.funnel.mine import mine
from trainer.funnel.tables import build_item_tables


def test_each_event_type_has_its_own_truth():
    cutoff = tiny_shop.SPLITS.train_cutoffs[0]
    tables = build_item_tables(
        tiny_shop.items(),
        tiny_shop.events(),
        as_of=cutoff,
        shop=tiny_shop.SHOP,
        config=NeighboursConfig(num_neighbours=10, ease_lambda=5.0, title_dim=8),
    )
    funnel = CandidateFunnel(tables, None, FunnelConfig(num_candidates=24))
    moments = make_moments(tiny_shop.events(), tiny_shop.SPLITS, MomentConfig())
    table = moments["train"]
    table = table.filter(table["timestamp"].to_numpy() == cutoff)
    frame = table.to_pandas()
    wanted = [
        [
            len({i for i, e in zip(ids, kinds, strict=True) if e == event})
            for event in ("view", "purchase")
        ]
        for ids, kinds in zip(frame.target_item_ids, frame.target_events, strict=True)
    ]
    viewed, bought = np.sum(wanted, axis=0)
    assert viewed != bought
    found = mine(table, funnel, tables.item_ids)
    assert sorted(found.truth_size.tolist()) == sorted(wanted)
