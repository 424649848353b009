"""WordPiece tokens with core TensorFlow string ops, in training and serving alike."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from core.errors import ConfigError
from trainer.layers.code_points import CodePointTable
from trainer.text_encoder.normalization import SHOP, code_point_table

PAD, UNKNOWN, CLASSIFY, SEPARATE, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
SPECIAL_TOKENS = (PAD, UNKNOWN, CLASSIFY, SEPARATE, MASK)
SUFFIX = "##"
# BERT gives longer words up as unknown.
MAX_WORD_CHARACTERS = 100
# Characters read per token wanted: bounded time whatever a client sends.
_CHARACTERS_PER_TOKEN = 16


class WordPieceTokenizer(tf.Module):
    """Greedy longest-match-first WordPiece (Wu et al., 2016) over folded text.

    >>> WordPieceTokenizer([*SPECIAL_TOKENS, "sofa", "bed", "##s"])(
    ...     tf.constant(["Sofa-Beds"]), 8).numpy()
    array([[5, 6, 7]], dtype=int32)
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        *,
        normalization: str = SHOP,
        add_special_tokens: bool = False,
    ) -> None:
        """
        Args:
          vocabulary: pieces by id; inner pieces begin with `##`; `[PAD]` is id 0.
          normalization: see `normalization.code_point_table`.
          add_special_tokens: put `[CLS]` before and `[SEP]` behind every text.

        Raises:
          ConfigError: a special token is missing or `[PAD]` is not id 0.
        """
        super().__init__(name="wordpiece")
        self.vocabulary = tuple(vocabulary)
        self.normalization = normalization
        self.add_special_tokens = add_special_tokens
        self._special = _special_ids(self.vocabulary)
        self._normalized = CodePointTable(*code_point_table(normalization))
        self._ids = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(self.vocabulary),
                tf.range(len(self.vocabulary), dtype=tf.int32),
            ),
            default_value=-1,
        )
        self._max_piece = max(
            len(piece.removeprefix(SUFFIX))
            for piece in self.vocabulary
            if piece not in SPECIAL_TOKENS
        )

    @property
    def vocabulary_size(self) -> int:
        return len(self.vocabulary)

    @property
    def mask_id(self) -> int:
        return self._special[MASK]

    @property
    def special_ids(self) -> list[int]:
        """Ids of `SPECIAL_TOKENS`, in their order."""
        return [self._special[token] for token in SPECIAL_TOKENS]

    def __call__(self, texts: tf.Tensor, max_tokens: int) -> tf.Tensor:
        """Token ids.

        Args:
          texts: [B] string, UTF-8; invalid bytes count as spaces.
          max_tokens: of each text, special ones included; the rest is cut.

        Returns:
          [B, T] int32, 0 behind the end, 1 <= T <= max_tokens. A text without words
          is all 0, without special tokens.
        """
        room = max_tokens - 2 if self.add_special_tokens else max_tokens
        ids = self.pieces(self.words(texts, room * _CHARACTERS_PER_TOKEN))[:, :room]
        if self.add_special_tokens:
            some = tf.cast(ids.row_lengths() > 0, tf.int64)
            ids = tf.concat(
                [self._repeat(CLASSIFY, some), ids, self._repeat(SEPARATE, some)], 1
            )
        padded = ids.to_tensor(self._special[PAD])
        missing = tf.maximum(1 - tf.shape(padded)[1], 0)
        return tf.pad(padded, [[0, 0], [0, missing]])

    def say_something(self, ids: tf.Tensor) -> tf.Tensor:
        """[B] bool: which rows of ids [B, T] hold a piece of text that is known."""
        said = ids != self._special[PAD]
        for token in (UNKNOWN, CLASSIFY, SEPARATE):
            said &= ids != self._special[token]
        return tf.reduce_any(said, axis=1)

    def words(
        self, texts: tf.Tensor, max_characters: int | None = None
    ) -> tf.RaggedTensor:
        """[B, (W)] string: folded words, single ideographs, digits apart (`shop`)."""
        points = tf.strings.unicode_decode(
            texts, "UTF-8", errors="replace", replacement_char=ord(" ")
        )
        if max_characters is not None:
            points = points[:, :max_characters]
        folded, ends = self._normalized(points.flat_values)
        folded = points.with_flat_values(
            tf.RaggedTensor.from_row_splits(
                folded, tf.cast(ends, tf.int64), validate=False
            )
        ).merge_dims(1, 2)
        spaced = tf.strings.unicode_encode(folded, "UTF-8")
        if self.normalization == SHOP:  # "10cm" = "10 cm"
            spaced = tf.strings.regex_replace(spaced, r"(\d+)", r" \1 ")
        return tf.strings.split(spaced)

    def pieces(self, words: tf.RaggedTensor) -> tf.RaggedTensor:
        """[B, (T)] int32 ids of the words' pieces, `[UNK]` for words that have none."""
        distinct, index = tf.unique(words.flat_values)
        whole = self._ids.lookup(distinct)
        is_whole = whole >= 0
        rest = self._split(tf.boolean_mask(distinct, ~is_whole))
        found = tf.boolean_mask(whole, is_whole)[:, tf.newaxis]
        found = tf.RaggedTensor.from_tensor(found, row_splits_dtype=tf.int64)
        # Rows of `found`, then rows of `rest`: where each distinct word went.
        count = tf.cast(is_whole, tf.int32)
        rows = tf.where(
            is_whole,
            tf.cumsum(count) - 1,
            tf.cumsum(1 - count) - 1 + tf.reduce_sum(count),
        )
        ids = tf.gather(tf.concat([found, rest], 0), tf.gather(rows, index))
        return words.with_flat_values(ids).merge_dims(1, 2)

    def _split(self, words: tf.Tensor) -> tf.RaggedTensor:
        """[R, (P)] int32 ids of words that are no piece as a whole."""
        sizes = tf.strings.length(words, "UTF8_CHAR")
        too_long = sizes > MAX_WORD_CHARACTERS
        starts = tf.where(too_long, -1, tf.zeros_like(sizes))
        pieces = tf.TensorArray(tf.int32, 0, dynamic_size=True, clear_after_read=True)

        def goes_on(_: tf.Tensor, starts: tf.Tensor, __: tf.TensorArray) -> tf.Tensor:
            return tf.reduce_any((starts >= 0) & (starts < sizes))

        def step(
            number: tf.Tensor, starts: tf.Tensor, pieces: tf.TensorArray
        ) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray]:
            active = tf.where((starts >= 0) & (starts < sizes))
            rows = active[:, 0]
            first, size = tf.gather(starts, rows), tf.gather(sizes, rows)
            ids, lengths = self._longest(
                tf.gather(words, rows), first, size - first, number
            )
            moved = tf.where(lengths > 0, first + lengths, -1)
            column = tf.tensor_scatter_nd_update(-tf.ones_like(starts), active, ids)
            starts = tf.tensor_scatter_nd_update(starts, active, moved)
            return number + 1, starts, pieces.write(number, column)

        # Column 0 stands for the words that fail; it also keeps the array from being
        # empty, which cannot be stacked.
        pieces = pieces.write(0, -tf.ones_like(starts))
        _, starts, pieces = tf.while_loop(goes_on, step, (1, starts, pieces))
        failed = (starts < 0)[:, tf.newaxis]
        table = tf.where(failed, -1, tf.transpose(pieces.stack()))
        unknown = tf.where(failed, self._special[UNKNOWN], -1)
        table = tf.concat([unknown, table[:, 1:]], axis=1)
        return tf.ragged.boolean_mask(table, table >= 0)

    def _longest(
        self,
        words: tf.Tensor,
        starts: tf.Tensor,
        remaining: tf.Tensor,
        number: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """[A] id and length of the longest piece at `starts`; length 0 where none."""
        longest = tf.minimum(self._max_piece, tf.reduce_max(remaining))
        lengths = tf.range(1, longest + 1)
        grid = [tf.size(words), longest]
        parts = tf.strings.substr(
            words[:, tf.newaxis],
            tf.broadcast_to(starts[:, tf.newaxis], grid),
            tf.broadcast_to(lengths, grid),
            unit="UTF8_CHAR",
        )
        ids = self._ids.lookup(
            tf.strings.join([tf.where(number > 1, SUFFIX, ""), parts])
        )
        best = tf.reduce_max(tf.where(ids >= 0, lengths, 0), axis=1)
        # Parts that reach beyond the end equal the one that ends there.
        best = tf.minimum(best, remaining)
        picks = tf.gather(ids, tf.maximum(best - 1, 0), batch_dims=1)
        return picks, best

    def _repeat(self, token: str, counts: tf.Tensor) -> tf.RaggedTensor:
        values = tf.fill([tf.reduce_sum(counts)], self._special[token])
        return tf.RaggedTensor.from_row_lengths(values, counts)


def _special_ids(vocabulary: tuple[str, ...]) -> dict[str, int]:
    ids = {piece: i for i, piece in enumerate(vocabulary) if piece in SPECIAL_TOKENS}
    missing = [token for token in SPECIAL_TOKENS if token not in ids]
    if missing or ids[PAD] != 0:
        raise ConfigError(
            f"`vocabulary` must hold {', '.join(SPECIAL_TOKENS)}, {PAD} first. "
            f"Received: {len(vocabulary)} pieces, missing {missing or 'none'}, "
            f"first {list(vocabulary[:1])}."
        )
    return ids
