"""Malformed files get an error that names the file, the field and the remedy."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.ingest import conform, read_table
from core.errors import InputDataError

EVENTS = conform.columns_of("events", ["country"])
GOOD = "user_id,item_id,event,timestamp,price,country\nu1,i1,view,10,2.5,FR\n"


def _read(path: Path) -> pa.Table:
    parts = read_table.plan_parts([str(path)])
    tables = [t for part in parts for t in read_table.read_part(part, EVENTS)]
    return pa.concat_tables(tables)


def _parquet(path: Path, **changes: pa.Array) -> Path:
    columns = {
        "user_id": pa.array(["u1", "u2"]),
        "item_id": pa.array(["i1", "i2"]),
        "event": pa.array(["view", "view"]),
        "timestamp": pa.array([10, 20]),
    }
    pq.write_table(pa.table(columns | changes), path)
    return path


def test_csv_and_parquet_give_the_same_rows(tmp_path: Path) -> None:
    text = tmp_path / "events.csv"
    text.write_text(GOOD)
    from_csv = _read(text)
    pq.write_table(
        pa.table(
            {
                "user_id": ["u1"],
                "item_id": ["i1"],
                "event": ["view"],
                "timestamp": [10],
                "price": [2.5],
                "country": ["FR"],
            }
        ),
        tmp_path / "events.parquet",
    )
    assert from_csv.to_pydict() == _read(tmp_path / "events.parquet").to_pydict()
    assert from_csv.column("quantity").to_pylist() == [None]
    assert from_csv.schema.field("price").type == pa.float32()


def test_lossless_types_are_converted(tmp_path: Path) -> None:
    path = _parquet(
        tmp_path / "events.parquet",
        user_id=pa.array([17850, 2]),
        timestamp=pa.array([1_000, 2_000], pa.timestamp("ms")),
        price=pa.array([float("nan"), 2.0]),
        event=pa.array(["view", "view"]).dictionary_encode(),
    )
    rows = _read(path).to_pydict()
    assert rows["user_id"] == ["17850", "2"]
    assert rows["timestamp"] == [1, 2]  # milliseconds → seconds
    assert rows["price"] == [None, 2.0]
    assert rows["event"] == ["view", "view"]


def test_what_nobody_reads_may_hold_anything(tmp_path: Path) -> None:
    """Numbers in the first block of a file, text behind it; under a quoted name."""
    path = tmp_path / "events.csv"
    rows = 9_000
    filler = "1" * 1_000
    with path.open("w", encoding="utf-8-sig") as file:
        file.write('user_id,item_id,event,timestamp,"a note"\n')
        file.writelines(f"u,i,view,{n},{filler}\n" for n in range(rows))
        file.write("u,i,view,1,text\n")

    assert _read(path).num_rows == rows + 1


def test_gaps_in_whole_numbers_of_a_csv_are_read(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(
        "user_id,item_id,event,timestamp,position\na,b,view,1,3.0\na,b,view,2,\n"
    )
    assert _read(path).column("position").to_pylist() == [3, None]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD.replace("timestamp", "timestmp"), "Did you mean `timestmp`"),
        (GOOD.replace(",10,", ",ten,"), "`timestamp`.*Row #2.*'ten'"),
        (GOOD + "u2,i2\n", "Row #3: Expected 6 columns, got 2"),
        ("user_id,item_id,event,timestamp\n", "at least one row"),
        ("", "at least one row"),
        (
            GOOD.replace("country", "country,country").replace("FR", "FR,FR"),
            "each column once.*country",
        ),
        (GOOD + "u2,i2,view,11,2.5,F\x81R\n", "UTF-8|UTF8"),
    ],
)
def test_malformed_csv_is_explained(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputDataError, match=says) as raised:
        read_table.check_header(str(path), EVENTS)
        _read(path)
    assert str(path) in str(raised.value)


def test_malformed_parquet_is_explained(tmp_path: Path) -> None:
    whole = _parquet(tmp_path / "events.parquet").read_bytes()
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(whole[: len(whole) // 2])
    empty = tmp_path / "empty.parquet"
    empty.write_bytes(b"")
    none = tmp_path / "none.parquet"
    pq.write_table(pq.read_table(tmp_path / "events.parquet").slice(0, 0), none)
    for path, says in (
        (cut, "complete Parquet file"),
        (empty, "complete Parquet file"),
        (none, "at least one row"),
    ):
        with pytest.raises(InputDataError, match=says) as raised:
            _read(path)
        assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"timestamp": pa.array(["1", "2"])}, "`timestamp` must be int64.*string"),
        ({"timestamp": pa.array([1.5, 2.0])}, "`timestamp` must be int64"),
        ({"price": pa.array(["1", "2"])}, "`price` must be float32.*string"),
        ({"user_id": pa.array([1.0, 2.0])}, "`user_id` must be string.*double"),
        ({"user_id": pa.array([b"\xff", b"a"])}, "`user_id` must be string.*UTF8"),
    ],
)
def test_wrong_types_are_explained(
    tmp_path: Path, changes: dict[str, pa.Array], says: str
) -> None:
    path = _parquet(tmp_path / "events.parquet", **changes)
    with pytest.raises(InputDataError, match=says):
        _read(path)


def test_unknown_file_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputDataError, match=r"must end in \.parquet"):
        read_table.plan_parts([str(tmp_path / "events.xlsx")])


def test_large_files_become_several_parts(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    ones = pa.array(["1"] * 600_000)
    table = pa.table(dict.fromkeys(("user_id", "item_id", "event"), ones))
    table = table.append_column("timestamp", pa.array(range(600_000)))
    pq.write_table(table, path, row_group_size=100_000)
    parts = read_table.plan_parts([str(path)])
    assert [part.row_groups for part in parts] == [(0, 1, 2), (3, 4, 5)]
    rows = [t for part in parts for t in read_table.read_part(part, EVENTS)]
    assert sum(t.num_rows for t in rows) == 600_000
