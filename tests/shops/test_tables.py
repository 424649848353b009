from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import ConfigError, InputDataError
from shops import mapping, tables
from tests.shops.contract_checks import assert_obeys_contract

MAPPING = """
name: my-shop
currency: EUR
items:
  file: products.csv
  columns: {item_id: sku, title: name, price: unit_price}
events:
  file: log.csv
  columns: {user_id: customer, item_id: sku, event: action, timestamp: at}
event_names: {page_view: view, order: purchase}
context: [country]
splits: {horizon_days: 7, stride_days: 7, num_cutoffs: 3}
"""
PRODUCTS = "sku,name,unit_price\na,Red  mug,5.5\nb,保温杯,12\nc,Ｇreen tea,\n"
LOG = """customer,sku,action,at,country
u1,a,page_view,2025-03-01T10:00:00,DE
u1,b,order,2025-04-01 10:00:05,DE
u2,c,order,2025-04-02T00:00:00+02:00,
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


def write(
    folder: Path, *, mapping: str = MAPPING, products: str = PRODUCTS, log: str = LOG
) -> None:
    (folder / "shop.yaml").write_text(mapping, encoding="utf-8")
    (folder / "products.csv").write_text(products, encoding="utf-8")
    (folder / "log.csv").write_text(log, encoding="utf-8")


def rejected(folder: Path, **files: str) -> list[tuple[str, str, dict[str, Any]]]:
    write(folder, **files)
    rows = tables.load(folder).tables.rejected.to_pylist()
    return [(row["table"], row["reason"], json.loads(row["row"])) for row in rows]


def test_mapped_columns_become_the_canonical_tables(folder: Path) -> None:
    shop = tables.load(folder / "shop.yaml")

    assert_obeys_contract(shop)
    items = shop.tables.items.to_pylist()
    assert [item["title"] for item in items] == ["Red mug", "保温杯", "Green tea"]
    assert [item["price"] for item in items] == [5.5, 12.0, None]
    events = shop.tables.events.to_pylist()
    assert [e["event"] for e in events] == ["view", "purchase", "purchase"]
    # `date -u -d 2025-03-01T10:00:00 +%s` and so on; the last is in UTC+2
    assert [e["timestamp"] for e in events] == [1740823200, 1743501605, 1743544800]
    assert [e["country"] for e in events] == ["DE", "DE", None]
    assert shop.config.event_types == ("view", "purchase")
    assert shop.config.currency == "EUR"


def test_test_split_is_the_last_horizon_by_default(folder: Path) -> None:
    assert tables.load(folder).splits.test_start == 1743544800 + 1 - 7 * 86_400


def test_canonical_names_need_no_mapping_file(tmp_path: Path) -> None:
    items = pa.table({"item_id": ["a"], "title": ["A"], "in_stock": [1]})
    events = pa.table(
        {
            "user_id": [7, 8],
            "item_id": ["a", "a"],
            "event": ["cart", "purchase"],
            "timestamp": pa.array([1_700_000_000, 1_700_000_060], pa.int32()),
        }
    )
    pq.write_table(items, tmp_path / "items.parquet")
    pq.write_table(events, tmp_path / "events.parquet")

    shop = tables.load(tmp_path)

    assert_obeys_contract_without_price(shop.tables.events)
    assert shop.tables.events["user_id"].to_pylist() == ["7", "8"]


def assert_obeys_contract_without_price(events: pa.Table) -> None:
    assert events["price"].null_count == events.num_rows


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ("ms", ["1700000000000", "1700000060999"]),
        ("ns", ["1700000000000000000", "1700000060000000000"]),
        ("%d.%m.%Y %H:%M:%S", ["14.11.2023 22:13:20", "14.11.2023 22:14:20"]),
    ],
)
def test_timestamp_forms(folder: Path, form: str, values: list[str]) -> None:
    rows = "".join(f"u,a,order,{value},DE\n" for value in values)
    write(
        folder,
        mapping=MAPPING + f"timestamp: '{form}'\n",
        log="customer,sku,action,at,country\n" + rows,
    )

    events = tables.load(folder).tables.events

    assert events["timestamp"].to_pylist() == [1_700_000_000, 1_700_000_060]


def test_arrow_timestamps_are_read_as_they_are(folder: Path) -> None:
    log = pd.DataFrame(
        {
            "customer": ["u"],
            "sku": ["a"],
            "at": pd.to_datetime(["2023-11-14 22:13:20"]),
            "country": ["DE"],
        }
    )
    log.to_parquet(folder / "log.parquet")
    mapping = MAPPING.replace("log.csv", "log.parquet") + "event: purchase\n"
    (folder / "shop.yaml").write_text(mapping, encoding="utf-8")

    events = tables.load(folder).tables.events.to_pylist()

    assert (events[0]["timestamp"], events[0]["event"]) == (1_700_000_000, "purchase")


GOOD_ROWS = "u1,a,order,2025-03-01T10:00:00,DE\n" * 20


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",a,order,2025-03-01T10:00:00,DE", "no user_id"),
        ("u1,,order,2025-03-01T10:00:00,DE", "no item_id"),
        ("u1,zzz,order,2025-03-01T10:00:00,DE", "item_id is not in items"),
        ("u1,a,refund,2025-03-01T10:00:00,DE", "event is not one of view"),
        ("u1,a,order,yesterday,DE", "timestamp is not a time of the form iso"),
        ("u1,a,order,,DE", "no timestamp"),
        ("u1,a,order,2199-03-01T10:00:00,DE", "timestamp is in the future"),
        ("u1,a,order", "wrong number of columns"),
    ],
)
def test_broken_event_is_set_aside_with_its_reason(
    folder: Path, row: str, reason: str
) -> None:
    found = rejected(folder, log=LOG + GOOD_ROWS + row + "\n")

    assert len(found) == 1
    table, why, kept = found[0]
    assert table == "events"
    assert why.startswith(reason)
    assert kept["line"] == row if "line" in kept else kept["country"] == "DE"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a,Another,3", "item_id appears before"),
        (",Nameless,3", "no item_id"),
        ("d, ,3", "no title"),
        ("d,Free,0", "price is not above zero"),
        ("d,Negative,-2", "price is not above zero"),
    ],
)
def test_broken_item_is_set_aside_with_its_reason(
    folder: Path, row: str, reason: str
) -> None:
    found = rejected(folder, products=PRODUCTS + row + "\n")

    assert [(table, why) for table, why, _ in found] == [("items", reason)]


def refused(folder: Path) -> str:
    with pytest.raises(InputDataError) as error:
        tables.load(folder)
    return str(error.value)


def test_missing_column_is_named_with_what_is_there(folder: Path) -> None:
    write(folder, log=LOG.replace("customer", "client"))

    message = refused(folder)

    for part in ("log.csv", "'customer'", "user_id", "Found: client, sku", "shop.yaml"):
        assert part in message


def test_wrong_type_names_rows_and_value(folder: Path) -> None:
    write(folder, products="sku,name,unit_price\na,A,5\nb,B,cheap\nc,C,dear\n")

    message = refused(folder)

    for part in ("products.csv", "'unit_price'", "a number", "rows 2, 3", "'cheap'"):
        assert part in message


def test_named_encoding_is_used(folder: Path) -> None:
    (folder / "products.csv").write_bytes(
        "sku,name,unit_price\na,Café,1\nb,B,1\nc,C,1\n".encode("latin-1")
    )
    mapping = MAPPING.replace("products.csv", "products.csv\n  encoding: latin-1")
    (folder / "shop.yaml").write_text(mapping, encoding="utf-8")

    assert tables.load(folder).tables.items["title"][0].as_py() == "Café"


def test_truncated_parquet_is_named(folder: Path) -> None:
    path = folder / "products.parquet"
    pq.write_table(pa.table({"sku": ["a"] * 100, "name": ["A"] * 100}), path)
    path.write_bytes(path.read_bytes()[:-20])
    mapping = MAPPING.replace("products.csv", "products.parquet")
    (folder / "shop.yaml").write_text(mapping, encoding="utf-8")

    message = refused(folder)

    assert "products.parquet is not a complete Parquet file" in message
    assert "again" in message


@pytest.mark.parametrize(
    ("content", "part"),
    [("", "is empty"), ("sku,name,unit_price\n", "has a header but no rows")],
)
def test_empty_file_is_named(folder: Path, content: str, part: str) -> None:
    write(folder, products=content)

    assert f"products.csv {part}" in refused(folder)


def test_no_event_name_known_lists_what_was_received(folder: Path) -> None:
    write(folder, mapping=MAPPING.replace("event_names", "#"))

    message = refused(folder)

    for part in (
        "log.csv",
        "view, click, cart, purchase",
        "'page_view'",
        "event_names",
    ):
        assert part in message


def test_all_rows_rejected_is_an_error(folder: Path) -> None:
    write(
        folder,
        log=LOG.replace(",a,", ",x,").replace(",b,", ",x,").replace("c,o", "x,o"),
    )

    assert "item_id is not in items (3 rows, such as {" in refused(folder)


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("colour: red", "no setting colour"),
        ("event: refund", "`Mapping.event` must be one of view"),
        ("timestamp: tomorrow", "`Mapping.timestamp` must be `iso`"),
        ("event_names: {a: sold}", "`Mapping.event_names`"),
    ],
)
def test_wrong_mapping_is_a_config_error(folder: Path, line: str, part: str) -> None:
    mapping = MAPPING.replace("event_names: {page_view: view, order: purchase}\n", "")
    write(folder, mapping=mapping + line + "\n")

    with pytest.raises(ConfigError, match=part):
        tables.load(folder)


def test_mapping_in_the_documentation_is_a_mapping(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "data.md"
    text = page.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (tmp_path / "shop.yaml").write_text(text, encoding="utf-8")

    read, folder = mapping.read_mapping(tmp_path)

    assert len(text.splitlines()) <= 15
    assert (read.name, read.events.source("timestamp"), folder) == (
        "my-shop",
        "at",
        tmp_path,
    )
