"""One score per catalogue item from everything that speaks for it: the first stage."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from core.errors import ArtifactError
from trainer.funnel.sources import OWN

FILE_NAME = "fusion.json"
# Where nothing was learned yet: signals count alike, what was bought before more.
_UNFITTED, _UNFITTED_OWN = 0.5, 2.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class FusionWeights:
    """The two weights of each signal, learned by `fit_fusion`."""

    names: tuple[str, ...]
    linear: tuple[float, ...]  # of the signal's share of its best
    root: tuple[float, ...]  # of the share's square root

    @classmethod
    def unfitted(cls, names: Sequence[str]) -> FusionWeights:
        """Equal weights, for a shop without a moment to learn from."""
        weights = tuple(_UNFITTED_OWN if n == OWN else _UNFITTED for n in names)
        return cls(names=tuple(names), linear=weights, root=weights)

    def save(self, folder: str | Path) -> None:
        """Writes `folder/fusion.json`."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        text = json.dumps(dataclasses.asdict(self), indent=1)
        (Path(folder) / FILE_NAME).write_text(text)

    @classmethod
    def load(cls, folder: str | Path) -> FusionWeights:
        """Reads what `save` wrote.

        Raises:
          ArtifactError: the file is missing or malformed.
        """
        path = Path(folder) / FILE_NAME
        try:
            values = json.loads(path.read_text())
            return cls(**{name: tuple(value) for name, value in values.items()})
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ArtifactError(
                f"Fusion weights must be readable at {path}. Received: {error}. "
                "Run the MineNegatives step again."
            ) from error


class Facets(NamedTuple):
    """What a history has of each facet, and what the items have."""

    taken: tf.Tensor  # [B, V] share of the history with each value of each facet
    combinations: tf.Tensor  # [U, F] int32: values that occur together
    of_items: tf.Tensor  # [n] int32: each item's combination
    sizes: Sequence[int]  # how many values each facet has, together V


class Fusion(tf.Module):
    """z = sum over signals s of linear_s x_s + root_s sqrt(x_s), x_s in [0, 1].

    x_s is a signal's share of its best value for that person, so that sources on
    different scales add up; the root lets the tail of a list count. It needs one matrix
    product per root and no sort, and one `top_k` over z replaces one per source.
    """

    def __init__(self, weights: FusionWeights) -> None:
        super().__init__(name="fusion")
        self.names = weights.names
        self.linear = tf.Variable(weights.linear, dtype=tf.float32, trainable=False)
        self.root = tf.Variable(weights.root, dtype=tf.float32, trainable=False)

    def assign(self, weights: FusionWeights) -> None:
        """Takes other weights of the same signals, in whatever order they are named.

        Raises:
          ArtifactError: they are of other signals.
        """
        if sorted(weights.names) != sorted(self.names):
            raise ArtifactError(
                f"Fusion weights must be of {', '.join(self.names)}. "
                f"Received: {', '.join(weights.names)}. Mine the candidates again."
            )
        places = [weights.names.index(name) for name in self.names]
        self.linear.assign([weights.linear[place] for place in places])
        self.root.assign([weights.root[place] for place in places])

    def weights(self) -> FusionWeights:
        """The weights in use."""
        return FusionWeights(
            names=self.names,
            linear=tuple(self.linear.numpy().tolist()),
            root=tuple(self.root.numpy().tolist()),
        )

    def __call__(
        self,
        signals: Sequence[tf.Tensor],
        best: tf.Tensor,
        facets: Facets | None = None,
    ) -> tf.Tensor:
        """Scores of every item, by what differs between people.

        Args:
          signals: [B, S_i, n] float32 >= 0 each, together the first S names.
          best: [B, S] float32, the signals' scale; 0 where one says nothing.
          facets: the next F names; None: there are none.

        Returns:
          [B, n] float32.
        """
        widths = [int(part.shape[1]) for part in signals]
        count = sum(widths)
        scale = tf.math.divide_no_nan(1.0, best)
        linears = tf.split(self.linear[:count] * scale, widths, axis=1)
        roots = tf.split(self.root[:count] * tf.sqrt(scale), widths, axis=1)
        scores = [
            tf.matmul(weights[:, None, :], part)[:, 0]
            for part, linear, root in zip(signals, linears, roots, strict=True)
            for weights, part in ((linear, part), (root, tf.sqrt(part)))
        ]
        if facets is not None:
            scores.append(self.of_facets(facets, count))
        return tf.add_n(scores)

    def of_everyone(self, shared: tf.Tensor) -> tf.Tensor:
        """[n] float32: what the last P names, [P, n] in [0, 1], add for everyone."""
        first = len(self.names) - shared.shape[0]
        linear = tf.linalg.matvec(shared, self.linear[first:], transpose_a=True)
        roots = tf.sqrt(shared)
        return linear + tf.linalg.matvec(roots, self.root[first:], transpose_a=True)

    def of_facets(self, facets: Facets, first: int) -> tf.Tensor:
        """[B, n]: weighed by value, summed by combination, then looked up by item.

        Args:
          first: place of the first facet among the names.
        """
        facet_of = np.repeat(np.arange(len(facets.sizes)), facets.sizes) + first
        linear, root = tf.gather(self.linear, facet_of), tf.gather(self.root, facet_of)
        weighed = facets.taken * linear + tf.sqrt(facets.taken) * root
        # Batch last: a look-up then copies a run of B numbers.
        found = tf.gather(tf.transpose(weighed), facets.combinations)
        summed = tf.reduce_sum(found, axis=1)
        return tf.transpose(tf.gather(summed, facets.of_items))
