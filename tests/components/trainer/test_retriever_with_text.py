"""The Retriever's door with a text encoder and search pages, on one small shop."""

from __future__ import annotations

import json
import types
from pathlib import Path

import numpy as np
import pytest

import trainer  # noqa: F401  (sets TF_USE_LEGACY_KERAS)

import tensorflow as tf  # isort: skip

from core.errors import ArtifactError
from tests.components.trainer import even_odd_shop as shop
from tests.components.trainer.transform_graphs import build_transform_graph
from trainer import retriever_module
from trainer.data.examples import write_split
from trainer.retriever.text_vectors import read_text_vectors
from trainer.text_encoder.item_text import item_texts

pytestmark = pytest.mark.slow

NOW = 30 * shop.DAY


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    write_split(str(root / "items"), "train", shop.items())
    for number, split in enumerate(("train", "eval"), start=1):
        write_split(str(root / "moments"), f"next_{split}", shop.moments(number))
        write_split(str(root / "searches"), split, shop.searches(number))
    build_transform_graph(
        shop.events(shop.items(), shop.moments(1)), shop.transform_config(), root
    )
    encoder = shop.KindEncoder()
    tf.saved_model.save(encoder, str(root / "text_encoder"))
    (root / "vectors").mkdir()
    vectors = encoder.embed_items(tf.constant(item_texts(shop.items()))).numpy()
    np.save(root / "vectors" / "item_vectors.npy", vectors)
    uris = {
        "items": "items",
        "moments": "moments",
        "searches": "searches",
        "text_encoder": "text_encoder",
        "item_vectors": "vectors",
    }
    retriever_module.run_fn(
        types.SimpleNamespace(
            custom_config={
                "config": shop.retriever_config().to_json(),
                "uris": {name: str(root / path) for name, path in uris.items()},
            },
            transform_graph_path=str(root / "graph"),
            serving_model_dir=str(root / "model"),
            model_run_dir=str(root / "run"),
        )
    )
    return root


@pytest.fixture(scope="module")
def model(folder: Path) -> tf.Module:
    return tf.saved_model.load(str(folder / "model"))


def _moment(count: int, rows: list[int]) -> tuple[tf.Tensor, ...]:
    """Somebody unknown, who saw the items `rows` a day ago."""
    shape = [count, len(rows)]
    return (
        tf.fill([count], "nobody"),
        tf.fill([count], tf.constant(NOW, tf.int64)),
        tf.tile(tf.constant([rows], tf.int32), [count, 1]),
        tf.zeros(shape, tf.int32),
        tf.fill(shape, tf.constant(NOW - shop.DAY, tf.int64)),
        tf.fill([count, 1], "??"),
    )


def _search(model: tf.Module, queries: list[str], *moment: tf.Tensor) -> tf.Tensor:
    """As the search funnel asks: with the encoder that came with the towers."""
    words = model.text_encoder.embed_queries(tf.constant(queries))
    return model.embed_search(words, *moment)


def _columns(title: str) -> dict[str, tf.Tensor]:
    texts = {"item_id": "new", "title": title, "category": "", "brand": ""}
    columns = {name: tf.constant([text]) for name, text in texts.items()}
    return {**columns, "price": tf.constant([np.nan], tf.float32)}


def _top(model: tf.Module, embeddings: tf.Tensor, k: int = 10) -> np.ndarray:
    scores = embeddings.numpy() @ model.item_embeddings.numpy().T
    return np.argsort(-scores, axis=1)[:, :k]


def test_a_new_item_lands_among_items_of_alike_text(model: tf.Module) -> None:
    # No title of the shop holds these words: only the text encoder knows them.
    for parity, title in enumerate(("Cup", "Light")):
        found = _top(model, model.embed_item(_columns(title)))
        assert (found % 2 == parity).all()


def test_embed_item_of_the_catalogue_is_the_item_matrix(model: tf.Module) -> None:
    items = shop.items()
    columns = {
        name: tf.constant(items.column(name).fill_null("").to_pylist())
        for name in ("item_id", "title", "category", "brand")
    }
    prices = items.column("price").fill_null(np.nan).to_numpy()
    found = model.embed_item({**columns, "price": tf.constant(prices, tf.float32)})
    np.testing.assert_allclose(found, model.item_embeddings.numpy(), atol=1e-5)


def test_words_lead_somebody_unknown_to_what_they_name(model: tf.Module) -> None:
    # Nobody searched for a cup or a light: the encoder says what they are.
    queries = ["mug", "cup", "lamp", "a light"]
    found = _top(model, _search(model, queries, *_moment(4, [shop.NUM_ITEMS])))
    assert (found[:2] % 2 == 0).mean() >= 0.9
    assert (found[2:] % 2 == 1).mean() >= 0.9


def test_words_weigh_more_than_the_history(model: tf.Module) -> None:
    # Lamps seen, a mug wanted: with the words the page holds more mugs than without.
    moment = _moment(1, [1, 3, 5])
    without = _top(model, model.embed_query(*moment))
    found = _top(model, _search(model, ["mug"], *moment))
    assert (without % 2 == 0).sum() <= 1
    assert (found % 2 == 0).sum() >= 5


def test_no_words_are_no_search(model: tf.Module) -> None:
    moment = _moment(2, [0, 2])
    np.testing.assert_allclose(
        _search(model, ["", "unknown words"], *moment),
        model.embed_query(*moment),
        atol=1e-6,
    )


def test_embeddings_with_words_are_normalized(model: tf.Module) -> None:
    found = _search(model, ["mug", ""], *_moment(2, [1]))
    assert found.dtype == tf.float32 and found.shape == (2, 8)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)


def test_the_history_tells_recall_with_and_without_words(folder: Path) -> None:
    history = json.loads((folder / "run" / "history.json").read_text())
    best = history["epochs"][history["best_epoch"] - 1]
    assert best["recall"] > 0.9  # half the catalogue is of the right kind
    assert best["search_recall"] > 0.9
    assert len(history["refit"]) == history["best_epoch"]


def test_vectors_of_another_catalogue_are_refused(folder: Path) -> None:
    paths = str(folder / "text_encoder"), str(folder / "vectors")
    assert len(read_text_vectors(*paths, shop.NUM_ITEMS).item_vectors) == shop.NUM_ITEMS
    with pytest.raises(ArtifactError, match="41"):
        read_text_vectors(*paths, shop.NUM_ITEMS + 1)
