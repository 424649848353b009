"""A quote that nobody closes stops the run; a text of several lines does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.errors import ConfigError, InputDataError
from shops import files
from shops.mapping import TableMapping

HEADER = "item_id,title,price"
ROWS = [f"{i},Oak shelf {i},{10 + i % 7}" for i in range(400)]


def read(folder: Path, lines: list[str], end: str = "\n", **options: bool) -> list[str]:
    """The titles; line 1 is the header, so row i of `ROWS` is line i + 2."""
    path = folder / "items.csv"
    path.write_text("\n".join([HEADER, *lines]) + end, encoding="utf-8", newline="")
    table, bad_lines = files.read_file(path, **options)
    assert not bad_lines
    return table["title"].to_pylist()


def with_lines(changes: dict[int, str]) -> list[str]:
    return [changes.get(i, row) for i, row in enumerate(ROWS)]


@pytest.mark.parametrize(
    "changes",
    [
        {100: '100,"12 inch frame,12'},  # to the end of the file
        {100: '100,"12 inch frame,12', 300: '300,"8 inch frame,12'},
        {100: '100,"12 inch frame,12', 101: '101,"8 inch frame,12'},
        {100: '100,"12 inch frame,12', 103: '103,24" frame,12'},
        {100: '100,Frame,"12', 399: "399,Frame,12"},
    ],
)
def test_an_open_quote_is_named_with_its_line(
    tmp_path: Path, changes: dict[int, str]
) -> None:
    with pytest.raises(InputDataError, match=r"items\.csv, line 102: .*`quote: none`"):
        read(tmp_path, with_lines(changes))


def test_an_open_quote_in_the_first_row_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputDataError, match="line 2: "):
        read(tmp_path, with_lines({0: '0,"12 inch frame,12'}))


def test_an_open_quote_before_more_than_arrow_reads_at_once_is_named(
    tmp_path: Path,
) -> None:
    rows = [f"{i},Oak shelf {i},12" for i in range(100_000)]  # 2 MB, a block is 1
    rows[70] = '70,"12 inch frame,12'
    with pytest.raises(InputDataError, match="line 72: "):
        read(tmp_path, rows)


def test_without_quoting_a_quote_is_a_sign(tmp_path: Path) -> None:
    rows = with_lines({100: '100,"12 inch frame,12', 300: '300,24" frame,12'})
    titles = read(tmp_path, rows, quoted=False)
    assert len(titles) == 400
    assert (titles[100], titles[300]) == ('"12 inch frame', '24" frame')


@pytest.mark.parametrize(
    "text",
    [
        "Solid oak\nWidth 2,5 cm",
        "Solid oak, oiled\n\nWidth, height, depth: 80, 20, 25",
        "Sizes:\nsmall, 10, 20\nlarge, 20, 40\nhuge, 40, 80",
        "80,20,25\n90,20,25 cm",
        "\n".join(f"Paragraph {i}, of a long text" for i in range(150)),
    ],
)
def test_a_text_of_several_lines_is_read(tmp_path: Path, text: str) -> None:
    titles = read(tmp_path, with_lines({100: f'100,"{text}",12'}))
    assert len(titles) == 400
    assert titles[100] == text


def test_lines_of_windows_are_lines(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    rows = with_lines({100: '100,"12 inch frame,12', 300: '300,"8 inch frame,12'})
    path.write_bytes("\r\n".join([HEADER, *rows, ""]).encode())
    with pytest.raises(InputDataError, match="line 102: "):
        files.read_file(path)


def test_quoting_is_double_or_none() -> None:
    assert TableMapping(file="a.tsv", quote="none").quote == "none"
    with pytest.raises(ConfigError, match=re.escape("one of double, none")):
        TableMapping(file="a.tsv", quote="'")
