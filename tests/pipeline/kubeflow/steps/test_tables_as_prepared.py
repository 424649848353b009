"""Another run's tables are not read under this run's name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from core.errors import InputDataError
from pipeline.kubeflow.steps.tables_as_prepared import check, content


def test_the_tables_are_those_that_prepare_saw(tmp_path: Path) -> None:
    tables = tmp_path / "my-shop" / "tables"
    tables.mkdir(parents=True)
    (tables / "items.parquet").write_bytes(b"one")
    given = {
        "souk_root": str(tmp_path / "my-shop"),
        "items_fingerprint": hashlib.sha256(b"one").hexdigest(),
        "judgments_fingerprint": "",  # there are none
        "preset_fingerprint": "of something else",
    }
    assert content(tables / "items.parquet") == given["items_fingerprint"]
    check(given)
    check({"souk_root": str(tmp_path)})  # a step that reads no table
    (tables / "items.parquet").write_bytes(b"two")
    with pytest.raises(InputDataError, match=r"items.parquet .*one after the other"):
        check(given)
    (tables / "items.parquet").unlink()
    with pytest.raises(InputDataError, match=r"items\.parquet"):
        check(given)
