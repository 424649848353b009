"""Text of any language becomes tokens, with core TensorFlow ops only."""

from __future__ import annotations

import tensorflow as tf

_CJK = r"[\p{Han}\p{Hiragana}\p{Katakana}ー]"
_FULL_WIDTH_FIRST, _FULL_WIDTH_LAST = 0xFF01, 0xFF5E
_FULL_WIDTH_OFFSET = 0xFEE0
_IDEOGRAPHIC_SPACE = 0x3000


def fold_width(text: tf.Tensor) -> tf.Tensor:
    """Full-width Latin signs become plain ones; broken UTF-8 becomes U+FFFD.

    Args:
      text: [batch_size] string.

    Returns:
      [batch_size] string, valid UTF-8.
    """
    signs = tf.strings.unicode_decode(text, "UTF-8", errors="replace")
    codes = signs.flat_values
    full = (codes >= _FULL_WIDTH_FIRST) & (codes <= _FULL_WIDTH_LAST)
    codes = tf.where(full, codes - _FULL_WIDTH_OFFSET, codes)
    codes = tf.where(tf.equal(codes, _IDEOGRAPHIC_SPACE), ord(" "), codes)
    return tf.strings.unicode_encode(signs.with_flat_values(codes), "UTF-8")


def normalize_text(text: tf.Tensor) -> tf.Tensor:
    """Lower case, plain width, letters and digits with single spaces between words.

    Args:
      text: [batch_size] string; empty stays empty.

    Returns:
      [batch_size] string.
    """
    text = tf.strings.lower(fold_width(text), encoding="utf-8")
    text = tf.strings.regex_replace(text, r"[^\p{L}\p{M}\p{N}]+", " ")
    return tf.strings.strip(text)


def tokenize(text: tf.Tensor) -> tf.RaggedTensor:
    """Words, and single signs of Chinese and Japanese script.

    Args:
      text: [batch_size] string.

    Returns:
      [batch_size, None] string; a row without letters or digits is empty.
    """
    spaced = tf.strings.regex_replace(normalize_text(text), f"({_CJK})", r" \1 ")
    return tf.strings.split(spaced)


def pad_tokens(token_ids: tf.RaggedTensor, max_tokens: int) -> tf.Tensor:
    """The first `max_tokens` ids of each row, 0 where a row is shorter.

    Args:
      token_ids: [batch_size, None] int64.
      max_tokens: width of the result.

    Returns:
      [batch_size, max_tokens] int64.
    """
    return token_ids.to_tensor(0, shape=[None, max_tokens])
