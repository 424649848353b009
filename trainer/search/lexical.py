"""BM25 over the whole catalogue inside the graph, and what the ranker asks of words."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from core.config.lexical import LexicalConfig
from trainer.funnel.scores import pick
from trainer.search.analyzer import PAIR, Analyzer
from trainer.search.coverage import COUNTERS, NAMED, counted, coverage_codes, idf_steps
from trainer.search.inverted_index import InvertedIndex
from trainer.search.postings import Postings, Sums
from trainer.search.query_clicks import QueryClicks
from trainer.search.spelling import Spelling
from trainer.search.term_ids import TermIds
from trainer.search.title_hashes import TitleHashes

MATCH_NAMES = (
    "bm25",
    "log1p_bm25",
    "share_of_best",  # BM25 over that of the catalogue's best item
    # Share of the query's idf found in a field, by its words in title, category and
    # brand together, and anywhere.
    "title_coverage",
    "category_coverage",
    "named_coverage",
    "coverage",
    "exact_title",  # the analyzed query is the analyzed title
    "title_prefix",  # the title begins with the query's words
    "log1p_query_terms",
    "unknown_share",  # share of the query's terms that no item holds
)


class LexicalIndex(tf.Module):
    """The inverted index as tensors.

    ```
    inverted = build_inverted_index(items, config, analyzer)
    index = LexicalIndex(inverted, config, analyzer)
    values, rows = index.best(index.terms(queries), k=100)
    ```

    With a `spelling`, `read` corrects misspelt words; `terms` takes them as they are.
    """

    match_names = MATCH_NAMES

    def __init__(
        self,
        index: InvertedIndex,
        config: LexicalConfig,
        analyzer: Analyzer,
        spelling: Spelling | None = None,
    ) -> None:
        super().__init__(name="lexical_index")
        self.num_items = index.num_items
        self._spelling = spelling
        self._term_ids = TermIds(index.terms, config, analyzer, spelling)
        self._unknown = self._term_ids.unknown
        self._pad = self._term_ids.pad
        unseen = np.log1p((index.num_items + 0.5) / 0.5)
        steps = idf_steps(np.append(index.idf, [unseen] * 2).astype(np.float32))
        self._idf_steps = tf.Variable(
            np.append(steps, 0).astype(np.float32), trainable=False, name="idf_steps"
        )
        known = tf.constant(index.terms.tolist(), tf.string)
        is_pair = tf.strings.regex_full_match(known, PAIR).numpy()
        self._is_pair = tf.Variable(
            np.append(is_pair, [False, True, False]), trainable=False, name="is_pair"
        )
        self._postings = Postings(
            index.splits,
            index.rows,
            index.impacts,
            coverage_codes(index, is_pair),
            num_items=index.num_items,
            form=config.form,
        )
        self._titles = TitleHashes(index.title, config.max_query_terms)

    def terms(self, queries: tf.Tensor) -> tf.Tensor:
        """Term ids of each query, in the analyzer's order, repeated ones too.

        Args:
          queries: [B] string; what exceeds the config's limits is cut.

        Returns:
          [B, T] int32, T at most `max_query_terms`: ids below V are terms, V stands for
          a word that no item holds, V + 1 for such a pair of characters, V + 2 pads.
        """
        found: tf.Tensor = self._term_ids(queries)
        return found

    def read(self, queries: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """As `terms` with misspelt words corrected, and two texts: `TermIds.read`.

        With another `max_query_characters` than `MAX_QUERY_CHARACTERS`, at which the
        click tables cut, longer queries have other joined terms there.
        """
        found: tuple[tf.Tensor, tf.Tensor, tf.Tensor] = self._term_ids.read(queries)
        return found

    def swap_clicks(self, clicks: QueryClicks) -> None:
        """Takes the words that people use as of another cut-off."""
        if self._spelling is not None:
            self._spelling.swap(clicks)

    def is_term(self, terms: tf.Tensor) -> tf.Tensor:
        """Bool, the shape of `terms`: known or not, but no pad."""
        return terms < self._pad

    def sums(self, terms: tf.Tensor) -> Sums:
        """What `best` and `matches` need of the postings, read once for both."""
        return self._postings.sums(terms)

    def scores(self, terms: tf.Tensor) -> tf.Tensor:
        """[B, n + 1] float32 BM25 of every item; 0 without a match and in column n."""
        return self._postings.scores(terms)[:, : self.num_items + 1]

    def best(
        self,
        terms: tf.Tensor,
        k: int,
        allowed: tf.Tensor | None = None,
        sums: Sums | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The k best of the items that match and are allowed.

        Args:
          terms: [B, T] int32 from `terms`.
          k: static; at most n come back.
          allowed: [B, n] bool; None for all.
          sums: of the terms, if they are at hand.

        Returns:
          Values [B, k] float32, descending, and rows [B, k] int32; where fewer match,
          0 and n.
        """
        k = min(k, self.num_items)
        if sums is None and allowed is None:
            return self._postings.best(terms, k)
        dense = self._postings.scores(terms) if sums is None else sums.scores
        if allowed is not None:
            width = self._postings.width - self.num_items
            dense = tf.where(tf.pad(allowed, [[0, 0], [0, width]]), dense, 0.0)
        return self._postings.best_of_rows(dense, k)

    def coverage(
        self, terms: tf.Tensor, rows: tf.Tensor, sums: Sums | None = None
    ) -> tf.Tensor:
        """[B, C] float32: which share of the query's idf items at rows [B, C] hold.

        idf is rounded to 1/60, also in the whole: an item with all words has exactly 1.
        """
        held = self._held(self.sums(terms) if sums is None else sums, rows)
        return tf.math.divide_no_nan(counted(held, "anywhere"), self._whole(terms))

    def named(
        self, terms: tf.Tensor, rows: tf.Tensor, sums: Sums | None = None
    ) -> tf.Tensor:
        """[B, C] bool: items at rows [B, C] with all words in title, category, brand.

        Pairs of characters are no words. Nothing holds all words of a query without.
        """
        held = self._held(self.sums(terms) if sums is None else sums, rows)
        whole = self._whole_of_words(terms)
        return (counted(held, NAMED) >= whole) & (whole > 0)

    def num_words(self, terms: tf.Tensor) -> tf.Tensor:
        """[B, 1] int64: the words of each query, known or not, pairs left out."""
        words = self.is_term(terms) & ~self._of_pairs(terms)
        return tf.math.count_nonzero(words, axis=1, keepdims=True)

    def matches(
        self, terms: tf.Tensor, rows: tf.Tensor, sums: Sums | None = None
    ) -> tf.Tensor:
        """Features of the pairs of query and item, named by `match_names`.

        Args:
          terms: [B, T] int32 from `terms`.
          rows: [B, C] int32 item rows; n pads.
          sums: of the terms, if they are at hand.

        Returns:
          [B, C, M] float32; all 0 for an empty query.
        """
        sums = self.sums(terms) if sums is None else sums
        bm25 = pick(tf.reshape(sums.scores, [-1]), rows, self._postings.width)
        best = tf.reduce_max(sums.scores, axis=1, keepdims=True)
        held = self._held(sums, rows)
        whole = self._whole(terms)
        words = self._whole_of_words(terms)
        counts = tf.math.count_nonzero(terms < self._pad, axis=1)
        num_words = self.num_words(terms)[:, 0]
        exact, prefix = self._titles.matches(terms, counts, num_words, rows)
        known = tf.math.count_nonzero(terms < self._unknown, axis=1)
        per_query = (
            tf.math.log1p(tf.cast(counts, tf.float32)),
            tf.cast((counts - known) / tf.maximum(counts, 1), tf.float32),
        )
        columns = [
            bm25,
            tf.math.log1p(bm25),
            tf.math.divide_no_nan(bm25, best),
            *(
                tf.math.divide_no_nan(
                    counted(held, name), words if name == NAMED else whole
                )
                for name in COUNTERS
            ),
            tf.cast(exact, tf.float32),
            tf.cast(prefix, tf.float32),
            *(
                tf.broadcast_to(each[:, tf.newaxis], tf.shape(bm25))
                for each in per_query
            ),
        ]
        return tf.stack(columns, axis=2)

    def _held(self, sums: Sums, rows: tf.Tensor) -> tf.Tensor:
        """[B, C] int64: the counters of what the items at rows [B, C] hold."""
        return pick(tf.reshape(sums.codes, [-1]), rows, self._postings.width)

    def _whole(self, terms: tf.Tensor) -> tf.Tensor:
        """[B, 1] float32: the idf of all of a query's terms, in steps."""
        steps = tf.gather(self._idf_steps.read_value(), terms)
        return tf.reduce_sum(steps, axis=1, keepdims=True)

    def _whole_of_words(self, terms: tf.Tensor) -> tf.Tensor:
        """[B, 1] float32: the same of its words, pairs left out."""
        return self._whole(tf.where(self._of_pairs(terms), self._pad, terms))

    def _of_pairs(self, terms: tf.Tensor) -> tf.Tensor:
        """Bool, the shape of `terms`: two characters that touch."""
        return tf.gather(self._is_pair.read_value(), terms)
