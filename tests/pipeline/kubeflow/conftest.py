"""The tiny shop's tables and its compiled pipeline, once for all tests here."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import presets
from core.config.souk import SoukConfig
from core.layout import HomeLayout
from pipeline import sources
from pipeline.kubeflow.compile import CompiledPipeline, Target, compile_pipeline

TARGET = Target(
    pipeline_root="gs://bucket/artifacts", image="registry/souk:1", source="tiny"
)


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> HomeLayout:
    return HomeLayout(tmp_path_factory.mktemp("kubeflow_home"), "tiny")


@pytest.fixture(scope="session")
def config(layout: HomeLayout) -> SoukConfig:
    return presets.for_shop(*sources.ensure_tables(layout, "tiny", data=None, seed=0))


@pytest.fixture(scope="session")
def compiled(config: SoukConfig, layout: HomeLayout) -> CompiledPipeline:
    return compile_pipeline(config, layout, TARGET)


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's containers find the artifact store."""
    monkeypatch.setenv("SOUK_MOUNT_ROOT", str(tmp_path / "mnt"))
    return tmp_path / "mnt"
