"""Hidden tokens: how many, which, and what stands in their place."""

from __future__ import annotations

import numpy as np

from trainer.text_encoder.masking import hide_tokens
from trainer.text_encoder.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *(f"w{n}" for n in range(95))])
UNKNOWN, MASK = 1, 4


def test_a_share_of_each_row_is_hidden_and_can_be_put_back() -> None:
    rng = np.random.default_rng(0)
    lengths = np.array([20, 10, 2, 0])
    ids = rng.integers(5, 100, (4, 20)).astype(np.int32)
    ids[np.arange(20) >= lengths[:, None]] = 0
    seen, positions, hidden, weights = hide_tokens(ids, TOKENIZER, 0.2, rng)
    assert weights.sum(axis=1).tolist() == [4, 2, 1, 0]
    restored = seen.copy()
    for row, column in zip(*np.nonzero(weights), strict=True):
        assert ids[row, positions[row, column]] > 0
        restored[row, positions[row, column]] = hidden[row, column]
    assert (restored == ids).all()
    assert ((seen == 0) == (ids == 0)).all()
    assert len(set(positions[0])) == 4


def test_special_tokens_are_never_hidden() -> None:
    ids = np.array([[2, UNKNOWN, 50, 3]], np.int32)
    for seed in range(20):
        _, positions, hidden, weights = hide_tokens(
            ids, TOKENIZER, 0.9, np.random.default_rng(seed)
        )
        assert (positions[0, 0], hidden[0, 0], weights.sum()) == (2, 50, 1.0)


def test_eight_in_ten_are_masked_one_replaced_one_kept() -> None:
    ids = np.full((400, 50), 7, np.int32)
    seen, positions, _, weights = hide_tokens(
        ids, TOKENIZER, 0.5, np.random.default_rng(1)
    )
    shown = np.take_along_axis(seen, positions, axis=1)[weights > 0]
    assert len(shown) == 10_000
    # Four standard deviations of 10,000 draws.
    assert abs((shown == MASK).mean() - 0.8) < 0.016
    assert abs((shown == 7).mean() - 0.1) < 0.013
    replaced = shown[(shown != MASK) & (shown != 7)]
    assert replaced.min() >= 5 and len(set(replaced)) > 80
