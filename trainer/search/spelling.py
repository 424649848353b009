"""Misspelt words of queries, corrected in the graph before anything is looked for.

Only words that no item has, and that people of the shop do not use either, are ever
changed, into a word of the catalogue one edit away: a letter too many, too few, another
one, or two that changed places (Damerau 1964: four in five mistakes). Of several the
least cost wins, as in `serving.suggest.speller`, which also looks at two edits, spaces
and the words beside, and tells what it did.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.text.edits import FIRST_LETTER, MIN_LETTERS, MISSPELLING_RATIO
from trainer.one_op import one_op
from trainer.search.analyzer import PAIR
from trainer.search.catalogue_words import CatalogueWords
from trainer.search.fingerprints import END, find, fingerprints, fingerprints_of
from trainer.search.query_clicks import QueryClicks
from trainer.search.query_terms import join_terms
from trainer.search.spelling_table import ANY, build_spelling_table

# Bounds the work of one query: longer words, and more unknown ones, stay as they are.
MAX_LETTERS = 32
MAX_WORDS = 8


class Reading(NamedTuple):
    """Queries as the shop would write them."""

    ids: tf.Tensor  # [N] int32 term ids of all queries' terms, one after the other
    joined: tf.Tensor  # [B] string: each query's terms with spaces between
    texts: tf.Tensor  # [B] string: the query as typed, or what stands in for it


class Spelling(tf.Module):
    """Corrections against one catalogue.

    Args:
      words: of the catalogue.
      terms: [V] bytes, those of its index.
      clicks: as of the cut-off of the moments: words that people use.
    """

    def __init__(
        self,
        words: CatalogueWords,
        terms: npt.NDArray[np.object_],
        clicks: QueryClicks,
    ) -> None:
        super().__init__(name="spelling")
        self._unknown = len(terms)
        table = build_spelling_table(words, terms)
        self._items_with = np.append(table.items_with, 0)
        self._keys = _fixed(table.keys, "keys")
        self._term_of = _fixed(table.terms, "term_of")
        self._costs = _fixed(table.costs, "costs")
        self._first_letters = _fixed(table.first_letters, "first_letters")
        self._names = tf.constant([*terms.tolist(), b""])
        self._shown = tf.constant([*table.shown, ""])
        self._used = tf.Variable(
            self._used_words(clicks), trainable=False, shape=[None], name="used_words"
        )

    def swap(self, clicks: QueryClicks) -> None:
        """Takes the words that people use as of another cut-off."""
        self._used.assign(self._used_words(clicks))

    def read(
        self, queries: tf.Tensor, words: tf.RaggedTensor, ids: tf.Tensor
    ) -> Reading:
        """The queries with their misspelt words corrected.

        Args:
          queries: [B] string as typed.
          words: [B, (T)] string, the analyzer's terms of them; N in all.
          ids: [N] int32 ids of these, V where no item has the term.
        """

        def as_typed() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            return ids, join_terms(words), queries

        with one_op():
            found = tf.cond(
                tf.reduce_any(ids == self._unknown),
                lambda: self._corrected(queries, words, ids),
                as_typed,
            )
        return Reading(*found)

    def _corrected(
        self, queries: tf.Tensor, words: tf.RaggedTensor, ids: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        flat, rows = words.flat_values, words.value_rowids()
        length = tf.strings.length(flat, unit="UTF8_CHAR")
        unknown = (ids == self._unknown) & tf.strings.regex_full_match(flat, r"\pL+")
        unknown &= (length >= MIN_LETTERS) & (length <= MAX_LETTERS)
        unknown &= ~find(self._used.read_value(), fingerprints(flat))[1]
        # The place of each unknown word among those of its query.
        before = tf.cumsum(tf.cast(unknown, tf.int32), exclusive=True)
        begins = tf.gather(tf.concat([before, [0]], axis=0), words.row_starts())
        unknown &= before - tf.gather(begins, rows) < MAX_WORDS
        places = tf.where(unknown)
        near = self.near(tf.gather_nd(flat, places))
        new = tf.tensor_scatter_nd_update(ids, places, near)
        is_new = new != ids
        names = tf.where(is_new, tf.gather(self._names, new), flat)
        shown = tf.where(new == self._unknown, flat, tf.gather(self._shown, new))
        shown = tf.where(tf.strings.regex_full_match(flat, PAIR), "", shown)
        changed = tf.math.unsorted_segment_max(
            tf.cast(is_new, tf.int32), rows, tf.size(queries, tf.int64)
        )
        read = tf.strings.reduce_join(
            words.with_flat_values(shown), axis=-1, separator=" "
        )
        texts = tf.where(changed > 0, read, queries)
        return new, join_terms(words.with_flat_values(names)), texts

    def near(self, words: tf.Tensor) -> tf.Tensor:
        """[U] int32: ids of the terms that may stand in for unknown words [U] string.

        V where there is none. The cost of a word is less by .25 for each tenfold number
        of items, and more by .5 where its first letter is another one.
        """
        variants = _variants(words)
        keys = tf.reshape(fingerprints(variants), [-1])
        place, is_word = find(self._keys.read_value(), keys)
        place = tf.where(is_word, place, tf.size(self._keys) - 1)
        place = tf.reshape(place, tf.shape(variants))
        first = fingerprints(tf.strings.substr(words, 0, 1, unit="UTF8_CHAR"))
        other = tf.gather(self._first_letters.read_value(), place) != first[:, None]
        costs = tf.gather(self._costs.read_value(), place)
        costs += FIRST_LETTER * tf.cast(other, tf.float32)
        best = tf.gather(place, tf.argmin(costs, axis=1), batch_dims=1)
        return tf.cast(tf.gather(self._term_of.read_value(), best), tf.int32)

    def _used_words(self, clicks: QueryClicks) -> npt.NDArray[np.int64]:
        """[W + 1] fingerprints of words that people use and mean, ascending."""
        if not clicks.words:
            return np.array([END])
        near = self.near(tf.constant(list(clicks.words), tf.string)).numpy()
        searches = dict(zip(clicks.words, clicks.word_searches.tolist(), strict=True))
        names = [name.decode() for name in self._names.numpy()[near]]
        better = self._items_with[near] + [searches.get(name, 0) for name in names]
        is_word = better < MISSPELLING_RATIO * clicks.word_searches
        kept = [word for word, kept in zip(clicks.words, is_word, strict=True) if kept]
        return np.append(np.sort(fingerprints_of(kept)), END)


def _variants(words: tf.Tensor) -> tf.Tensor:
    """[U, 4 (L + 1)] string: what is one edit from words [U] of up to L letters.

    Words with a letter less or two swapped, and such in which any letter stands in one
    place, for one that is another or is missing.
    """
    letters = tf.strings.length(words, unit="UTF8_CHAR")[:, None]
    places = tf.range(tf.reduce_max(tf.concat([letters, [[0]]], axis=0)) + 1)
    at = tf.minimum(places, letters)
    each = tf.tile(words[:, None], [1, tf.size(places)])
    nothing, one = tf.zeros_like(at), tf.ones_like(at)
    heads = tf.strings.substr(each, nothing, at, unit="UTF8_CHAR")
    tails = tf.strings.substr(each, at, letters - at, unit="UTF8_CHAR")
    letter = tf.strings.substr(each, at, one, unit="UTF8_CHAR")
    without, next_letter = _shifted(tails), _shifted(letter)
    any_letter = tf.fill(tf.shape(at), ANY)
    return tf.concat(
        [
            tf.strings.join([heads, without]),
            tf.strings.join([heads, next_letter, letter, _shifted(without)]),
            tf.strings.join([heads, any_letter, without]),
            tf.strings.join([heads, any_letter, tails]),
        ],
        axis=1,
    )


def _shifted(texts: tf.Tensor) -> tf.Tensor:
    """Each row one place to the left."""
    return tf.pad(texts[:, 1:], [[0, 0], [0, 1]], constant_values="")


def _fixed(values: npt.NDArray[np.generic], name: str) -> tf.Variable:
    return tf.Variable(values, trainable=False, name=name)
