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
    [(0.0, 5.0, [A, B]), (3.0, 0.0, [B]), (2.0, 2.0, [A]), (6.0, 7.0, [])],
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
