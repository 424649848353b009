"""One small model and one running server for all tests that only ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.small_bundle import save_small_bundle
from tests.serving.running import RunningServer, add_classic_signatures


@pytest.fixture(scope="session")
def small_models(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Two versions with different weights; tests copy them, none changes them."""
    folder = tmp_path_factory.mktemp("models")
    made = {n: save_small_bundle(folder / str(n), seed=n) for n in (1, 2)}
    for version in made.values():
        add_classic_signatures(version)
    return made


@pytest.fixture(scope="session")
def running(small_models: dict[int, Path]) -> Iterator[RunningServer]:
    """A server of version 2, which is the newest."""
    with RunningServer(small_models[1].parent) as server:
        yield server
