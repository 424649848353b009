"""What a refusal by TFMA says, on validations that TFMA itself wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow_model_analysis.proto import validation_result_pb2

from components.gates.check_tfma import check_tfma


def written(folder: Path, *, change: float | None = None) -> Path:
    """The file that TFMA leaves beside an evaluation with one threshold not held."""
    result = validation_result_pb2.ValidationResult(validation_ok=False)
    failure = result.metric_validations_per_slice.add().failures.add()
    failure.metric_key.name = "auc"
    if change is None:
        failure.metric_threshold.value_threshold.lower_bound.value = 0.6
        failure.metric_value.double_value.value = 0.425
    else:
        failure.metric_key.is_diff = True
        failure.metric_threshold.change_threshold.absolute.value = -0.02
        failure.metric_value.double_value.value = change
    with tf.io.TFRecordWriter(str(folder / "validations.tfrecord")) as file:
        file.write(result.SerializeToString())
    return folder


def test_a_blessed_model_passes() -> None:
    verdict = check_tfma(True, None)
    assert verdict.passed and verdict.message == "All held."


def test_a_refusal_names_metric_value_and_bound(tmp_path: Path) -> None:
    verdict = check_tfma(False, written(tmp_path))
    assert not verdict.passed
    start = "auc of the target event's probability is 0.4250; at least 0.6000 is asked"
    assert verdict.message.startswith(start)
    assert "`evaluation.min_auc`" in verdict.message


def test_a_fall_below_the_last_model_is_told(tmp_path: Path) -> None:
    verdict = check_tfma(False, written(tmp_path, change=-0.05))
    assert "changed by -0.0500 against the last blessed model" in verdict.message
    assert "at least -0.0200 is asked (`evaluation.max_auc_drop`)" in verdict.message


@pytest.mark.parametrize("known", [True, False])
def test_without_reasons_it_says_where_to_look(tmp_path: Path, known: bool) -> None:
    verdict = check_tfma(False, tmp_path if known else None)
    assert not verdict.passed and "Evaluator's output" in verdict.message
