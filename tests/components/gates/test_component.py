from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
from tfx.components.util import model_utils
from tfx.types import standard_artifacts

from components.evaluate_funnel.artifacts import FunnelMetrics
from components.gates.artifacts import GateVerdicts
from components.gates.check_serving import _check_answer, check_serving
from components.gates.component import Gates
from core.config.gates import GatesConfig
from core.errors import ServingError
from core.progress import megabytes
from tests.components import small_world
from tests.components.gates.test_check_metrics import _metrics

NO_SERVER = GatesConfig(check_serving=False)


def _artifact(kind, folder: Path):
    artifact = kind()
    artifact.uri = str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return artifact


def _judge(tmp_path, metrics, config=NO_SERVER, last=None):
    model = _artifact(standard_artifacts.Model, tmp_path / "model")
    model.id = 7
    (tmp_path / "model" / "Format-Serving").mkdir(exist_ok=True)
    measured = _artifact(FunnelMetrics, tmp_path / "metrics")
    (tmp_path / "metrics" / "metrics.json").write_text(json.dumps(metrics))
    blessing = _artifact(standard_artifacts.ModelBlessing, tmp_path / "blessing")
    verdicts = _artifact(GateVerdicts, tmp_path / "verdicts")
    Gates.test_call(
        model=model,
        metrics=measured,
        blessing=blessing,
        verdicts=verdicts,
        config=config.to_json(),
        last_blessing=last,
    )
    written = json.loads((tmp_path / "verdicts" / "verdicts.json").read_text())
    return blessing, written


def test_a_good_bundle_is_blessed_as_tfx_expects(tmp_path):
    blessing, written = _judge(tmp_path, _metrics())
    assert model_utils.is_model_blessed(blessing)
    assert blessing.get_int_custom_property("current_model_id") == 7
    assert (tmp_path / "blessing" / "BLESSED").exists()
    assert written["blessed"] is True


def test_a_bad_bundle_is_refused_without_an_error(tmp_path):
    blessing, written = _judge(tmp_path, _metrics(bundle=0.2))
    assert not model_utils.is_model_blessed(blessing)
    assert (tmp_path / "blessing" / "NOT_BLESSED").exists()
    failed = [v for v in written["verdicts"] if not v["passed"]]
    assert [v["gate"] for v in failed] == ["beats user_frequency"]
    assert "0.2000 against 0.3300" in failed[0]["message"]


def test_the_metrics_kept_with_a_blessing_judge_the_next_bundle(tmp_path):
    last, _ = _judge(tmp_path / "one", _metrics(bundle=0.5))
    blessing, _ = _judge(tmp_path / "two", _metrics(bundle=0.4), last=last)
    assert not model_utils.is_model_blessed(blessing)


def _write_warmup(model_dir: Path) -> None:
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.name = "souk"
    request.model_spec.signature_name = "rank"
    inputs = {
        "user_id": np.array(["u"], object),
        "history_item_ids": np.array([["item-01"]], object),
        "history_events": np.array([["purchase"]], object),
        "history_timestamps": np.array([[5]], np.int64),
        "timestamp": np.array([9], np.int64),
        "country": np.array([""], object),
        "candidate_item_ids": np.array([["item-01", "item-02"]], object),
    }
    for name, value in inputs.items():
        kind = tf.string if value.dtype == object else tf.int64
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value, kind))
    (model_dir / "assets.extra").mkdir()
    path = model_dir / "assets.extra" / "tf_serving_warmup_requests"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(log.SerializeToString())


def _failed(verdicts):
    return [v.gate for v in verdicts if not v.passed]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = small_world.save_fake_bundle(tmp_path_factory.mktemp("b") / "model")
    _write_warmup(folder)
    return folder


def test_a_bundle_is_loaded_and_asked_in_the_model_server(bundle):
    config = GatesConfig(max_size_mb=50, max_latency_ms=5000)
    verdicts = check_serving(bundle, config)
    assert _failed(verdicts) == []
    assert not any(v.skipped for v in verdicts)


def test_size_is_bounded_and_a_bundle_without_warmup_is_refused(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"x" * 2_000_000)
    verdicts = check_serving(tmp_path, GatesConfig(max_size_mb=1.0))
    assert len(_failed(verdicts)) == 2
    assert "warm-up" in verdicts[1].message


def test_a_size_just_above_its_bound_reads_so_in_the_unit_of_the_bound(tmp_path):
    # 4,304,000 bytes are 4.3 MB as the Bundle step writes them, and 4.1 MiB.
    (tmp_path / "saved_model.pb").write_bytes(b"x" * 4_304_000)
    assert megabytes(4_304_000) == "4.3 MB"
    free, *_ = check_serving(tmp_path, GatesConfig())
    assert free.message == "4.3 MB, no limit set."
    refused, *_ = check_serving(tmp_path, GatesConfig(max_size_mb=4.3))
    assert not refused.passed
    assert refused.message == "4.304 MB, at most 4.3 MB (`gates.max_size_mb`)."


def test_a_broken_bundle_does_not_serve(bundle, tmp_path):
    _write_warmup(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"not a saved model")
    verdicts = check_serving(tmp_path, GatesConfig(serving_timeout_s=4))
    assert _failed(verdicts) == ["answers its warm-up requests in the model server"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_not_finite_is_enough(bad):
    request, response = predict_pb2.PredictRequest(), predict_pb2.PredictResponse()
    request.model_spec.signature_name = "rank"
    for scores, ok in (([0.5, 0.25], True), ([0.5, bad], False)):
        proto = tf.make_tensor_proto(np.array([scores], np.float32))
        response.outputs["score"].CopyFrom(proto)
        if ok:
            _check_answer(request, response)
        else:
            with pytest.raises(ServingError, match="`rank` answered score"):
                _check_answer(request, response)


def test_a_slow_bundle_is_refused(bundle):
    verdicts = check_serving(bundle, GatesConfig(max_latency_ms=1e-6))
    assert _failed(verdicts) == ["is fast enough"]


def test_a_bundle_that_answers_nan_is_refused(tmp_path):
    folder = small_world.save_fake_bundle(tmp_path / "model", gain=float("nan"))
    _write_warmup(folder)
    verdicts = check_serving(folder, GatesConfig())
    assert _failed(verdicts) == ["answers its warm-up requests in the model server"]
    assert "not finite" in verdicts[1].message
