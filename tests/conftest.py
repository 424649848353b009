"""What all tests share: quiet TensorFlow, the `tfx` marker, the shared data folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before anything imports TensorFlow: a test that imports TFX first would get Keras 3.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # the same sums on every processor

TESTS = Path(__file__).parent
# Tests in these folders may import TFX and Beam; all others run without.
TFX_FOLDERS = (TESTS / "components", TESTS / "pipeline")


def _needs_tfx(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in TFX_FOLDERS)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    for item in items:
        if _needs_tfx(item.path):
            item.add_marker(pytest.mark.tfx)
    if hasattr(config, "workerinput"):  # side by side: none of the long ones comes last
        items.sort(key=lambda item: item.get_closest_marker("e2e") is None)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves TFX's folders unimported where no test of theirs is going to run."""
    if "not tfx" in config.option.markexpr and _needs_tfx(collection_path):
        return True
    return None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets; the test is skipped where there is none."""
    default = TESTS.parent.parent / "shared" / "data"
    folder = Path(os.environ.get("SOUK_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip(
            f"no real data at {folder}: set SOUK_SHARED_DATA to a folder that holds "
            "online_retail/online_retail.parquet"
        )
    return folder
