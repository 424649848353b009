"""A metadata store that a full disk or a bad copy cut short."""

import os
import sqlite3
from pathlib import Path

import pytest
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from core.errors import ArtifactError
from core.layout import HomeLayout
from pipeline.local.store import check_store
from pipeline.run import RunRequest, run_shop


@pytest.fixture()
def layout(tmp_path: Path) -> HomeLayout:
    """A home with ML Metadata's own empty store, some 40 tables and indexes."""
    layout = HomeLayout(tmp_path, "tiny")
    layout.root.mkdir()
    config = mlmd.ConnectionConfig()
    config.sqlite.filename_uri = str(layout.metadata)
    MetadataStore(config)
    return layout


def test_a_store_that_is_whole_or_not_there_is_fine(layout: HomeLayout) -> None:
    check_store(layout)
    layout.metadata.write_bytes(b"")  # SQLite's way of an empty store
    check_store(layout)
    layout.metadata.unlink()
    check_store(layout)
    assert not layout.metadata.exists()


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9])
def test_a_truncated_store_is_named_with_what_goes_aside(
    layout: HomeLayout, share: float
) -> None:
    size = layout.metadata.stat().st_size
    os.truncate(layout.metadata, int(size * share))
    said = r"metadata\.sqlite` must be a whole SQLite file.*tfx` aside, both together"
    with pytest.raises(ArtifactError, match=said) as refused:
        check_store(layout)
    assert str(layout.metadata) in str(refused.value)
    assert "What is served stays" in str(refused.value)


def test_a_run_on_a_truncated_store_starts_no_step(layout: HomeLayout) -> None:
    os.truncate(layout.metadata, 10_000)
    with pytest.raises(ArtifactError, match="Move it and") as refused:
        run_shop(RunRequest(layout=layout, source="tiny"))
    assert "Run again to resume" not in str(refused.value)
    assert layout.metadata.stat().st_size == 10_000
    assert not layout.tfx.exists()


def test_a_store_in_use_is_not_called_damaged(
    layout: HomeLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path: connect(path, timeout=0))
    other = connect(layout.metadata)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            check_store(layout)
    finally:
        other.close()
