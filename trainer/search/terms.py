"""How many texts hold each index term, by the graph's analyzer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from trainer.search.analyzer import Analyzer

_BATCH = 4_096


def count_terms(
    texts: Sequence[str], weights: Sequence[int] | None = None
) -> Counter[str]:
    """Term → number of texts that hold it (or the sum of their weights).

    Args:
      texts: [N], any language.
      weights: [N] how often each text counts; once where None.
    """
    analyzer = Analyzer()
    totals: Counter[str] = Counter()
    for start in range(0, len(texts), _BATCH):
        batch = list(texts[start : start + _BATCH])
        found = analyzer(tf.constant(batch))
        names, ids = np.unique(found.flat_values.numpy(), return_inverse=True)
        if not len(names):
            continue
        rows = found.value_rowids().numpy()
        once = np.unique(rows * len(names) + ids)
        counted = np.ones(len(batch), np.int64)
        if weights is not None:
            counted = np.asarray(weights[start : start + _BATCH], np.int64)
        sums = np.bincount(once % len(names), counted[once // len(names)])
        for name, total in zip(names, sums, strict=True):
            totals[name.decode()] += int(total)
    return totals
