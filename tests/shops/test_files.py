from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputDataError
from shops.files import read_file


def refused(folder: Path, rows: bytes) -> str:
    path = folder / "products.csv"
    path.write_bytes(rows)
    with pytest.raises(InputDataError) as error:
        read_file(path)
    return str(error.value)


def test_bad_encoding_names_the_line_and_the_remedy(tmp_path: Path) -> None:
    message = refused(tmp_path, "sku,name\na,A\nb,Café\n".encode("latin-1"))

    for part in ("products.csv, line 3", "utf8", "encoding: latin-1", "gb18030"):
        assert part in message


@pytest.mark.parametrize(("encoding", "line"), [("gb18030", 2), ("utf-16", 1)])
def test_a_bad_row_in_another_encoding_prints_nothing_beside_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, line: int
) -> None:
    # Arrow hands on a row of three cells as text, and prints where it is none.
    printed: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", printed.append)
    rows = "sku,name\na,茶壶\nb,茶杯,多余\nc,碗\n"

    message = refused(tmp_path, rows.encode(encoding))

    assert f"products.csv, line {line}: not valid utf8" in message
    assert printed == []
