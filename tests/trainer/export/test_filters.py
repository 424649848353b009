import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from trainer.export.catalogue import Catalogue
from trainer.export.filters import Filters, allowed_items

A, B, C = range(3)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(
        pa.table(
            {
                "item_id": ["a", "b", "c"],
                "category": ["Home > Mugs", "Home > Jugs", None],
                "price": pa.array([2.0, 5.0, None], pa.float32()),
                "in_stock": pa.array([1, 0, 1], pa.int64()),
            }
        )
    )


def allowed(catalogue: Catalogue, **changes: object) -> list[int]:
    values = {
        "exclude_item_ids": [""],
        "categories": [""],
        "price_min": 0.0,
        "price_max": 0.0,
        "in_stock_only": False,
        **changes,
    }
    filters = Filters(
        exclude_item_ids=tf.constant([values["exclude_item_ids"]]),
        categories=tf.constant([values["categories"]]),
        price_min=tf.constant([values["price_min"]]),
        price_max=tf.constant([values["price_max"]]),
        in_stock_only=tf.constant([values["in_stock_only"]]),
    )
    return np.flatnonzero(allowed_items(catalogue, filters).numpy()[0]).tolist()


def test_neutral_filters_allow_everything(catalogue) -> None:
    assert allowed(catalogue) == [A, B, C]


def test_excluded_and_unknown_ids(catalogue) -> None:
    assert allowed(catalogue, exclude_item_ids=["b", "nobody", "", "b"]) == [A, C]


@pytest.mark.parametrize(
    ("categories", "expected"),
    [
        (["Home"], [A, B]),
        (["Home > Jugs"], [B]),
        (["Home > Jugs", "", "Home > Mugs"], [A, B]),
        (["Hom"], []),  # a prefix is made of whole levels
        (["Nothing"], []),
    ],
)
def test_categories_match_by_prefix(catalogue, categories, expected) -> None:
    assert allowed(catalogue, categories=categories) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 5.0, [A, B]),
        (3.0, 0.0, [B]),
        (2.0, 2.0, [A]),
        (6.0, 7.0, []),
        (-1.0, -1.0, [A, B, C]),
        (0.01, 0.0, [A, B]),
        (0.0, 0.99, []),
        (np.inf, 0.0, []),
    ],
)
def test_price_limits_are_inclusive_and_drop_unpriced_items(
    catalogue, low, high, expected
) -> None:
    assert allowed(catalogue, price_min=low, price_max=high) == expected


def test_in_stock_only(catalogue) -> None:
    assert allowed(catalogue, in_stock_only=True) == [A, C]


def test_each_request_has_its_own_filters(catalogue) -> None:
    filters = Filters(
        exclude_item_ids=tf.constant([["a"], [""]]),
        categories=tf.constant([[""], ["Home"]]),
        price_min=tf.zeros([2]),
        price_max=tf.zeros([2]),
        in_stock_only=tf.constant([False, True]),
    )
    expected = [[False, True, True], [True, False, False]]
    assert allowed_items(catalogue, filters).numpy().tolist() == expected


def test_random_batches_pass_what_each_item_passes_alone() -> None:
    rng = np.random.default_rng(4)
    paths = ["A", "A > B", "A > B > C", "A > D", "E", "E > F", ""]
    n = 60
    ids = [f"i{row}" for row in range(n)]
    category = rng.choice(paths, n).tolist()
    price = np.where(rng.random(n) < 0.2, np.nan, rng.uniform(1, 9, n).round(1))
    stock = rng.random(n) < 0.6
    catalogue = Catalogue(
        pa.table(
            {
                "item_id": ids,
                "category": category,
                "price": pa.array(price, pa.float32(), from_pandas=True),
                "in_stock": pa.array(stock.astype(np.int64)),
            }
        )
    )
    for size in (1, 1, 1, 4, 7):
        wanted = rng.choice(["", "", "A", "A > B", "E", "Moon"], (size, 2))
        wanted[rng.random(size) < 0.4] = ""
        least = rng.choice([0.0, 2.5, 6.0], size)
        most = rng.choice([0.0, 4.0, 8.0], size)
        only = rng.random(size) < 0.3
        without = rng.choice([*ids, "", "nobody"], (size, 5))
        found = allowed_items(
            catalogue,
            Filters(
                exclude_item_ids=tf.constant(without),
                categories=tf.constant(wanted),
                price_min=tf.constant(least, tf.float32),
                price_max=tf.constant(most, tf.float32),
                in_stock_only=tf.constant(only),
            ),
        )
        assert found.shape == (size, n)
        for b in range(size):
            named = [path for path in wanted[b] if path]
            for row in range(n):
                below = [f"{category[row]} > ".startswith(f"{w} > ") for w in named]
                expected = (
                    ids[row] not in without[b]
                    and (not named or any(below))
                    and (least[b] <= 0 or price[row] >= np.float32(least[b]))
                    and (most[b] <= 0 or price[row] <= np.float32(most[b]))
                    and (stock[row] or not only[b])
                )
                assert bool(found[b, row]) == expected, (b, row)
