"""Warm-up requests carry every input of their signature."""

from __future__ import annotations

import numpy as np

from components.bundle.warmup import warmup_requests
from core.config import ShopConfig
from core.config.bundle import BundleConfig

SHOP = ShopConfig(name="small", context_features=("country",))
CONFIG = BundleConfig(warmup_batch_sizes=(1, 3), warmup_history=4)
IDS = ["a", "b", "c"]
PERSON = {
    "user_id",
    "history_item_ids",
    "history_events",
    "history_timestamps",
    "timestamp",
    "country",
}
FILTERS = {
    "exclude_item_ids",
    "categories",
    "price_min",
    "price_max",
    "in_stock_only",
    "k",
}


def test_search_is_warmed_up_with_the_words_given() -> None:
    queries = ["red mug", "茶壶"]
    found = list(warmup_requests(IDS, SHOP, CONFIG, 10**9, queries))
    searches = [inputs for name, inputs in found if name == "search"]
    assert [len(inputs["query"]) for inputs in searches] == [1, 3]
    for inputs in searches:
        size = len(inputs["query"])
        assert set(inputs) == {"query"} | PERSON | FILTERS
        assert set(inputs["query"]) <= set(queries)
        assert all(len(v) == size for n, v in inputs.items() if n != "k")
        assert inputs["k"].shape == ()


def test_a_bundle_without_search_gets_no_search() -> None:
    names = [name for name, _ in warmup_requests(IDS, SHOP, CONFIG, 10**9)]
    assert "search" not in names
    assert names.count("recommend") == len(CONFIG.warmup_batch_sizes)


def test_requests_are_the_same_every_time() -> None:
    one, two = (list(warmup_requests(IDS, SHOP, CONFIG, 9, ["x"])) for _ in range(2))
    for (name, left), (other, right) in zip(one, two, strict=True):
        assert name == other
        for key, value in left.items():
            np.testing.assert_array_equal(value, right[key])
