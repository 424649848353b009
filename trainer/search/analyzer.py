"""Text to index terms with core TensorFlow string ops, for items and queries alike."""

from __future__ import annotations

import tensorflow as tf

from core.text.folding import folding_table
from core.text.simplified import simplified_points
from core.text.tokens import PLURALS, STOP_WORDS
from trainer.layers.code_points import CodePointTable
from trainer.one_op import one_op

# Each Chinese or Japanese character becomes a token of its own, long vowel marks too.
_IDEOGRAPH = r"[\p{Han}\p{Hiragana}\p{Katakana}ー]"
# Two of them that touch: no word of its own, and no part of the text.
PAIR = rf"{_IDEOGRAPH}{{2}}"
# A mark between words that do not touch, of a private use block that folding empties.
_BREAK = "\ue000"
_MARKS = range(0xE000, 0xE010)
# Printable ASCII: folding it is lower-casing it.
_PLAIN = r"[ -~]*"

_Terms = tuple[tf.Tensor, tf.Tensor]  # values, row splits


class Analyzer(tf.Module):
    """Folds, splits and stems text; the same object at build time and in the bundle.

    Words are runs of letters and marks; numbers stand alone, so "10cm" equals "10 cm";
    Chinese and Japanese give every character, simplified, and every pair of neighbours;
    English plurals become singulars; stop words go.
    """

    def __init__(self, stop_words: tuple[str, ...] = STOP_WORDS) -> None:
        super().__init__(name="analyzer")
        splits, values = folding_table()
        values = simplified_points(values)
        values[splits[list(_MARKS)]] = ord(" ")
        self._folded = CodePointTable(splits, values)
        left_out = [*stop_words, _BREAK]
        self._left_out = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(left_out), tf.ones([len(left_out)], tf.int32)
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
        # Flat values and row numbers throughout: ragged slices and masks cost a query
        # several times what its words do. Plain text needs neither table nor pairs.
        is_plain = tf.reduce_all(tf.strings.regex_full_match(texts, _PLAIN))
        with one_op():
            values, splits = tf.cond(
                is_plain,
                lambda: self._plain_terms(texts, max_characters),
                lambda: self._all_terms(texts, max_characters),
            )
        return tf.RaggedTensor.from_row_splits(values, splits, validate=False)

    def _plain_terms(self, texts: tf.Tensor, max_characters: int | None) -> _Terms:
        if max_characters is not None:
            texts = tf.strings.substr(texts, 0, max_characters)
        tokens, rows = _split(_words_apart(tf.strings.lower(texts), gap=" "))
        kept = tf.where(self._left_out.lookup(tokens) == 0)[:, 0]
        ends = _row_ends(tf.gather(rows, kept), tf.shape(texts, tf.int64)[0])
        return _stemmed(tf.gather(tokens, kept)), tf.concat([[0], ends], axis=0)

    def _all_terms(self, texts: tf.Tensor, max_characters: int | None) -> _Terms:
        texts = _words_apart(self.fold(texts, max_characters), gap=f" {_BREAK} ")
        texts = tf.strings.regex_replace(texts, f"({_IDEOGRAPH})", r" \1 ")
        tokens, rows = _split(texts)
        kept = tf.where(self._left_out.lookup(tokens) == 0)[:, 0]
        words, word_rows = _stemmed(tf.gather(tokens, kept)), tf.gather(rows, kept)
        pairs, pair_rows = _pairs(tokens, rows)
        batch = tf.shape(texts, tf.int64)[0]
        word_ends = _row_ends(word_rows, batch)
        pair_ends = _row_ends(pair_rows, batch)
        # Each row's words, then its pairs.
        before = tf.concat([[0], pair_ends], axis=0)
        places = [
            tf.range(tf.size(words)) + tf.gather(before, word_rows),
            tf.range(tf.size(pairs)) + tf.gather(word_ends, pair_rows),
        ]
        values = tf.dynamic_stitch(places, [words, pairs])
        return values, tf.concat([[0], word_ends + pair_ends], axis=0)

    def fold(self, texts: tf.Tensor, max_characters: int | None = None) -> tf.Tensor:
        """[B] string: compatibility forms; case and accents removed."""
        decoded = tf.raw_ops.UnicodeDecode(
            input=texts,
            input_encoding="UTF-8",
            errors="replace",
            replacement_char=ord(" "),
            Tsplits=tf.int32,
        )
        points, splits = decoded.char_values, decoded.row_splits
        if max_characters is not None:
            kept = tf.raw_ops.RaggedRange(
                starts=splits[:-1],
                limits=tf.minimum(splits[1:], splits[:-1] + max_characters),
                deltas=1,
                Tsplits=tf.int32,
            )
            points, splits = tf.gather(points, kept.rt_dense_values), kept[0]
        folded, ends = self._folded(points)
        return tf.raw_ops.UnicodeEncode(
            input_values=folded,
            input_splits=tf.gather(ends, splits),
            output_encoding="UTF-8",
        )


def _words_apart(texts: tf.Tensor, gap: str) -> tf.Tensor:
    """Folded texts with words and numbers apart, `gap` for all that is neither."""
    # Apostrophes inside a word bind it: men's = mens.
    texts = tf.strings.regex_replace(texts, r"(\pL)['’](\pL)", r"\1\2")
    texts = tf.strings.regex_replace(texts, r"(\d)[.,](\d)", r"\1_\2")
    texts = tf.strings.regex_replace(texts, r"[^\pL\pM\pN_]+", gap)
    return tf.strings.regex_replace(texts, r"(\d+(?:_\d+)*)", r" \1 ")


def _split(texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Tokens between spaces, all in one list, and the row of each."""
    found = tf.raw_ops.StringSplitV2(input=texts, sep="", maxsplit=-1)
    return found.values, found.indices[:, 0]


def _row_ends(rows: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
    """[B] int32: where each row ends in ascending row numbers."""
    return tf.searchsorted(rows, tf.range(batch), side="right")


def _stemmed(words: tf.Tensor) -> tf.Tensor:
    words = tf.strings.regex_replace(words, "_", ".")
    for ending, singular in PLURALS:
        words = tf.strings.regex_replace(words, ending, singular)
    return words


def _pairs(tokens: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Neighbouring Chinese or Japanese characters, joined, and the row of each."""
    is_one = tf.strings.regex_full_match(tokens, _IDEOGRAPH)
    is_pair = is_one[:-1] & is_one[1:] & (rows[:-1] == rows[1:])
    places = tf.where(is_pair)[:, 0]
    joined = tf.strings.join([tf.gather(tokens, places), tf.gather(tokens, places + 1)])
    return joined, tf.gather(rows, places)
