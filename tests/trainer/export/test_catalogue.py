import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from trainer.export.catalogue import Catalogue, category_prefixes


def items(**columns: list) -> pa.Table:
    return pa.table(columns)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(
        items(
            item_id=["a", "b", "茶"],
            category=["Home > Mugs", "Home", None],
            price=pa.array([2.0, None, 9.0], pa.float32()),
            in_stock=pa.array([1, 0, None], pa.int64()),
        )
    )


def test_prefixes_of_a_path_go_from_the_top_down() -> None:
    assert category_prefixes("a > b > c") == ["a", "a > b", "a > b > c"]
    assert category_prefixes("") == []


def test_ids_and_rows_are_inverse_and_unknown_ids_are_the_pad(catalogue) -> None:
    rows = catalogue.rows(tf.constant([["茶", "a"], ["", "nobody"]]))
    assert rows.numpy().tolist() == [[2, 0], [3, 3]]
    assert catalogue.ids(rows).numpy().tolist() == [["茶".encode(), b"a"], [b"", b""]]


def test_missing_columns_mean_in_stock_no_price_no_category() -> None:
    bare = Catalogue(items(item_id=["a"]))
    assert bare.in_stock.numpy().tolist() == [True]
    # No price is below every lower limit and above every upper one.
    assert bare.least_prices.numpy().tolist() == [-np.inf]
    assert bare.most_prices.numpy().tolist() == [np.inf]
    assert bare.category_of.numpy().tolist() == [0]
    assert bare.category_prefixes.numpy().tolist() == [[-1]]


def test_an_unknown_stock_counts_as_in_stock(catalogue) -> None:
    assert catalogue.in_stock.numpy().tolist() == [True, False, True]


def test_an_empty_catalogue_answers_the_pad() -> None:
    empty = Catalogue(items(item_id=pa.array([], pa.string())))
    assert empty.rows(tf.constant(["a"])).numpy().tolist() == [0]
