"""Requests become moments: only what was before them is history."""

from __future__ import annotations

import pyarrow as pa
import tensorflow as tf

from core.config import ShopConfig
from trainer.export.catalogue import Catalogue
from trainer.export.requests import MomentReader


def test_an_event_at_the_request_s_own_second_is_no_history():
    shop = ShopConfig(name="s", event_types=("view", "purchase"), event_weights=(1, 2))
    reader = MomentReader(Catalogue(pa.table({"item_id": ["a", "b"]})), shop, as_of=50)
    moment = reader(
        {
            "user_id": tf.constant(["u"]),
            "timestamp": tf.constant([100], tf.int64),
            "history_item_ids": tf.constant([["a", "b", "a"]]),
            "history_events": tf.constant([["view", "view", "purchase"]]),
            "history_timestamps": tf.constant([[99, 100, 101]], tf.int64),
        }
    )
    assert moment.history_rows.numpy().tolist() == [[2, 0, 2, 2]]
    assert moment.history_events.numpy().tolist() == [[-1, 0, -1, -1]]
    assert moment.history_timestamps.numpy().tolist() == [[0, 99, 0, 0]]
