"""The gate of TFMA's thresholds, with what was measured where one does not hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from components.gates.verdict import Verdict, digits_apart

_FILE = "validations.tfrecord"


def check_tfma(passed: bool, evaluation: Path | None) -> Verdict:
    """The verdict of TFX's Evaluator.

    Args:
      passed: whether it blessed the model.
      evaluation: folder of its evaluation, where the reasons are; None: not known.
    """
    gate = "passes TFMA's thresholds"
    if passed:
        return Verdict(gate=gate, passed=True, message="All held.")
    told = ""
    if evaluation is not None and (evaluation / _FILE).exists():
        told = " ".join(map(_told, _failures(evaluation)))
    return Verdict(
        gate=gate, passed=False, message=told or "See the Evaluator's output."
    )


def _failures(evaluation: Path) -> list[Any]:
    """TFMA's ValidationFailure of each threshold that does not hold."""
    import tensorflow_model_analysis as tfma  # takes seconds: only after a failure

    result = tfma.load_validation_result(str(evaluation))
    return [each for s in result.metric_validations_per_slice for each in s.failures]


def _told(failure: Any) -> str:
    name, value = failure.metric_key.name, failure.metric_value.double_value.value
    threshold = failure.metric_threshold
    if failure.message:
        return f"{name}: {failure.message}"
    if failure.metric_key.is_diff or threshold.HasField("change_threshold"):
        least = threshold.change_threshold.absolute.value
        digits = digits_apart(value, least, 4)
        return (
            f"{name} of the target event's probability changed by {value:+.{digits}f} "
            f"against the last blessed model; at least {least:+.{digits}f} is asked "
            "(`evaluation.max_auc_drop`)."
        )
    least = threshold.value_threshold.lower_bound.value
    digits = digits_apart(value, least, 4)
    return (
        f"{name} of the target event's probability is {value:.{digits}f}; at least "
        f"{least:.{digits}f} is asked (`evaluation.min_auc`; .5 is chance): the log "
        "may be too short, or its test period unlike the rest."
    )
