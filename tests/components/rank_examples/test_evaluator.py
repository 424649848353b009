"""RankExamples through TFX's own Evaluator, on a small SavedModel."""

from __future__ import annotations

import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tfx.components.evaluator import executor as evaluator
from tfx.types import standard_artifacts
from tfx.utils import json_utils, proto_utils

from components.evaluator_config import build_eval_config
from components.rank_examples.component import RankExamples
from components.rank_examples.write import FILE_NAME
from core.config.evaluation import EvaluationConfig
from core.metrics import area_under_curve
from tests.components import small_world
from tests.components.small_world import SHOP

CONFIG = EvaluationConfig(k_values=(5,), primary_k=5, max_rank_examples=300)


def _artifact(kind, uri):
    artifact = kind()
    artifact.uri = str(uri)
    return artifact


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("tfma")


@pytest.fixture(scope="module")
def examples(root):
    uris = small_world.write_examples(root)
    examples = _artifact(standard_artifacts.Examples, root / "examples")
    RankExamples.test_call(
        examples=examples,
        shop=SHOP.to_json(),
        config=CONFIG.to_json(),
        **{n: _artifact(standard_artifacts.Examples, u) for n, u in uris.items()},
    )
    return examples


def _records(examples):
    path = f"{examples.uri}/Split-test/{FILE_NAME}"
    return [
        tf.train.Example.FromString(r)
        for r in tf.data.TFRecordDataset(path, "GZIP").as_numpy_iterator()
    ]


def test_rows_hold_moment_candidate_label_and_slices(examples):
    records = _records(examples)
    assert 200 < len(records) <= 300
    features = records[0].features.feature
    assert len(features["candidate_item_ids"].bytes_list.value) == 1
    assert features["label"].float_list.value[0] in (0.0, 1.0)
    assert features["country"].bytes_list.value[0] in (b"France", b"Japan")
    assert {"activity_bucket", "returning", "price_bucket"} <= set(features)
    assert not [name for name in features if name.startswith("target_")]
    lengths = {len(features[f"history_{n}"].bytes_list.value) for n in ("events",)}
    assert lengths == {len(features["history_timestamps"].int64_list.value)}


@pytest.mark.slow
def test_stock_evaluator_measures_and_blesses(root, examples):
    bundle = small_world.save_fake_bundle(root / "model" / "Format-Serving")
    outputs = {
        "evaluation": _artifact(
            standard_artifacts.ModelEvaluation, root / "evaluation"
        ),
        "blessing": _artifact(standard_artifacts.ModelBlessing, root / "blessing"),
    }
    evaluator.Executor().Do(
        {
            "examples": [examples],
            "model": [_artifact(standard_artifacts.Model, root / "model")],
        },
        {name: [artifact] for name, artifact in outputs.items()},
        {
            "eval_config": proto_utils.proto_to_json(build_eval_config(SHOP, CONFIG)),
            "example_splits": json_utils.dumps(["test"]),
            "feature_slicing_spec": None,
            "fairness_indicator_thresholds": "null",
        },
    )
    assert outputs["blessing"].get_int_custom_property("blessed") == 1
    result = tfma.load_eval_result(str(root / "evaluation"))
    by_slice = {k: v[""][""] for k, v in result.slicing_metrics}
    records = _records(examples)
    labels = [r.features.feature["label"].float_list.value[0] for r in records]
    model = tf.saved_model.load(str(bundle)).signatures["serving_default"]
    serialized = tf.constant([r.SerializeToString() for r in records])
    scores = model(examples=serialized)["p_purchase"].numpy()[:, 0]
    whole = by_slice[()]
    assert whole["example_count"]["doubleValue"] == len(records)
    assert whole["auc"]["doubleValue"] == pytest.approx(
        area_under_curve(labels, scores), abs=0.001
    )
    assert {k[0][0] for k in by_slice if k} == {
        "country",
        "activity_bucket",
        "returning",
        "price_bucket",
    }
