"""The Beam side of the search pages: two passes over the buckets of users.

The first finds how many pages there are, so that the second writes only those of the
sample: which pages these are does not depend on the number of buckets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import apache_beam as beam

from components import arrow_elements
from components.join_history.make_searches import (
    limits_of,
    make_searches,
    page_keys,
    smallest_keys,
)
from components.join_history.sessions import HashArray
from core.config.moments import MomentConfig
from core.config.splits import SplitConfig

_ROW_GROUP_SIZE = 8_192  # pages are wide


class FindSearches(beam.PTransform):  # type: ignore[misc]
    """Buckets of events → one shard of search pages per bucket and split, written."""

    def __init__(
        self,
        uri: str,
        splits: SplitConfig,
        config: MomentConfig,
        event_types: Sequence[str],
        context_features: Sequence[str],
    ):
        super().__init__()
        self._uri = uri
        self._splits = splits
        self._config = config
        self._event_types = tuple(event_types)
        self._context = tuple(context_features)

    def expand(self, buckets: beam.PCollection) -> beam.PCollection:
        limits = (
            buckets
            | "PageKeys" >> beam.ParDo(_PageKeys(self._splits, self._config))
            | "Limits" >> beam.CombineGlobally(_Limits(self._config))
        )
        return buckets | "MakeSearches" >> beam.ParDo(
            _MakeSearches(
                self._uri, self._splits, self._config, self._event_types, self._context
            ),
            beam.pvalue.AsSingleton(limits),
        )


class _PageKeys(beam.DoFn):  # type: ignore[misc]
    """A bucket's events → the sampling keys of its pages."""

    def __init__(self, splits: SplitConfig, config: MomentConfig):
        self._splits = splits
        self._config = config

    def process(
        self, element: tuple[int, Iterable[arrow_elements.Piece]]
    ) -> Iterator[dict[str, HashArray]]:
        events = arrow_elements.joined(element[1])
        yield page_keys(events, self._splits, self._config.searches)


class _Limits(beam.CombineFn):  # type: ignore[misc]
    """Keys of all buckets → the largest that is kept of each split."""

    def __init__(self, config: MomentConfig):
        self._config = config

    def create_accumulator(self) -> Mapping[str, HashArray]:
        return {}

    def add_input(
        self, kept: Mapping[str, HashArray], keys: Mapping[str, HashArray]
    ) -> Mapping[str, HashArray]:
        return smallest_keys([kept, keys], self._config.searches)

    def merge_accumulators(
        self, accumulators: Iterable[Mapping[str, HashArray]]
    ) -> Mapping[str, HashArray]:
        return smallest_keys(list(accumulators), self._config.searches)

    def extract_output(self, kept: Mapping[str, HashArray]) -> dict[str, int]:
        return limits_of([kept], self._config.searches)


class _MakeSearches(beam.DoFn):  # type: ignore[misc]
    """A bucket's events → its search pages, one file per split."""

    def __init__(
        self,
        uri: str,
        splits: SplitConfig,
        config: MomentConfig,
        event_types: tuple[str, ...],
        context: tuple[str, ...],
    ):
        self._uri = uri
        self._splits = splits
        self._config = config
        self._event_types = event_types
        self._context = context

    def process(
        self,
        element: tuple[int, Iterable[arrow_elements.Piece]],
        limits: dict[str, int],
    ) -> Iterator[tuple[str, int]]:
        bucket, pieces = element
        searches = make_searches(
            arrow_elements.joined(pieces),
            self._splits,
            self._config.searches,
            self._event_types,
            self._context,
            limits,
        )
        for split, table in searches.items():
            if table.num_rows:
                arrow_elements.write_shard(
                    self._uri,
                    split,
                    table,
                    bucket,
                    self._config.num_buckets,
                    _ROW_GROUP_SIZE,
                )
                yield split, table.num_rows
