"""The text encoder as a SavedModel: strings in, vectors out, core TensorFlow ops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from core.config.text_encoder import TextEncoderConfig
from trainer.text_encoder.encoder import TextEncoder
from trainer.text_encoder.wordpiece import WordPieceTokenizer
from trainer.traced import traced

EMBED_QUERIES, EMBED_ITEMS = "embed_queries", "embed_items"


class TextEncoderExport(tf.Module):
    """Tokenizer and encoder behind two functions of strings.

    Once saved it loads in a process that has TensorFlow alone, and the loaded object
    can be part of another tf.Module that is saved in turn (the bundle).

    Attributes:
      embed_queries: texts [B] string → [B, d] float32, norm 1; a text without known
        words gives zeros.
      embed_items: the same for item texts (`item_text`), which may be longer.
    """

    def __init__(
        self,
        encoder: TextEncoder,
        tokenizer: WordPieceTokenizer,
        config: TextEncoderConfig,
    ) -> None:
        super().__init__(name="text_encoder")
        self.tokenizer = tokenizer
        # The Keras model stays out of the file; its variables are tracked one by one.
        self._weights = [variable.value for variable in encoder.weights]
        spec = [tf.TensorSpec([None], tf.string, "texts")]
        self.embed_queries = traced(
            _embedding(encoder, tokenizer, config.max_query_tokens),
            input_signature=spec,
        )
        self.embed_items = traced(
            _embedding(encoder, tokenizer, config.max_item_tokens),
            input_signature=spec,
        )


def save_text_encoder(export: TextEncoderExport, folder: str | Path) -> None:
    """Writes the SavedModel; both functions are signatures too."""
    tf.saved_model.save(
        export,
        str(folder),
        signatures={
            EMBED_QUERIES: export.embed_queries.get_concrete_function(),
            EMBED_ITEMS: export.embed_items.get_concrete_function(),
        },
    )


def embed_in_batches(
    embed: tf.types.experimental.GenericFunction,
    texts: Sequence[str],
    batch_size: int = 256,
) -> npt.NDArray[np.float32]:
    """[n, d] float32 of many texts, in their order; texts of like length together."""
    if not texts:
        return np.zeros([0, embed(tf.constant([""])).shape[1]], np.float32)
    order = np.argsort([len(text) for text in texts], kind="stable")
    parts = [
        embed(tf.constant([texts[row] for row in order[start : start + batch_size]]))
        for start in range(0, len(texts), batch_size)
    ]
    vectors = np.concatenate([part.numpy() for part in parts])
    in_order = np.empty_like(vectors)
    in_order[order] = vectors
    return in_order


def _embedding(
    encoder: TextEncoder, tokenizer: WordPieceTokenizer, max_tokens: int
) -> tf.types.experimental.GenericFunction:
    def embed(texts: tf.Tensor) -> tf.Tensor:
        ids = tokenizer(texts, max_tokens)
        # Of words in a script that the vocabulary lacks nothing can be said; they would
        # all have one vector.
        said = tf.cast(tokenizer.say_something(ids), tf.float32)[:, None]
        return tf.ensure_shape(encoder(ids) * said, [None, encoder.output_dim])

    return embed
