"""One ranker of recommendation moments and search pages, and its two sides.

A list of one kind lacks what only the other knows: a moment has no query features, a
page does not see the features that its ranker ignores. They are NaN there, which the
normalizer turns into the mean: neutral. Each side is then a ranker of its own kind's
features with the same weights.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fnmatch import fnmatch

import numpy as np
import numpy.typing as npt

from core.config.ranker import RankerConfig
from core.errors import ArtifactError
from trainer.ranker.dataset import UNKNOWN_LABEL, CandidateRows, Ints
from trainer.ranker.fit import FittedRanker
from trainer.ranker.judge import Judge
from trainer.ranker.model import build_ranker

# Pages of any age are as good as new ones, so they count as one cut-off, the newest.
_PAGES_CUTOFF = np.iinfo(np.int64).max


def join_rows(
    moments: CandidateRows,
    pages: CandidateRows,
    config: RankerConfig,
    hidden: Sequence[str],
) -> CandidateRows:
    """Moments' lists, then pages' lists, over the pages' features.

    Their gains suit the "weighted" listwise loss: a moment's are such that it is the
    "softmax" one, sqrt(min(positives, cap)) over the positives.

    Args:
      moments: MineNegatives' rows; their features come first among the pages'.
      pages: MineSearches' rows, with gains.
      config: the moments' target event and `positives_cap`.
      hidden: patterns of features that pages do not see.

    Raises:
      ArtifactError: the two were not mined with the same settings.
    """
    width, names = len(moments.feature_names), pages.feature_names
    if names[:width] != moments.feature_names or pages.gains is None:
        raise ArtifactError(
            "Search candidates must have the candidates' features first, and gains. "
            f"Received: {', '.join(names[:width])}. Mine both again."
        )
    size = len(moments.features)
    features = np.full((size + len(pages.features), len(names)), np.nan, np.float32)
    features[:size, :width] = moments.features
    features[size:] = pages.features
    unseen = [any(fnmatch(name, p) for p in hidden) for name in names]
    features[size:, unseen] = np.nan
    # Of an event that pages do not tell, they teach nothing.
    places = [moments.event_types.index(event) for event in pages.event_types]
    shape = (len(pages.labels), len(moments.event_types))
    labels = np.full(shape, UNKNOWN_LABEL, np.uint8)
    labels[:, places] = pages.labels
    truth_size = np.zeros((len(pages.truth_size), shape[1]), np.int32)
    truth_size[:, places] = pages.truth_size
    return CandidateRows(
        features=features,
        labels=np.concatenate([moments.labels, labels]),
        # The loss over "not owned" is for what a page showed; to moments it is one more
        # time the loss over all.
        owned=np.concatenate([np.zeros(size, np.bool_), pages.owned]),
        starts=np.concatenate([moments.starts, pages.starts[1:] + size]),
        truth_size=np.concatenate([moments.truth_size, truth_size]),
        cutoff=np.concatenate(
            [moments.cutoff, np.full_like(pages.cutoff, _PAGES_CUTOFF)]
        ),
        split=np.concatenate([moments.split, pages.split]),
        feature_names=names,
        event_types=moments.event_types,
        gains=np.concatenate([_gains(moments, config), pages.gains]),
    )


def joint_config(config: RankerConfig, search: RankerConfig) -> RankerConfig:
    """The moments' settings with the pages' losses; one cut-off more for all pages.

    Without the loss over other events: of a page these are what was seen at the top.
    """
    return config.replace(
        listwise_loss="weighted",
        listwise_weight=search.listwise_weight,
        new_weight=search.new_weight,
        other_events_weight=0.0,
        fit_cutoffs=config.fit_cutoffs + 1,
    )


class JointJudge(Judge):
    """Both kinds as their own rankers are judged, and the mean of the two."""

    def __init__(
        self,
        moments: CandidateRows,
        pages: CandidateRows,
        config: RankerConfig,
        search: RankerConfig,
    ) -> None:
        """
        Args:
          moments, pages: as joined, in this order.
          config, search: each kind's own target event, `top_k` and `choice_new`.
        """
        super().__init__(moments, config)
        self._pages = Judge(pages, search)
        self._num_moments = len(moments.truth_size)
        self._sizes = np.concatenate([np.diff(moments.starts), np.diff(pages.starts)])

    def metrics(
        self, moments: Ints, scores: npt.NDArray[np.float32]
    ) -> dict[str, float]:
        """As of moments, and `search`, the pages' own `metric`."""
        first = self.calibrates(moments)
        rows = int(self._sizes[moments[first]].sum())
        found = super().metrics(moments[first], scores[:rows])
        pages = moments[~first] - self._num_moments
        search = self._pages.metrics(pages, scores[rows:])["metric"]
        metric = (found["metric"] + search) / 2.0
        return {**found, "search": search, "metric": metric}

    def calibrates(self, moments: Ints) -> npt.NDArray[np.bool_]:
        """Moments do; a page's candidates are another population."""
        return np.asarray(moments < self._num_moments)


def recommendation_side(fitted: FittedRanker, num_features: int) -> FittedRanker:
    """The ranker of moments: what later inputs, always neutral, weigh is cut away.

    Args:
      num_features: of a moment; they are the joint ranker's first.
    """
    model = build_ranker(
        num_features=num_features,
        event_types=fitted.event_types,
        config=fitted.config.replace(dropout=0.0),
        architecture=fitted.architecture,
    )
    for layer in model.layers:
        whole = fitted.model.get_layer(layer.name).get_weights()
        layer.set_weights(
            [
                values[tuple(slice(size) for size in weight.shape)]
                for values, weight in zip(whole, layer.weights, strict=True)
            ]
        )
    normalizer = dataclasses.replace(
        fitted.normalizer,
        mean=fitted.normalizer.mean[:num_features],
        inverse_std=fitted.normalizer.inverse_std[:num_features],
    )
    return dataclasses.replace(
        fitted,
        model=model,
        normalizer=normalizer,
        feature_names=fitted.feature_names[:num_features],
    )


def search_side(fitted: FittedRanker, hidden: Sequence[str]) -> FittedRanker:
    """The ranker of pages: it does not see the features that `hidden` names."""
    normalizer = fitted.normalizer.without(fitted.feature_names, hidden)
    return dataclasses.replace(fitted, normalizer=normalizer)


def _gains(rows: CandidateRows, config: RankerConfig) -> npt.NDArray[np.float32]:
    labels = rows.labels[:, rows.event_types.index(config.target_event)]
    sizes = np.diff(rows.starts)
    list_of = np.repeat(np.arange(len(sizes)), sizes)
    positives = np.maximum(np.bincount(list_of, labels, len(sizes)), 1.0)
    worth = np.sqrt(np.minimum(positives, config.positives_cap)) / positives
    return (labels * worth[list_of]).astype(np.float32)
