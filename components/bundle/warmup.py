"""Warm-up requests that TensorFlow Serving replays before a version takes traffic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from core import features, signatures
from core.config import ShopConfig
from core.config.bundle import BundleConfig
from trainer.export import requests

# Where TensorFlow Serving looks for them, below the SavedModel.
WARMUP_PATH = Path("assets.extra") / "tf_serving_warmup_requests"

Inputs = dict[str, np.ndarray]


def write_warmup(
    model_dir: Path,
    item_ids: list[str],
    *,
    shop: ShopConfig,
    config: BundleConfig,
    as_of: int,
    queries: Sequence[str] = (),
) -> int:
    """Writes one request per signature and batch size; returns how many.

    Args:
      model_dir: the SavedModel's folder.
      item_ids: ids that histories and candidates are taken from, at least one.
      shop: event types and context features.
      config: batch sizes and history length.
      as_of: the requests' time, seconds UTC.
      queries: words to search for; none: a bundle without `search`.
    """
    found = warmup_requests(item_ids, shop, config, as_of, queries)
    return write_requests(model_dir, found)


def write_requests(model_dir: Path, found: Iterable[tuple[str, Inputs]]) -> int:
    """Writes requests, each a signature name and its inputs; returns how many."""
    path = model_dir / WARMUP_PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in found:
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(
                    request=_predict_request(signature, inputs)
                )
            )
            writer.write(log.SerializeToString())
            count += 1
    return count


def warmup_requests(
    item_ids: list[str],
    shop: ShopConfig,
    config: BundleConfig,
    as_of: int,
    queries: Sequence[str] = (),
) -> Iterator[tuple[str, Inputs]]:
    """Signature name and inputs of each warm-up request."""
    rng = np.random.default_rng(0)
    for size in config.warmup_batch_sizes:
        person = _person(rng, item_ids, size, config.warmup_history, shop, as_of)
        candidates = rng.choice(item_ids, size=(size, 20))
        filters = _no_filters(size)
        one_item = {features.ITEM_ID: rng.choice(item_ids, size=size)}
        yield signatures.RECOMMEND, {**person, **filters}
        if queries:
            words = rng.choice(np.asarray(queries, object), size=size)
            query = {features.QUERY: words}
            yield signatures.SEARCH, {**query, **person, **filters}
        yield signatures.SIMILAR, {**one_item, **filters}
        yield signatures.RANK, {**person, signatures.CANDIDATE_ITEM_IDS: candidates}
        yield signatures.EMBED_QUERY, person


def search_warmup_requests(
    item_ids: list[str],
    shop: ShopConfig,
    config: BundleConfig,
    as_of: int,
    queries: Sequence[str],
) -> Iterator[tuple[str, Inputs]]:
    """`warmup_requests` of a bundle without personal pages; `queries` not empty."""
    rng = np.random.default_rng(0)
    for size in config.warmup_batch_sizes:
        person = _person(rng, item_ids, size, config.warmup_history, shop, as_of)
        filters = _no_filters(size)
        one_item = {features.ITEM_ID: rng.choice(item_ids, size=size)}
        query = {features.QUERY: rng.choice(np.asarray(queries, object), size=size)}
        texts = dict.fromkeys(requests.item_text_specs(), query[features.QUERY])
        yield signatures.SEARCH, {**query, **person, **filters}
        yield signatures.SIMILAR, {**one_item, **filters}
        yield signatures.EMBED_QUERY, query
        yield signatures.EMBED_ITEM, texts


def _person(
    rng: np.random.Generator,
    item_ids: list[str],
    size: int,
    history: int,
    shop: ShopConfig,
    as_of: int,
) -> Inputs:
    ages = np.sort(rng.integers(1, 90, size=(size, history)))[:, ::-1]
    neutral = {
        name: np.full([size], "", object)
        for name, spec in requests.person_specs(shop).items()
        if spec.shape.rank == 1 and spec.dtype == tf.string
    }
    return {
        **neutral,
        features.HISTORY_ITEM_IDS: rng.choice(item_ids, size=(size, history)),
        features.HISTORY_EVENTS: np.full([size, history], shop.target_event, object),
        features.HISTORY_TIMESTAMPS: as_of - ages * features.SECONDS_PER_DAY,
        features.TIMESTAMP: np.full([size], as_of, np.int64),
    }


def _no_filters(size: int) -> Inputs:
    return {
        signatures.EXCLUDE_ITEM_IDS: np.full([size, 1], "", object),
        signatures.CATEGORIES: np.full([size, 1], "", object),
        signatures.PRICE_MIN: np.zeros([size], np.float32),
        signatures.PRICE_MAX: np.zeros([size], np.float32),
        signatures.IN_STOCK_ONLY: np.zeros([size], bool),
        signatures.K: np.array(20, np.int32),
    }


def _predict_request(
    signature: str, inputs: Mapping[str, np.ndarray]
) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = signatures.MODEL_NAME
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        value = np.asarray(value)
        dtype = tf.string if value.dtype.kind in "OUS" else tf.as_dtype(value.dtype)
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value, dtype=dtype))
    return request
