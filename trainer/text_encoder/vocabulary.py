"""A WordPiece vocabulary from the shop's own text."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Mapping

import tensorflow as tf

from core.errors import InputDataError
from trainer.text_encoder.normalization import SHOP, stands_alone
from trainer.text_encoder.wordpiece import SPECIAL_TOKENS, SUFFIX, WordPieceTokenizer
from trainer.traced import traced

_BATCH = 4_096
_MAX_CHARACTERS = 12_000  # of the alphabet
# Rarer words only add their characters to the vocabulary; without a limit a large
# catalogue's product codes take minutes.
_MAX_WORDS = 60_000


def count_words(
    texts: Iterable[str], normalization: str = SHOP
) -> collections.Counter[str]:
    """How often each folded word occurs in the texts."""
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, "a"], normalization=normalization)
    split = traced(
        lambda batch: tokenizer.words(batch).flat_values,
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    texts = list(texts)
    counts: collections.Counter[bytes] = collections.Counter()
    for start in range(0, len(texts), _BATCH):
        counts.update(split(tf.constant(texts[start : start + _BATCH])).numpy())
    return collections.Counter({word.decode(): n for word, n in counts.items()})


def learn_vocabulary(counts: Mapping[str, int], size: int) -> list[str]:
    """Pieces by id, special tokens first.

    What `keras_nlp.tokenizers.compute_word_piece_vocabulary` computes, from counts of
    distinct words: its own counting reads text by text, which takes most of its time.
    Chinese and Japanese characters, which always stand alone, come behind without the
    `##` forms that it would make of each, the frequent ones, and leave a quarter of the
    room to other words.

    Args:
      counts: occurrences of each word, as `count_words` folds them.
      size: the most pieces; few distinct words give fewer.

    Raises:
      InputDataError: there are no words.
    """
    if not counts:
        raise InputDataError(
            "The texts of items and queries must hold at least one word to make a "
            "vocabulary of. Received: none. Map `title` to a column with text."
        )
    # tensorflow_text is training's alone: the served graph has core ops only.
    from tensorflow_text.tools.wordpiece_vocab import (
        wordpiece_tokenizer_learner_lib as learner,
    )

    alone = collections.Counter({w: n for w, n in counts.items() if stands_alone(w)})
    words = collections.Counter({w: n for w, n in counts.items() if w not in alone})
    room = max(0, size - len(SPECIAL_TOKENS))
    most = room - min(len(words), room // 4)
    characters = [word for word, _ in alone.most_common(most)]
    pieces = list(SPECIAL_TOKENS)
    if words:
        pieces = learner.learn(
            collections.Counter(dict(words.most_common(_MAX_WORDS))),
            vocab_size=size - len(characters),
            reserved_tokens=list(SPECIAL_TOKENS),
            max_unique_chars=_MAX_CHARACTERS,
            include_joiner_token=True,
            joiner=SUFFIX,
        )
    kept = list(dict.fromkeys(pieces))[: size - len(characters)]
    return [*kept, *characters]
