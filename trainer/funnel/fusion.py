"""One score per catalogue item from everything that speaks for it: the first stage."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

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
        """Takes other weights of the same signals."""
        if weights.names != self.names:
            raise ArtifactError(
                f"Fusion weights must be of {', '.join(self.names)}. "
                f"Received: {', '.join(weights.names)}. Mine the candidates again."
            )
        self.linear.assign(weights.linear)
        self.root.assign(weights.root)

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
        facets: tuple[tf.Tensor, tf.Tensor, Sequence[int]] | None = None,
        shared: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Scores of every item.

        Args:
          signals: [B, S_i, n] float32 >= 0 each, together the first S names.
          best: [B, S] float32, the signals' scale; 0 where one says nothing.
          facets: shares of the history [B, V] by value of each facet, the items' values
            [F, n] int32, and how many values each facet has; the next F names.
          shared: [P, n] float32 in [0, 1], the last P names, the same for everyone.

        Returns:
          [B, n] float32.
        """
        scale = tf.math.divide_no_nan(1.0, best)
        roots = tf.sqrt(scale)
        first, scores = 0, tf.constant(0.0)
        for part in signals:
            last = first + part.shape[1]
            linear = self.linear[first:last] * scale[:, first:last]
            root = self.root[first:last] * roots[:, first:last]
            scores += tf.matmul(linear[:, None, :], part)[:, 0]
            scores += tf.matmul(root[:, None, :], tf.sqrt(part))[:, 0]
            first = last
        if facets is not None:
            last = first + len(facets[2])
            scores += self._of_facets(*facets, slice(first, last))
            first = last
        if shared is None:
            return scores
        everyone = tf.linalg.matvec(shared, self.linear[first:], transpose_a=True)
        everyone += tf.linalg.matvec(
            tf.sqrt(shared), self.root[first:], transpose_a=True
        )
        return scores + everyone

    def _of_facets(
        self, taken: tf.Tensor, values: tf.Tensor, sizes: Sequence[int], names: slice
    ) -> tf.Tensor:
        """[B, n]: weighed by value first, then looked up once per item and facet."""
        linear = tf.repeat(self.linear[names], sizes)
        root = tf.repeat(self.root[names], sizes)
        weighed = taken * linear + tf.sqrt(taken) * root
        # Batch last: a look-up then copies a run of B numbers.
        found = tf.gather(tf.transpose(weighed), values)
        return tf.transpose(tf.reduce_sum(found, axis=0))
