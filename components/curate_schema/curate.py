"""Inferred schema → curated schema by the data contract."""

from __future__ import annotations

from collections.abc import Sequence

from tensorflow_metadata.proto.v0 import schema_pb2

from core import features, tables
from core.config.shop import ShopConfig
from core.config.validation import ValidationConfig
from core.tables import Column

_TYPES = {
    "string": schema_pb2.BYTES,
    "int64": schema_pb2.INT,
    "float32": schema_pb2.FLOAT,
}
_POSITIVE = ("price", "event_price", "quantity")
_COMPARED_NUMBERS = ("price", "event_price")
_EVENT_PRICE = "event_price"


def clean_columns(table: str, context_features: Sequence[str] = ()) -> list[Column]:
    """Columns of a clean table; `events` carries its items' columns and the context."""
    if table == "items":
        return list(tables.ITEMS)
    events = [
        Column(name=_EVENT_PRICE, kind="float32") if c.name == features.PRICE else c
        for c in tables.EVENTS
    ]
    events += [Column(name=name, kind="string") for name in context_features]
    own = (features.ITEM_ID, features.IN_STOCK)
    return events + [column for column in tables.ITEMS if column.name not in own]


def curate(
    inferred: schema_pb2.Schema,
    table: str,
    shop: ShopConfig,
    config: ValidationConfig,
) -> schema_pb2.Schema:
    """The contract's schema in the order of `inferred`, other columns left as inferred.

    Required columns are present in every row with one value (shape [1]: Transform sees
    a dense [batch, 1] tensor). Optional ones may be missing (no shape: Transform sees a
    SparseTensor). Only `event` keeps a list of allowed values.

    Args:
      inferred: what SchemaGen made of the first data.
      table: `items` or `events`.
      shop: event types and context columns.
      config: bounds for the comparators.
    """
    schema = schema_pb2.Schema()
    rules = {c.name: c for c in clean_columns(table, shop.context_features)}
    seen = {feature.name: feature for feature in inferred.feature}
    for name in [*seen, *(name for name in rules if name not in seen)]:
        feature = schema.feature.add()
        if name in rules:
            _apply_rule(feature, rules[name], shop)
        else:
            feature.CopyFrom(seen[name])
            feature.ClearField("domain_info")
    set_comparators(schema, shop, config)
    return schema


def set_comparators(
    schema: schema_pb2.Schema, shop: ShopConfig, config: ValidationConfig
) -> None:
    """Writes the configured bounds on drift and skew into the schema."""
    categories = (features.EVENT, *shop.context_features)
    for feature in schema.feature:
        if feature.name in _COMPARED_NUMBERS:
            drift, skew = feature.drift_comparator, feature.skew_comparator
            drift.jensen_shannon_divergence.threshold = config.max_number_drift
            skew.jensen_shannon_divergence.threshold = config.max_number_skew
        elif feature.name in categories:
            drift, skew = feature.drift_comparator, feature.skew_comparator
            drift.infinity_norm.threshold = config.max_category_drift
            skew.infinity_norm.threshold = config.max_category_skew


def _apply_rule(feature: schema_pb2.Feature, rule: Column, shop: ShopConfig) -> None:
    feature.name = rule.name
    feature.type = _TYPES[rule.kind]
    feature.presence.min_fraction = 1.0 if rule.required else 0.0
    feature.presence.min_count = 1 if rule.required else 0
    if rule.required:
        feature.shape.dim.add(size=1)
    else:
        feature.value_count.min = 0
        feature.value_count.max = 1
    if rule.name == features.EVENT:
        feature.string_domain.name = features.EVENT
        feature.string_domain.value.extend(shop.event_types)
    elif rule.name in _POSITIVE:
        feature.float_domain.min = 0.0
