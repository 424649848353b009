"""Counts and latencies in Prometheus's text format, with TensorFlow Serving's names."""

from __future__ import annotations

import bisect
import collections
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

PATH = "/monitoring/prometheus/metrics"

_PREFIX = ":tensorflow:serving:"
# Microseconds, as TensorFlow Serving measures; 100 us to 30 s.
_LATENCY_BOUNDS = tuple(
    float(base * 10**exponent) for exponent in range(2, 7) for base in (1, 2, 3, 5)
) + (1e7, 3e7)
_BATCH_BOUNDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)

Labels = tuple[str, ...]


class Histogram:
    """Counts per bound; a list index and two additions an observation."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect.bisect_left(self.bounds, value)] += 1
        self.total += value

    def add_to(self, metric: Metric, labels: dict[str, str]) -> None:
        count = 0
        for bound, own in zip((*self.bounds, float("inf")), self.counts, strict=True):
            count += own
            text = "+Inf" if bound == float("inf") else repr(bound)
            metric.add_sample(metric.name + "_bucket", {**labels, "le": text}, count)
        metric.add_sample(metric.name + "_count", labels, count)
        metric.add_sample(metric.name + "_sum", labels, self.total)


class Metrics(Collector):
    """What the server counts; `text` is the page of the metrics address."""

    def __init__(self, *, queued: Callable[[], int] = lambda: 0) -> None:
        self._queued = queued
        self._requests: dict[Labels, int] = collections.defaultdict(int)
        self._latencies: dict[Labels, Histogram] = {}
        self._runs = Histogram(_LATENCY_BOUNDS)
        self._batches = Histogram(_BATCH_BOUNDS)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def request(
        self, *, model: str, api: str, entrypoint: str, status: str, seconds: float
    ) -> None:
        """Notes one answered request."""
        self._requests[model, status] += 1
        key = (model, api, entrypoint)
        histogram = self._latencies.get(key)
        if histogram is None:
            histogram = self._latencies[key] = Histogram(_LATENCY_BOUNDS)
        histogram.observe(seconds * 1e6)

    def batch(self, rows: int, seconds: float) -> None:
        """Notes one run of a model's graph; called by the executor's threads."""
        self._batches.observe(rows)
        self._runs.observe(seconds * 1e6)

    def text(self) -> bytes:
        # prometheus_client names a counter's family otherwise than its samples.
        family = (_PREFIX + "request_count").encode()
        return generate_latest(self._registry).replace(family + b"_total", family)

    def collect(self) -> Iterator[Metric]:
        """Samples of the page (prometheus_client's door)."""
        requests = Metric(_PREFIX + "request_count", "Requests by status.", "counter")
        for (model, status), count in list(self._requests.items()):
            labels = {"model_name": model, "status": status}
            requests.add_sample(requests.name, labels, count)
        yield requests
        latency = Metric(
            _PREFIX + "request_latency",
            "Microseconds from request to answer.",
            "histogram",
        )
        for (model, api, entrypoint), histogram in list(self._latencies.items()):
            histogram.add_to(
                latency, {"model_name": model, "API": api, "entrypoint": entrypoint}
            )
        yield latency
        yield from self._batch_metrics()

    def _batch_metrics(self) -> Iterator[Metric]:
        runs = Metric(
            _PREFIX + "runtime_latency",
            "Microseconds in the model's graph.",
            "histogram",
        )
        self._runs.add_to(runs, {})
        yield runs
        batches = Metric(
            _PREFIX + "batching_session:processed_batch_size",
            "Rows that ran together.",
            "histogram",
        )
        self._batches.add_to(batches, {})
        yield batches
        queued = Metric(
            _PREFIX + "batching_session:queued", "Requests that wait to run.", "gauge"
        )
        queued.add_sample(queued.name, {}, self._queued())
        yield queued
