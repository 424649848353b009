"""Transform graph → Retriever door → SavedModel, on one small shop."""

from __future__ import annotations

import inspect
import types
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import trainer  # noqa: F401  (sets TF_USE_LEGACY_KERAS)

import tensorflow as tf  # isort: skip
import tensorflow_transform as tft

from core.config.retriever import RetrieverConfig
from tests.components.trainer import even_odd_shop
from tests.components.trainer.even_odd_shop import DAY, NUM_ITEMS, NUM_USERS
from tests.components.trainer.transform_graphs import build_transform_graph
from trainer import retriever_module, transform_module
from trainer.data import examples
from trainer.export.query_features import QueryFeatures
from trainer.export.retriever_export import newest_slots
from trainer.preprocessing import names
from trainer.retriever import moments
from trainer.retriever.catalogue import read_catalogue
from trainer.retriever.moments import make_moments, read_moments
from trainer.retriever.transformed import apply_layer, feature_sizes, transform_table


class _Shop(types.SimpleNamespace):
    folder: Path
    transform: tft.TFTransformOutput
    config: RetrieverConfig


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> _Shop:
    folder = tmp_path_factory.mktemp("shop")
    items, moments = even_odd_shop.items(), even_odd_shop.moments(1)
    examples.write_split(str(folder / "items"), "train", items)
    examples.write_split(str(folder / "moments"), "next_train", moments)
    examples.write_split(str(folder / "moments"), "next_eval", even_odd_shop.moments(2))
    config = even_odd_shop.transform_config()
    events = even_odd_shop.events(items, moments)
    transform = build_transform_graph(events, config, folder)
    retriever = even_odd_shop.retriever_config()
    fn_args = types.SimpleNamespace(
        custom_config={
            "config": retriever.to_json(),
            "uris": {
                "items": str(folder / "items"),
                "moments": str(folder / "moments"),
            },
        },
        transform_graph_path=str(folder / "graph"),
        serving_model_dir=str(folder / "model"),
        model_run_dir=str(folder / "run"),
    )
    retriever_module.run_fn(fn_args)
    return _Shop(folder=folder, transform=transform, config=retriever)


@pytest.fixture(scope="module")
def model(shop: _Shop) -> tf.Module:
    return tf.saved_model.load(str(shop.folder / "model"))


def test_doors_have_their_signatures() -> None:
    run = inspect.signature(retriever_module.run_fn)
    assert list(run.parameters) == ["fn_args"]
    preprocess = inspect.signature(transform_module.preprocessing_fn)
    assert list(preprocess.parameters) == ["inputs", "custom_config"]


def test_transformed_features_have_documented_names_and_widths(shop: _Shop) -> None:
    spec = shop.transform.transformed_feature_spec()
    widths = {name: feature.shape for name, feature in spec.items()}
    assert widths == {
        names.USER_ID: [],
        names.ITEM_ID: [],
        names.CATEGORY: [2],
        names.BRAND: [],
        names.EVENT: [],
        names.LOG_PRICE: [],
        names.PRICE_BUCKET: [],
        names.TITLE_TOKENS: [4],
        names.HOUR: [],
        names.WEEKDAY: [],
        names.context("country"): [],
    }


def test_item_columns_alone_give_item_features(shop: _Shop) -> None:
    out = transform_table(shop.transform, even_odd_shop.items())
    assert names.USER_ID not in out
    assert out[names.ITEM_ID][-1] == 0  # in no event: out of vocabulary
    assert (np.sort(out[names.CATEGORY][:, 0]) == 1).all()  # "Home" is most frequent
    assert set(out[names.BRAND][::3]) == {1}
    assert (out[names.PRICE_BUCKET][::10] == 0).all()  # price unknown
    assert (out[names.LOG_PRICE][::10] == 0).all()
    known = np.arange(NUM_ITEMS) % 10 > 0
    assert (np.diff(out[names.PRICE_BUCKET][known]) >= 0).all()  # prices rise
    assert set(out[names.PRICE_BUCKET][known]) == {1, 2, 3, 4}


def test_vocabularies_are_counted_over_all_rows(shop: _Shop) -> None:
    sizes = feature_sizes(shop.transform)
    assert sizes[names.USER_ID] == NUM_USERS
    assert sizes[names.context("country")] == 2
    assert sizes[names.CATEGORY] == 3  # Home, Home > mug, Home > lamp


def test_moments_become_rows_and_ages(shop: _Shop) -> None:
    catalogue = read_catalogue(str(shop.folder / "items"), shop.transform)
    arrays = read_moments(
        str(shop.folder / "moments"),
        "next_train",
        catalogue,
        shop.transform,
        shop.config,
    )
    raw = even_odd_shop.moments(1)
    first = [int(i[1:]) for i in raw.column("history_item_ids")[0].as_py()]
    assert arrays.history_rows[0].tolist() == [NUM_ITEMS, *first]  # left-padded
    assert arrays.history_events[0].tolist() == [-1, 0, 0, 0]
    assert arrays.history_ages[0, 1:].tolist() == [8, 7, 6]  # 3, 2, 1 days
    assert arrays.target_rows[0] == int(raw.column("target_item_ids")[0].as_py()[0][1:])
    assert set(np.diff(arrays.target_offsets)) == {1}


def test_moments_in_pieces_are_the_same_moments(
    shop: _Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = read_catalogue(str(shop.folder / "items"), shop.transform)
    uri, split = str(shop.folder / "moments"), "next_train"
    table = examples.read_split(uri, split)
    whole = make_moments(table, catalogue, shop.transform, shop.config)
    examples.write_split(str(shop.folder / "pieces"), split, table, num_shards=5)
    monkeypatch.setattr(moments, "_ROWS_AT_ONCE", table.num_rows // 3)
    pieces = read_moments(
        str(shop.folder / "pieces"), split, catalogue, shop.transform, shop.config
    )
    assert whole.num_moments == pieces.num_moments > 0
    for name in ("history_rows", "history_ages", "target_rows", "target_offsets"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(pieces, name))
    few = shop.config.replace(max_moments=table.num_rows // 2)
    some = read_moments(uri, split, catalogue, shop.transform, few)
    assert 0 < some.num_moments < whole.num_moments


def _query(model: tf.Module, rows: list[list[int]], user: str = "nobody") -> np.ndarray:
    history = tf.constant(rows, tf.int32)
    count = len(rows)
    now = tf.fill([count], tf.constant(30 * DAY, tf.int64))
    return model.embed_query(
        tf.fill([count], user),
        now,
        history,
        tf.where(history < NUM_ITEMS, 0, -1),
        tf.where(history < NUM_ITEMS, now[:, None] - DAY, tf.constant(0, tf.int64)),
        tf.fill([count, 1], "??"),
    ).numpy()


def test_query_features_are_those_of_the_transform_graph(shop: _Shop) -> None:
    columns = {
        "user_id": tf.constant(["u1", "u2", "", "nobody"]),
        "timestamp": tf.constant(
            [0, 30 * DAY + 3_600, 31 * DAY - 1, 5 * DAY], tf.int64
        ),
    }
    features = shop.config.context_features
    context = tf.constant([["DE"], ["??"], [""], ["UK"]])
    wanted = apply_layer(
        shop.transform.transform_features_layer(),
        shop.transform.raw_feature_spec(),
        columns | {name: context[:, i] for i, name in enumerate(features)},
    )
    found = QueryFeatures(shop.transform, features)(*columns.values(), context)
    assert {"user_id_xf", "hour_xf", "weekday_xf"} <= set(found)
    for name, values in found.items():
        np.testing.assert_array_equal(values, wanted[name])


def test_history_decides_what_is_retrieved(model: tf.Module) -> None:
    queries = _query(model, [[0, 2, 4], [1, 3, 5]])
    scores = queries @ model.item_embeddings.numpy().T
    top = np.argsort(-scores, axis=1)[:, :10]
    assert (top[0] % 2 == 0).mean() >= 0.9
    assert (top[1] % 2 == 1).mean() >= 0.9


def test_embeddings_are_normalized_for_anyone(model: tf.Module) -> None:
    queries = _query(model, [[NUM_ITEMS] * 3, [0, 2, NUM_ITEMS]], user="")
    np.testing.assert_allclose(np.linalg.norm(queries, axis=1), 1.0, atol=1e-5)
    items = model.item_embeddings.numpy()
    assert items.shape == (NUM_ITEMS, 8)
    np.testing.assert_allclose(np.linalg.norm(items, axis=1), 1.0, atol=1e-5)


def test_side_of_padding_and_long_histories(model: tf.Module) -> None:
    pad = NUM_ITEMS
    expected = _query(model, [[8, 2, 4, 6]])[0]
    for rows in ([pad, 8, 2, 4, 6], [8, 2, 4, 6, pad], [9, 11, 8, 2, 4, 6, pad]):
        np.testing.assert_allclose(_query(model, [rows])[0], expected, atol=1e-5)


def _raw_items(table: pa.Table) -> dict[str, tf.Tensor]:
    columns = {
        name: tf.constant(table.column(name).fill_null("").to_pylist())
        for name in ("item_id", "title", "category", "brand")
    }
    prices = table.column("price").fill_null(np.nan).to_numpy()
    return {**columns, "price": tf.constant(prices, tf.float32)}


def test_embed_item_of_the_catalogue_is_the_item_matrix(model: tf.Module) -> None:
    np.testing.assert_allclose(
        model.embed_item(_raw_items(even_odd_shop.items())).numpy(),
        model.item_embeddings.numpy(),
        atol=1e-5,
    )


def test_new_item_finds_its_kind_by_title(model: tf.Module) -> None:
    new = {
        "item_id": tf.constant(["brand-new"]),
        "title": tf.constant(["a very new LAMP"]),
        "category": tf.constant([""]),
        "brand": tf.constant([""]),
        "price": tf.constant([np.nan], tf.float32),
    }
    scores = model.embed_item(new).numpy() @ model.item_embeddings.numpy().T
    assert (np.argsort(-scores[0])[:5] % 2 == 1).all()


def test_signatures_answer_as_the_methods_do(model: tf.Module) -> None:
    items = _raw_items(even_odd_shop.items())
    answer = model.signatures["embed_item"](**items)["embeddings"]
    np.testing.assert_allclose(answer, model.embed_item(items), atol=1e-6)
    assert set(model.signatures) == {"embed_item", "embed_query"}


def test_run_folder_holds_history_and_logs(shop: _Shop) -> None:
    run = shop.folder / "run"
    assert (run / "history.json").exists()
    assert list((run / "logs").glob("events.out.tfevents.*"))
    assert (run / "refit" / "history.json").exists()


def test_newest_slots_keep_order() -> None:
    valid = tf.constant([[True, False, True, True], [False, False, False, True]])
    assert newest_slots(valid, 2).numpy().tolist() == [[2, 3], [2, 3]]
    assert newest_slots(valid, 9).numpy().tolist() == [[1, 0, 2, 3], [0, 1, 2, 3]]
