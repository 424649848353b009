"""The curated schema follows the data contract and survives a person's edits."""

from __future__ import annotations

from pathlib import Path

import pytest
from tensorflow_metadata.proto.v0 import schema_pb2

from components.curate_schema import curate, schema_file
from core.config.validation import ValidationConfig
from core.errors import InputDataError
from tests.components.shop_tables import SHOP


def _curated() -> dict[str, schema_pb2.Feature]:
    inferred = schema_pb2.Schema()
    inferred.feature.add(name="country", type=schema_pb2.BYTES)
    brand = inferred.feature.add(name="brand", type=schema_pb2.BYTES)
    brand.string_domain.value.extend(["Acme"])
    brand.presence.min_fraction = 1.0
    inferred.feature.add(name="query", type=schema_pb2.INT)  # all missing: a guess
    inferred.feature.add(name="extra", type=schema_pb2.FLOAT)
    schema = curate.curate(inferred, "events", SHOP, ValidationConfig())
    return {feature.name: feature for feature in schema.feature}


def test_optional_columns_may_be_missing_and_required_ones_may_not() -> None:
    features = _curated()
    assert features["brand"].presence.min_fraction == 0
    assert not features["brand"].HasField("shape")
    assert not features["brand"].HasField("string_domain")
    assert features["user_id"].presence.min_fraction == 1
    assert [d.size for d in features["user_id"].shape.dim] == [1]
    assert features["query"].type == schema_pb2.BYTES
    assert features["price"].type == schema_pb2.FLOAT
    assert features["timestamp"].type == schema_pb2.INT
    assert features["extra"].type == schema_pb2.FLOAT  # kept as inferred
    assert "in_stock" not in features


def test_event_types_and_bounds_stand_in_the_schema() -> None:
    features = _curated()
    assert list(features["event"].string_domain.value) == ["view", "purchase"]
    bound = features["price"].drift_comparator.jensen_shannon_divergence.threshold
    assert bound == ValidationConfig().max_number_drift
    bound = features["country"].skew_comparator.infinity_norm.threshold
    assert bound == ValidationConfig().max_category_skew
    assert not features["brand"].HasField("drift_comparator")


def test_only_a_person_s_edit_changes_the_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "schemas" / "events.pbtxt"
    assert schema_file.edited_fingerprint(path) == ""
    inferred = schema_pb2.Schema()
    schema = curate.curate(inferred, "events", SHOP, ValidationConfig())
    schema_file.write(path, schema)
    assert schema_file.edited_fingerprint(path) == ""
    assert schema_file.read(path) == schema
    generated = path.read_text()
    path.write_text(generated.replace("0.1", "0.5"))
    assert len(schema_file.edited_fingerprint(path)) == 64
    path.write_text('feature { name: "coupon" }\n' + generated)
    assert len(schema_file.edited_fingerprint(path)) == 64


def test_broken_schema_files_are_explained(tmp_path: Path) -> None:
    path = tmp_path / "events.pbtxt"
    path.write_text("feature { nam: 'x' }")
    with pytest.raises(InputDataError, match=r"events\.pbtxt.*1:11"):
        schema_file.read(path)
