"""Training on a constructed world: losses fall, weights move, synonyms meet."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer.text_encoder import worlds
from trainer.text_encoder.encoder import new_encoder
from trainer.text_encoder.fit import FittedTextEncoder, fit_text_encoder
from trainer.text_encoder.item_text import item_texts
from trainer.text_encoder.pretrain import pretrain
from trainer.text_encoder.tokens import tokenize
from trainer.text_encoder.vocabulary import count_words, learn_vocabulary
from trainer.text_encoder.wordpiece import WordPieceTokenizer

pytestmark = pytest.mark.slow


# What people asked for alone.
CLICKS = worlds.CONFIG.replace(title_pairs=0)


@pytest.fixture(scope="module")
def fitted() -> FittedTextEncoder:
    return fit_text_encoder(
        worlds.items(), worlds.events(), CLICKS, before=worlds.BEFORE
    )


def _ranks(fitted: FittedTextEncoder) -> np.ndarray:
    """0-based rank of the item that each held-out query asks for."""
    queries, rows = worlds.held_out()
    vectors = fitted.export.embed_items(tf.constant(fitted.texts)).numpy()
    asked = fitted.export.embed_queries(tf.constant(queries)).numpy()
    scores = asked @ vectors.T
    own = np.take_along_axis(scores, np.array(rows)[:, None], 1)
    return (scores > own).sum(axis=1)


def test_synonyms_that_clicks_teach_are_found_by_new_queries(fitted) -> None:
    untrained = fit_text_encoder(
        worlds.items(),
        None,
        CLICKS.replace(pretrain_epochs=0),
        before=worlds.BEFORE,
    )
    # Titles share the adjective only: without training 8 items of 32 tie for it, and
    # the right noun is one of 4. Trained, adjective and synonym both count.
    assert _ranks(fitted).mean() < 1.0
    assert _ranks(fitted).mean() < _ranks(untrained).mean()


def test_losses_fall_and_the_report_says_so(fitted) -> None:
    report = fitted.report
    for phase in ("pretrain", "contrastive"):
        losses = report[phase]["losses"]
        assert losses[-1] < 0.9 * losses[0], phase
        assert report[phase]["steps"] > 0 and not report[phase]["out_of_time"]
    count = report["parameters"]
    assert count["trainable"] == count["total"] > 32 * report["vocabulary_size"]
    assert report["pairs"]["queries"] == 4 * 7
    assert report["output_dim"] == 32


def test_pretraining_moves_the_encoder() -> None:
    texts = item_texts(worlds.items())
    tokenizer = WordPieceTokenizer(learn_vocabulary(count_words(texts), 200))
    encoder = new_encoder(tokenizer.vocabulary_size, worlds.CONFIG)
    before = [variable.numpy() for variable in encoder.weights]
    ids = tokenize(tokenizer, texts, 12)
    report = pretrain(encoder, tokenizer, ids, worlds.CONFIG, 1e9)
    moved = [
        variable.path
        for variable, old in zip(encoder.weights, before, strict=True)
        if not np.allclose(variable.numpy(), old)
    ]
    # Keras 3 inside tf-keras would train the head alone. A bias of the keys adds the
    # same to all scores of a token, which softmax ignores.
    still = {v.path for v in encoder.weights} - set(moved)
    assert all(path.endswith("key/bias") for path in still)
    assert any(path.startswith("token_embedding") for path in moved)
    assert report["losses"][-1] < report["losses"][0]


def test_the_same_seed_gives_the_same_vectors(fitted) -> None:
    again = fit_text_encoder(
        worlds.items(), worlds.events(), CLICKS, before=worlds.BEFORE
    )
    texts = tf.constant(["red sofa", "old rug"])
    np.testing.assert_allclose(
        again.export.embed_queries(texts), fitted.export.embed_queries(texts), atol=1e-4
    )


def test_a_projection_gives_the_asked_width_and_hard_negatives_are_mined() -> None:
    asked: list[str] = []

    def miner(queries: list[str], k: int) -> list[list[int]]:
        asked.extend(queries)
        return [[0, 1, 2, -1][:k] for _ in queries]

    config = CLICKS.replace(
        output_dim=16, hard_negatives=2, contrastive_epochs=1, pretrain_epochs=0
    )
    fitted = fit_text_encoder(
        worlds.items(), worlds.events(), config, before=worlds.BEFORE, miner=miner
    )
    assert fitted.export.embed_items(tf.constant(["couch"])).shape == (1, 16)
    assert len(asked) == 28


def test_no_new_step_after_the_time_budget() -> None:
    config = worlds.CONFIG.replace(time_budget_s=1e-3)
    fitted = fit_text_encoder(
        worlds.items(), worlds.events(), config, before=worlds.BEFORE
    )
    assert fitted.report["pretrain"]["steps"] == 0
    assert fitted.report["pretrain"]["out_of_time"]


def test_a_search_log_that_has_just_begun_does_not_take_the_titles_place() -> None:
    config = worlds.CONFIG.replace(pretrain_epochs=0, contrastive_epochs=1)
    events = worlds.events().slice(0, 1)
    few = fit_text_encoder(worlds.items(), events, config, before=worlds.BEFORE)
    none = fit_text_encoder(worlds.items(), None, config, before=worlds.BEFORE)
    made = none.report["pairs"]["query_items"]
    assert few.report["pairs"]["query_items"] == made + 1
    assert few.report["contrastive"]["steps"] >= none.report["contrastive"]["steps"] > 0
