"""What a run refuses before its first step."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import tensorflow as tf
from rich.console import Console

from core import presets
from core.config import ShopConfig, SplitConfig
from core.errors import ConfigError
from core.layout import HomeLayout
from pipeline.local_runner import run_local


def test_forks_are_refused_where_tensorflow_has_run(tmp_path: Path) -> None:
    tf.constant(1)  # starts the threads that a fork would wait for
    splits = SplitConfig(test_start=1_700_000_000)
    config = presets.tiny(ShopConfig(name="x"), splits)
    layout = HomeLayout(tmp_path, "x")
    with pytest.raises(ConfigError, match=r"`jobs` must be 1 .* Received: 2"):
        run_local(config, layout, Console(file=io.StringIO()), jobs=2)
