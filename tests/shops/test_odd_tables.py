"""Files as other tools write them: read right, or refused with a remedy."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import shops
from core.errors import ConfigError, InputDataError
from core.layout import HomeLayout
from pipeline.sources import ensure_tables
from shops import Shop, tables

MAPPING = """
items: items.parquet
events: events.parquet
event: purchase
splits: {horizon_days: 1, stride_days: 1, num_cutoffs: 3}
"""
NOW = 2_000_000_000
TIMES = [1_700_000_000, 1_700_000_100, 1_700_000_200]
# Two people whose ids are one number as floating point.
LONG = [900_719_925_474_099_301, 900_719_925_474_099_302]


def loaded(
    folder: Path,
    events: dict[str, Any] | None = None,
    items: dict[str, Any] | None = None,
    mapping: str = MAPPING,
) -> Shop:
    """The shop of two items that three people bought, but for what is said."""
    base_items = {"item_id": ["1", "2"], "title": ["Red mug", "保温杯"]}
    base = {"user_id": ["u", "v", "w"], "item_id": ["1", "2", "1"], "timestamp": TIMES}
    pq.write_table(pa.table(base_items | (items or {})), folder / "items.parquet")
    pq.write_table(pa.table(base | (events or {})), folder / "events.parquet")
    (folder / "shop.yaml").write_text(mapping, encoding="utf-8")
    return tables.load(folder, now=NOW)


def column(shop: Shop, name: str) -> list[Any]:
    return list(shop.tables.events.column(name).to_pylist())


def test_whole_numbers_beside_a_null_stay_the_ids_they_are(tmp_path: Path) -> None:
    users = pa.array([*LONG, None], pa.int64())
    shop = loaded(
        tmp_path,
        events={
            "user_id": users,
            "item_id": pa.array([1, 2, 1], pa.int32()),
            "session_id": pa.array([7, None, 9], pa.int16()),
        },
        items={"item_id": pa.array([1, 2], pa.int64())},
    )

    assert column(shop, "user_id") == [str(each) for each in LONG]
    assert column(shop, "session_id") == ["7", None]
    (rejected,) = shop.tables.rejected.to_pylist()
    assert rejected["reason"] == "no user_id"


def test_ids_that_another_tool_made_floats_of_are_whole_again(tmp_path: Path) -> None:
    shop = loaded(tmp_path, events={"user_id": pa.array([17850.0, 5.0, 17850.0])})

    assert column(shop, "user_id") == ["17850", "5", "17850"]


def test_floats_too_large_to_be_exact_are_no_ids(tmp_path: Path) -> None:
    with pytest.raises(InputDataError, match=r"'user_id'.* not exact above 2\^53"):
        loaded(tmp_path, events={"user_id": pa.array([1.0, 2.0, float(2**60)])})


def test_bytes_are_text_where_they_are_utf8(tmp_path: Path) -> None:
    titles = pa.array(["Tisch für 4".encode(), "茶".encode()], pa.binary())
    shop = loaded(tmp_path, items={"title": titles})

    assert shop.tables.items.column("title").to_pylist() == ["Tisch für 4", "茶"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (pa.array([b"\xff", b"a"], pa.binary()), "UTF-8"),
        (pa.array([["Home", "Mugs"], ["Home"]]), "one value a row.*list<"),
        (pa.array([{"de": "Tasse"}, {"de": "Kanne"}]), "one value a row.*struct<"),
    ],
)
def test_what_is_no_text_is_refused(
    tmp_path: Path, values: pa.Array, said: str
) -> None:
    with pytest.raises(InputDataError, match=f"'title'.*{said}"):
        loaded(tmp_path, items={"title": values})


def test_an_index_that_pandas_stored_is_a_column(tmp_path: Path) -> None:
    loaded(tmp_path)
    frame = pd.DataFrame({"item_id": ["1", "2"], "title": ["a", "b"]})
    frame.set_index("item_id").to_parquet(tmp_path / "items.parquet")

    items = tables.load(tmp_path, now=NOW).tables.items

    assert items.column("item_id").to_pylist() == ["1", "2"]


def seconds(*when: int) -> int:
    moment = datetime.datetime(*when, tzinfo=datetime.timezone.utc)  # type: ignore[arg-type,misc]
    return int(moment.timestamp())


@pytest.mark.parametrize(
    ("texts", "form", "want"),
    [
        (["2023-02-11T10:00:00Z"] * 3, "iso", seconds(2023, 2, 11, 10)),
        (["2023-02-11 10:00:00 UTC"] * 3, "iso", seconds(2023, 2, 11, 10)),
        (["2023-02-11 10:00:00.123456+02"] * 3, "iso", seconds(2023, 2, 11, 8)),
        (["2023-02-11"] * 3, "iso", seconds(2023, 2, 11)),
        (["20230211"] * 3, "iso", seconds(2023, 2, 11)),
        (["1676109600"] * 3, "iso", seconds(2023, 2, 11, 10)),
        (["11.02.2023 10:00"] * 3, "%d.%m.%Y %H:%M", seconds(2023, 2, 11, 10)),
        ([20230211] * 3, "%Y%m%d", seconds(2023, 2, 11)),
        ([1_676_109_600_123] * 3, "ms", seconds(2023, 2, 11, 10)),
    ],
)
def test_times_are_what_they_say(
    tmp_path: Path, texts: list[Any], form: str, want: int
) -> None:
    mapping = MAPPING + f"timestamp: '{form}'\n"

    shop = loaded(tmp_path, events={"timestamp": texts}, mapping=mapping)

    assert column(shop, "timestamp") == [want] * 3


@pytest.mark.parametrize("text", ["11.02.2023", "03/02/2023", "now", "10:30"])
def test_what_only_may_be_a_time_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputDataError, match=r"a time of the form iso.* the mapping"):
        loaded(tmp_path, events={"timestamp": [text] * 3})


def test_a_time_beyond_what_pandas_counts_is_set_aside(tmp_path: Path) -> None:
    usual = [datetime.datetime(2023, 2, 11)] * 19
    times = pa.array([*usual, datetime.datetime(9999, 12, 31)], pa.timestamp("us"))
    events = {"user_id": ["u"] * 20, "item_id": ["1"] * 20, "timestamp": times}

    shop = loaded(tmp_path, events=events)

    assert column(shop, "timestamp") == [seconds(2023, 2, 11)] * 19
    (rejected,) = shop.tables.rejected.to_pylist()
    # pandas 1 cannot hold it, pandas 2 can.
    assert rejected["reason"] in (
        "timestamp is not a time of the form iso",
        "timestamp is in the future",
    )


def test_canonical_csv_needs_no_mapping(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,title\n1,Red mug\n")
    rows = "".join(f"u,1,purchase,{time}\n" for time in (*TIMES, TIMES[0] - 9 * 86_400))
    (tmp_path / "events.csv").write_text("user_id,item_id,event,timestamp\n" + rows)

    events = tables.load(tmp_path, now=NOW).tables.events

    assert events.column("timestamp").to_pylist()[:3] == TIMES


def test_a_rejected_row_is_kept_whatever_is_in_it(tmp_path: Path) -> None:
    odd = "one\u2028two\u0085three\nfour"
    shop = loaded(
        tmp_path,
        items={
            "item_id": ["1", "2", "3"],
            "title": ["Red mug", "保温杯", odd],
            "price": [1.0, 2.0, 0.0],
            "thumbnail": pa.array([b"\xff\xd8", b"", None], pa.binary()),
        },
    )

    (rejected,) = shop.tables.rejected.to_pylist()
    row = json.loads(rejected["row"])
    assert rejected["reason"] == "price is not above zero"
    assert (row["title"], row["thumbnail"]) == (odd, None)


def test_columns_of_one_name_are_refused_where_they_are_asked_for(
    tmp_path: Path,
) -> None:
    header = "item_id,title,note,note\n"
    loaded(tmp_path)
    mapping = MAPPING.replace("items.parquet", "items.csv")
    (tmp_path / "shop.yaml").write_text(mapping)
    (tmp_path / "items.csv").write_text(header + "1,a,x,y\n2,b,x,y\n")
    assert tables.load(tmp_path, now=NOW).tables.items.num_rows == 2

    (tmp_path / "items.csv").write_text(header.replace("note", "title") + "1,a,x,y\n")
    with pytest.raises(InputDataError, match=r"one column 'title'.*Received: 3"):
        tables.load(tmp_path, now=NOW)


@pytest.mark.parametrize("file", ["log.parquet", "log.parquet/part-*.parquet"])
def test_parts_are_one_table(tmp_path: Path, file: str) -> None:
    loaded(tmp_path)
    whole = pq.read_table(tmp_path / "events.parquet")
    (tmp_path / "log.parquet").mkdir()
    for number in range(3):
        part = whole.slice(number, 1)
        pq.write_table(part, tmp_path / "log.parquet" / f"part-{number}.parquet")
    (tmp_path / "log.parquet" / "_SUCCESS").touch()
    (tmp_path / "shop.yaml").write_text(MAPPING.replace("events.parquet", file))

    assert column(tables.load(tmp_path, now=NOW), "timestamp") == TIMES

    pq.write_table(whole.drop(["user_id"]), tmp_path / "log.parquet" / "part-3.parquet")
    with pytest.raises(InputDataError, match=r"part-3.*must have the columns of"):
        tables.load(tmp_path, now=NOW)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("splits: {horizon_days: 7 days}", "horizon_days` must be a whole number"),
        ("splits: {test_start: soon}", "isoformat string: 'soon'"),
        ("context: [price]", "`Mapping.context` must be names of ASCII letters"),
        ("context: [device-type]", "Give 'device-type' another name"),
        ("context: {2nd_visit: visit}", "Give '2nd_visit' another name"),
        (
            "context: [_x, 나라, Land des Kunden]",
            "Give '_x', '나라', 'Land des Kunden'",
        ),
        ("context: {k: country}", "Give 'k' another name"),
        ("context: [country, 7]", "`Mapping.context` must be text"),
        ("event_names: {yes: view}", "where True is no name: put it in quotes"),
        ("event_names: {2025-01-31: view}", "date.* is no name: put it in quotes"),
        ("timezone: Peking", "`Mapping.timezone` must be a name of the time zone"),
        ("yes: view\nno: view", "no setting False, True"),
        ("event_names: [a]", "event_names` must be names with values"),
        ("judgments: {file: j.csv, delimiter: ';;'}", "must be one ASCII character"),
        ("judgments: {file: j.csv, delimiter: ，}", "must be one ASCII character"),
        ("judgments: {file: j.csv, encoding: gb10830}", "Received: 'gb10830'"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(
    tmp_path: Path, line: str, said: str
) -> None:
    mapping = MAPPING.replace("splits: {horizon_days: 1, ", "#") + line + "\n"
    with pytest.raises(ConfigError, match=f"shop.yaml: .*{said}"):
        loaded(tmp_path, mapping=mapping)


def test_usual_ways_to_write_settings_are_understood(tmp_path: Path) -> None:
    mapping = (
        MAPPING.replace("event: purchase", "event_names: {1: view, 2: purchase}")
        .replace("splits: {", "splits: {test_start: 2023-11-14, ")
        .replace("items: items.parquet", "items: {file: items.csv, delimiter: \\t}")
        + "context: country\njudgments:\n"
    )
    (tmp_path / "items.csv").write_text("item_id\ttitle\n1\tRed mug\n2\tTea\n")

    shop = loaded(
        tmp_path, events={"event": [1, 2, 2], "country": ["DE"] * 3}, mapping=mapping
    )

    assert column(shop, "event") == ["view", "purchase", "purchase"]
    assert shop.config.context_features == ("country",)
    assert shop.splits.test_start == seconds(2023, 11, 14)


def test_context_takes_a_name_of_its_own(tmp_path: Path) -> None:
    mapping = MAPPING + "context: {device_type: device-type, country: 나라}\n"
    columns = {"device-type": ["tv", "pc", None], "나라": ["KR", "DE", "KR"]}

    shop = loaded(tmp_path, events=columns, mapping=mapping)

    assert shop.config.context_features == ("device_type", "country")
    assert column(shop, "device_type") == ["tv", "pc", None]
    assert column(shop, "country") == ["KR", "DE", "KR"]

    with pytest.raises(InputDataError, match=r"no column 'device'.*`device_type`"):
        loaded(
            tmp_path, events=columns, mapping=MAPPING + "context: {device_type: device}"
        )


@pytest.mark.parametrize("named", ["shop.yaml", ""])
def test_changed_data_is_noticed_wherever_it_lies(tmp_path: Path, named: str) -> None:
    folder, exports = tmp_path / "shop", tmp_path / "exports"
    folder.mkdir()
    exports.mkdir()
    file = exports / "items.csv"
    file.write_text("item_id,title\n1,a\n2,b\n")
    loaded(folder, mapping=MAPPING.replace("items.parquet", "../exports/items.csv"))
    layout = HomeLayout(tmp_path / "home", "own")

    def ids() -> list[str]:
        ensure_tables(layout, shops.TABLES, data=folder / named, seed=0)
        found = pq.read_table(layout.tables / "items.parquet")
        return list(found.column("item_id").to_pylist())

    assert ids() == ["1", "2"]
    file.write_text("item_id,title\n1,a\n2,b\n3,c\n")
    os.utime(file, (1, 1))
    assert ids() == ["1", "2", "3"]


def test_a_run_is_called_after_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "my-shop"
    folder.mkdir()
    loaded(folder)
    (folder / "other.yaml").write_text(MAPPING)

    assert shops.own_name(folder) == "my-shop"
    assert shops.own_name(folder / "shop.yaml") == "my-shop"
    assert shops.own_name(folder / "other.yaml") == "other"
