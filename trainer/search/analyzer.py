"""Text to index terms with core TensorFlow string ops, for items and queries alike."""

from __future__ import annotations

import tensorflow as tf

from core.text.folding import TABLE_SIZE, folding_table
from core.text.tokens import PLURALS, STOP_WORDS

_CJK = r"\p{Han}\p{Hiragana}\p{Katakana}"
# Marks in the private use area, which the text itself is cleared of first.
_BREAK = "\ue000"  # between words that do not touch
_IDEOGRAPH = "\ue001"  # before each Chinese or Japanese character


class Analyzer(tf.Module):
    """Folds, splits and stems text; the same object at build time and in the bundle.

    Words are runs of letters and marks; numbers stand alone, so "10cm" equals "10 cm";
    Chinese and Japanese give every character and every pair of neighbours; English
    plurals become singulars; stop words go.
    """

    def __init__(self, stop_words: tuple[str, ...] = STOP_WORDS) -> None:
        super().__init__(name="analyzer")
        splits, values = folding_table()
        self._fold_splits = tf.constant(splits)
        self._fold_values = tf.constant(values)
        self._stop_words = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(list(stop_words) or ["\ue002"]),
                tf.ones([max(len(stop_words), 1)], tf.int32),
            ),
            default_value=0,
        )

    def __call__(
        self, texts: tf.Tensor, max_characters: int | None = None
    ) -> tf.RaggedTensor:
        """Terms of each text.

        Args:
          texts: [B] string, UTF-8; invalid bytes count as separators.
          max_characters: how much of each text is read; None for all.

        Returns:
          [B, (T)] string terms in text order, Chinese pairs behind the single
          characters; empty where nothing is left.
        """
        marked = self._marked(self.fold(texts, max_characters))
        tokens = tf.strings.split(marked)
        return tf.concat([self._words(tokens), _pairs(tokens)], axis=1)

    def fold(self, texts: tf.Tensor, max_characters: int | None = None) -> tf.Tensor:
        """[B] string: compatibility forms; case and accents removed."""
        points = tf.strings.unicode_decode(
            texts, "UTF-8", errors="replace", replacement_char=ord(" ")
        )
        if max_characters is not None:
            points = points[:, :max_characters]
        known = tf.where(points.flat_values < TABLE_SIZE, points.flat_values, ord(" "))
        table = tf.RaggedTensor.from_row_splits(
            self._fold_values, self._fold_splits, validate=False
        )
        folded = tf.gather(table, known).with_row_splits_dtype(tf.int64)
        folded = points.with_flat_values(folded)
        return tf.strings.unicode_encode(folded.merge_dims(1, 2), "UTF-8")

    def _marked(self, texts: tf.Tensor) -> tf.Tensor:
        """Tokens set apart by spaces, with marks where the text had a gap."""
        gap = f" {_BREAK} "
        texts = tf.strings.regex_replace(texts, r"[\x{E000}-\x{E00F}]", " ")
        # Apostrophes inside a word bind it: men's = mens.
        texts = tf.strings.regex_replace(texts, r"(\pL)['’](\pL)", r"\1\2")
        texts = tf.strings.regex_replace(texts, r"(\d)[.,](\d)", r"\1_\2")
        texts = tf.strings.regex_replace(texts, r"[^\pL\pM\pN_]+", gap)
        texts = tf.strings.regex_replace(texts, r"(\d+(?:_\d+)*)", r" \1 ")
        return tf.strings.regex_replace(texts, f"([{_CJK}])", rf" {_IDEOGRAPH}\1 ")

    def _words(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        left_out = (tokens == _BREAK) | (self._stop_words.lookup(tokens) > 0)
        words = tf.ragged.boolean_mask(tokens, ~left_out)
        values = tf.strings.regex_replace(words.flat_values, _IDEOGRAPH, "")
        values = tf.strings.regex_replace(values, "_", ".")
        for ending, singular in PLURALS:
            values = tf.strings.regex_replace(values, ending, singular)
        return words.with_flat_values(values)


def _pairs(tokens: tf.RaggedTensor) -> tf.RaggedTensor:
    """[B, (P)] string: neighbouring Chinese or Japanese characters, joined."""
    first, second = tokens[:, :-1], tokens[:, 1:]
    is_pair = _is_ideograph(first.flat_values) & _is_ideograph(second.flat_values)
    joined = tf.strings.join([first.flat_values, second.flat_values])
    joined = tf.strings.regex_replace(joined, _IDEOGRAPH, "")
    return tf.ragged.boolean_mask(
        first.with_flat_values(joined), first.with_flat_values(is_pair)
    )


def _is_ideograph(tokens: tf.Tensor) -> tf.Tensor:
    return tf.strings.substr(tokens, 0, len(_IDEOGRAPH.encode())) == _IDEOGRAPH
