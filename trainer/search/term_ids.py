"""Queries to the ids of index terms, in the graph."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.config.lexical import LexicalConfig
from trainer.one_op import one_op
from trainer.search.analyzer import PAIR, Analyzer
from trainer.search.query_terms import join_terms
from trainer.search.spelling import Spelling

# Texts per call of the analyzer: its cost per call is then nothing.
_BATCH = 8192


class TermIds(tf.Module):
    """Term ids of queries: by one look-up of what people type, or by the analyzer.

    Most queries are known words with spaces between. Their lower-cased words, plurals
    too, stand in a table beside what the analyzer makes of each, so that they need none
    of its dozen string ops. One other word, a stop word or a sign sends the batch
    through the analyzer.

    Args:
      terms: [V] bytes, the index's terms.
      config: limits of a query.
      analyzer: the one that the index was built with.
      spelling: of the same index, for `read`; None: words stay as they are.
    """

    def __init__(
        self,
        terms: npt.NDArray[np.object_],
        config: LexicalConfig,
        analyzer: Analyzer,
        spelling: Spelling | None = None,
    ) -> None:
        super().__init__(name="term_ids")
        self._spelling = spelling
        self._config = config
        self._analyzer = analyzer
        self.unknown = len(terms)
        self.unknown_pair = self.unknown + 1
        self.pad = self.unknown + 2
        self._names = tf.constant([*terms.tolist(), b"", b"", b""])
        # A table needs an entry: this one is no term, the analyzer drops the character.
        keys = [*terms.tolist(), b"\xee\x80\x80"]
        ids = np.minimum(np.arange(len(keys)), self.unknown)
        self._ids = _table(keys, ids, default=self.unknown)
        words, found = typed_words(terms, analyzer)
        typed = self._ids.lookup(tf.constant([*found, b"\xee\x80\x80"])).numpy()
        # No word of a lower-cased text: a table needs an entry.
        self._typed = _table([*words, b"A"], typed, default=-1)

    def __call__(self, queries: tf.Tensor) -> tf.Tensor:
        """[B, T] int32 ids of queries [B] string, T at most `max_query_terms`.

        In the analyzer's order; `unknown` for a term that no item holds, `unknown_pair`
        where it is two characters that touch; then `pad`.
        """
        ids, all_known = self._by_words(queries)
        with one_op():
            terms = tf.cond(
                all_known, lambda: ids, lambda: self._numbers(self._analyzed(queries))
            )
        return tf.ensure_shape(terms, [None, None])

    def read(self, queries: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Ids of queries [B] string with misspelt words corrected, and their texts.

        Returns:
          [B, T] int32 ids. [B] string: all of its terms with spaces between; queries
          that are read alike have one such text. [B] string: the query as typed, or
          what stands in for it.
        """
        ids, all_known = self._by_words(queries)

        def by_words() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            # Known terms come first; what pads leave behind is no part of them.
            names = tf.gather(self._names, ids)
            joined = tf.strings.reduce_join(names, axis=1, separator=" ")
            return ids, tf.strings.strip(joined), queries

        def by_analyzer() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            words = self._analyzed(queries)
            numbers = self._ids.lookup(words.flat_values)
            if self._spelling is None:
                return self._padded(words, numbers), join_terms(words), queries
            found = self._spelling.read(queries, words, numbers)
            return self._padded(words, found.ids), found.joined, found.texts

        with one_op():
            terms, joined, texts = tf.cond(all_known, by_words, by_analyzer)
        terms = tf.ensure_shape(terms, [None, None])
        return terms, tf.ensure_shape(joined, [None]), tf.ensure_shape(texts, [None])

    def _by_words(self, queries: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """[B, T] ids of typed words, -1 for others, and whether there are none."""
        # Bytes are characters as long as every word is known: those are ASCII. What is
        # left behind the last split has spaces in it, or ends at nothing: no word.
        most = self._config.max_query_characters
        found = tf.raw_ops.StringSplitV2(
            input=tf.strings.lower(tf.strings.substr(queries, 0, most)),
            sep="",
            maxsplit=self._config.max_query_terms - 1,
        )
        ids = self._typed.lookup(found.values)
        typed = tf.raw_ops.SparseToDense(
            sparse_indices=found.indices,
            output_shape=found.shape,
            sparse_values=ids,
            default_value=self.pad,
            validate_indices=False,
        )
        return typed, tf.reduce_min(ids) >= 0

    def _analyzed(self, queries: tf.Tensor) -> tf.RaggedTensor:
        found: tf.RaggedTensor = self._analyzer(
            queries, self._config.max_query_characters
        )
        return found

    def _numbers(self, words: tf.RaggedTensor) -> tf.Tensor:
        return self._padded(words, self._ids.lookup(words.flat_values))

    def _padded(self, words: tf.RaggedTensor, ids: tf.Tensor) -> tf.Tensor:
        is_pair = tf.strings.regex_full_match(words.flat_values, PAIR)
        ids = tf.where(is_pair & (ids == self.unknown), self.unknown_pair, ids)
        terms: tf.Tensor = words.with_flat_values(ids).to_tensor(self.pad)
        return terms[:, : self._config.max_query_terms]


def typed_words(
    terms: npt.NDArray[np.object_], analyzer: Analyzer
) -> tuple[list[bytes], list[bytes]]:
    """ASCII words that the analyzer reads as one term of the index, and that term.

    A term is such a word itself unless it is a stop word or a plural, and its plurals.
    """
    known = {term for term in terms.tolist() if term.isascii()}
    forms = dict.fromkeys(known)
    for term in known:
        forms |= dict.fromkeys([term + b"s", term + b"es"])
        forms |= dict.fromkeys([term[:-1] + b"ie", term[:-1] + b"ies"])
    words, found = [], []
    texts = sorted(forms)
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        for text, made in zip(
            batch, analyzer(tf.constant(batch)).to_list(), strict=True
        ):
            if len(made) == 1 and made[0] in known:
                words.append(text)
                found.append(made[0])
    return words, found


def _table(
    keys: list[bytes], ids: npt.NDArray[np.integer], default: int
) -> tf.lookup.StaticHashTable:
    pairs = tf.lookup.KeyValueTensorInitializer(
        tf.constant(keys), tf.constant(ids.astype(np.int32))
    )
    return tf.lookup.StaticHashTable(pairs, default_value=default)
