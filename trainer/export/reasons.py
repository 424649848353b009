"""Why an item is on the page, in words that a shop can show or translate."""

from __future__ import annotations

import tensorflow as tf

from trainer.funnel.sources import OWN, POPULAR, SOURCES, TITLE, TOWER, TRENDING

# Candidate source to reason; what is missing here counts what goes together.
REASONS = {
    OWN: "in your history",
    POPULAR: "popular now",
    TRENDING: "trending",
    TOWER: "fits your taste",
    TITLE: "like your items",
}
GOES_TOGETHER = "goes with your items"
SIMILAR = "similar item"
# Of a search page, the first that holds.
BY_WORDS, BY_CLICKS, BY_MEANING = (
    "matches your words",
    "often chosen for it",
    "close in meaning",
)


class ReasonTable(tf.Module):
    """Numbers of candidate sources to reasons."""

    def __init__(self) -> None:
        super().__init__(name="reasons")
        self._texts = tf.constant(
            [REASONS.get(source, GOES_TOGETHER) for source in SOURCES]
        )

    def __call__(self, sources: tf.Tensor, shown: tf.Tensor) -> tf.Tensor:
        """[B, k] string; '' where no item is shown.

        Args:
          sources: [B, k] int32, index into SOURCES.
          shown: [B, k] bool.
        """
        sources = tf.clip_by_value(sources, 0, len(SOURCES) - 1)
        return tf.where(shown, tf.gather(self._texts, sources), "")

    def of_similar(self, known: tf.Tensor, shown: tf.Tensor) -> tf.Tensor:
        """[B, k] string: the reasons of a `similar` page.

        Args:
          known: [B, k] bool, whether the page's own item is in the catalogue.
          shown: [B, k] bool.
        """
        texts = tf.where(known, SIMILAR, REASONS[POPULAR])
        return tf.where(shown, texts, "")

    def of_search(
        self, own: tf.Tensor, coverage: tf.Tensor, clicks: tf.Tensor, shown: tf.Tensor
    ) -> tf.Tensor:
        """[B, k] string: the reasons of a search page; all arguments [B, k]."""
        texts = tf.where(clicks > 0, BY_CLICKS, BY_MEANING)
        texts = tf.where(coverage > 0, BY_WORDS, texts)
        texts = tf.where(own > 0, REASONS[OWN], texts)
        return tf.where(shown, texts, "")
