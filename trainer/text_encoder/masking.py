"""Hides tokens that a masked-language model has to name."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainer.text_encoder.tokens import IntArray
from trainer.text_encoder.wordpiece import WordPieceTokenizer

# Of the hidden tokens: shown as [MASK], shown as another one; the rest stay.
_MASKED, _REPLACED = 0.8, 0.1


def hide_tokens(
    ids: IntArray, tokenizer: WordPieceTokenizer, rate: float, rng: np.random.Generator
) -> tuple[IntArray, IntArray, IntArray, npt.NDArray[np.float32]]:
    """What the model sees and has to name (Devlin et al., 2018, section 3.1).

    In NumPy, since keras-nlp's `MaskedLMMaskGenerator` draws in parallel and gives
    other masks from the same seed.

    Args:
      ids: [B, T] int32; 0 pads.
      rate: share of a row's tokens to hide; at least one where it has any. Special
        tokens are never hidden.

    Returns:
      ids [B, T] with hidden tokens; positions [B, M] of these; what stood there [B, M];
      weights [B, M] float32, 0 where a row has fewer than M.
    """
    usable = ~np.isin(ids, tokenizer.special_ids)
    sizes = usable.sum(axis=1)
    counts = np.minimum(np.maximum(np.rint(rate * sizes).astype(int), 1), sizes)
    most = max(1, int(counts.max(initial=0)))
    draws = np.where(usable, rng.random(ids.shape), -1.0)
    positions = np.argsort(-draws, axis=1)[:, :most].astype(np.int32)
    weights = (np.arange(most) < counts[:, np.newaxis]).astype(np.float32)
    hidden = np.take_along_axis(ids, positions, axis=1)
    fate = rng.random(hidden.shape)
    ordinary = np.setdiff1d(np.arange(tokenizer.vocabulary_size), tokenizer.special_ids)
    shown = np.where(fate < _MASKED, tokenizer.mask_id, hidden)
    replaced = (fate >= _MASKED) & (fate < _MASKED + _REPLACED)
    shown = np.where(replaced, rng.choice(ordinary, hidden.shape), shown)
    seen = ids.copy()
    shown = np.where(weights > 0, shown, hidden).astype(np.int32)
    np.put_along_axis(seen, positions, shown, axis=1)
    return seen, positions, hidden, weights
