"""A pattern of settings that fits nothing is told of, by the step that reads it."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from core.config.compress import CompressConfig
from core.config.ranker import RankerConfig
from tests.trainer.ranker.test_joint import moments, search_pages
from tests.trainer.ranker.worlds import world
from trainer.compression.compress_ranker import compress_ranker
from trainer.ranker.fit import fit_ranker
from trainer.search.fit_joint_ranker import fit_joint_ranker
from trainer.unfit_patterns import unfit_patterns

CONFIG = RankerConfig(hidden_units=(16, 8), epochs=1, moments_per_batch=8)
# One that fits, two that do not, and one of the presets', which may not.
PATTERNS = ("item_*", "item_sides", "persn_*", "cf_*")


def _told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said of names."""
    return [message for message in caplog.messages if "is named" in message]


@pytest.fixture(autouse=True)
def _records(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "souk")


def test_a_pattern_fits_as_the_shell_has_it() -> None:
    names = ("item_side", "noise")
    assert unfit_patterns(("item_*", "item", "nois?", "*x"), names) == ["item", "*x"]
    assert unfit_patterns((), names) == []


@pytest.mark.slow
def test_patterns_that_ignore_no_feature_are_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = world(tmp_path)
    fit_ranker(rows, CONFIG.replace(ignored_features=PATTERNS))
    said = "no feature is named item_sides, persn_* (typo?)"
    assert _told(caplog) == [f"Ranker: `ignored_features`: {said}"]


@pytest.mark.slow
def test_one_ranker_of_both_names_those_of_pages(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fit_joint_ranker(
        moments(tmp_path / "moments"),
        search_pages(),
        CONFIG,
        CONFIG.replace(ignored_features=PATTERNS, listwise_loss="weighted"),
        run_dir=tmp_path / "run",
    )
    said = "no feature is named item_sides, persn_* (typo?)"
    assert _told(caplog) == [f"Ranker: `search_ranker.ignored_features`: {said}"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sparsity", "said"),
    [
        # Of experts this ranker has none, which the default is not told.
        (CompressConfig.sparsity, []),
        (
            ("trunk_0=0.5", "trnk_*=0.5", "trunk_0_swish=0.5"),
            [
                "Compress: `sparsity`: no layer of this ranker is named trnk_*, "
                "trunk_0_swish, there are trunk_0, bottom_0, head_score, head_view, "
                "head_purchase"
            ],
        ),
    ],
    ids=["default", "typo"],
)
def test_rules_that_prune_no_layer_are_named_with_those_there_are(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    sparsity: tuple[str, ...],
    said: list[str],
) -> None:
    rows = world(tmp_path)
    fitted = fit_ranker(rows, CONFIG)
    config = CompressConfig(
        sparsity=sparsity, pruning_epochs=1, quantization_aware=False
    )
    smaller, _ = compress_ranker(fitted, world(tmp_path), config)
    assert _told(caplog) == said
    assert np.any(smaller.model.get_layer("trunk_0").get_weights()[0] == 0)
