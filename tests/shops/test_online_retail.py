from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pandas as pd
import pytest

import shops
from core.errors import InputDataError
from shops import Shop, online_retail, online_retail_source
from tests.shops.contract_checks import assert_obeys_contract

LINES = (
    ",".join(online_retail.COLUMNS)
    + """
536365,85123A,WHITE  HEART,6,12/1/2010 8:26,2.55,17850,United Kingdom
536365,85123A,WHITE  HEART,6,12/1/2010 8:26,2.55,17850,United Kingdom
536366,85123A,HEART WHITE,1,12/2/2010 9:00,2.95,17850.0,France
536367,85123A,WHITE HEART,1,12/3/2010 9:00,2.65,13047,France
536367,85123A,LATE NAME,1,11/3/2011 9:00,9.99,13047,France
581000,90210,NEW BEADS,2,11/5/2011 10:30,4.00,13047,France
581001,90210,NEW BEADS,2,11/6/2011 10:30,8.00,13047,France
C536368,85123A,WHITE HEART,-1,12/3/2010 9:00,2.65,13047,France
536369,85123A,WHITE HEART,1,12/3/2010 9:00,2.65,,France
536370,POST,POSTAGE,1,12/3/2010 9:00,18.00,13047,France
536371,85123A,WHITE HEART,1,12/3/2010 9:00,0,13047,France
536372,85123A,WHITE HEART,0,12/3/2010 9:00,1,13047,France
"""
)


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    path = tmp_path / "online_retail.csv"
    path.write_text(LINES, encoding="utf-8")
    return path


def test_keeps_purchases_of_products_and_rejects_the_rest_with_reasons(
    csv_file: Path,
) -> None:
    shop = online_retail.load(csv_file)

    assert_obeys_contract(shop)
    assert shop.tables.events.num_rows == 6
    assert sorted(shop.tables.rejected["reason"].to_pylist()) == [
        "cancelled invoice",
        "exact duplicate line",
        "no customer id",
        "not a product (stock code does not start with five digits)",
        "price not above zero",
        "quantity not above zero",
    ]
    rows = [json.loads(row) for row in shop.tables.rejected["row"].to_pylist()]
    assert rows[1]["InvoiceNo"] == "C536368"


def test_events_hold_utc_seconds_and_whole_customer_ids(csv_file: Path) -> None:
    events = online_retail.load(csv_file).tables.events.to_pylist()

    # 2010-12-01 08:26 UTC, by `date -u -d ... +%s`
    assert events[0]["timestamp"] == 1_291_191_960
    assert [e["user_id"] for e in events[:3]] == ["17850", "17850", "13047"]
    assert events[1]["country"] == "France"


def test_items_are_described_by_what_precedes_the_test_split(csv_file: Path) -> None:
    items = online_retail.load(csv_file).tables.items.to_pylist()
    old, new = items

    # before November 2011: WHITE HEART twice (spaces joined), prices 2.55, 2.95, 2.65
    assert (old["item_id"], old["title"]) == ("85123A", "WHITE HEART")
    assert old["price"] == pytest.approx(2.65)
    assert old["category"] is None
    # seen in the test split only: its first line
    assert (new["item_id"], new["price"]) == ("90210", 4.0)


def test_missing_column_is_named(csv_file: Path) -> None:
    csv_file.write_text(LINES.replace("StockCode", "Code"), encoding="utf-8")

    with pytest.raises(InputDataError, match=r"no column StockCode.*found InvoiceNo"):
        online_retail.load(csv_file)


def test_text_where_a_number_belongs_names_its_row(csv_file: Path) -> None:
    csv_file.write_text(LINES.replace(",2.95,", ",cheap,"), encoding="utf-8")

    with pytest.raises(
        InputDataError, match=r"UnitPrice must be a number. Rows 3 .*chea"
    ):
        online_retail.load(csv_file)


def test_folder_without_the_file_says_what_it_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputDataError, match=r"online_retail\.parquet"):
        online_retail.load(tmp_path)


def test_folder_may_hold_the_file_in_a_folder_of_its_own(csv_file: Path) -> None:
    inner = csv_file.parent / "data" / "online_retail"
    inner.mkdir(parents=True)
    csv_file.rename(inner / csv_file.name)

    assert online_retail.load(inner.parent).tables.events.num_rows == 6


@pytest.fixture
def uci() -> Iterator[str]:
    """The address of a server that answers LINES, as UCI would."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(LINES.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/data.csv"
    server.shutdown()
    thread.join()
    server.server_close()


def test_fetched_file_is_kept_if_its_content_is_the_published_one(
    uci: str, csv_file: Path, tmp_path: Path
) -> None:
    digest = online_retail_source.content_digest(pd.read_csv(csv_file, dtype=str))

    path = online_retail_source.fetch(tmp_path / "cache", url=uci, sha256=digest)

    assert path.read_text(encoding="utf-8") == LINES
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [path.name]


def test_fetched_file_with_other_content_is_refused(uci: str, tmp_path: Path) -> None:
    with pytest.raises(InputDataError, match="not the published one"):
        online_retail_source.fetch(tmp_path, url=uci)
    assert not list(tmp_path.iterdir())


def test_no_network_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputDataError, match="--data FILE"):
        online_retail_source.fetch(tmp_path, url="http://127.0.0.1:9/data.csv")


@pytest.fixture(scope="module")
def real_file(shared_data: Path) -> Path:
    path = shared_data / "online_retail" / "online_retail.parquet"
    if not path.is_file():
        pytest.skip(f"no Online Retail at {path}")
    return path


@pytest.fixture(scope="module")
def real_shop(real_file: Path) -> Shop:
    return shops.load("online-retail", data=real_file)


@pytest.mark.slow
def test_real_counts_equal_an_independent_reading(
    real_file: Path, real_shop: Shop
) -> None:
    lines = pd.read_parquet(real_file)
    kept = lines.drop_duplicates().dropna(subset=["CustomerID"])
    kept = kept.query("Quantity > 0 and UnitPrice > 0")
    kept = kept[[not number.startswith("C") for number in kept["InvoiceNo"]]]
    kept = kept[[code[:5].isdigit() and len(code) >= 5 for code in kept["StockCode"]]]
    events = real_shop.tables.events

    assert_obeys_contract(real_shop)
    assert events.num_rows == len(kept) == 391_150
    assert real_shop.tables.items.num_rows == kept["StockCode"].nunique() == 3_659
    assert len(events["user_id"].unique()) == kept["CustomerID"].nunique() == 4_334
    assert events.num_rows + real_shop.tables.rejected.num_rows == len(lines)
    pairs = events.group_by(["user_id", "item_id"]).aggregate([])
    theirs = kept.assign(user_id=kept["CustomerID"].astype(int).astype(str))
    theirs = theirs[["user_id", "StockCode"]].drop_duplicates()
    assert set(
        pairs.to_pandas()[["user_id", "item_id"]].itertuples(False, None)
    ) == set(theirs.itertuples(False, None))


@pytest.mark.slow
def test_real_test_split_has_the_users_of_the_reference(real_shop: Shop) -> None:
    events = real_shop.tables.events.to_pandas()
    train = events[events["timestamp"] < real_shop.splits.test_start]
    test = events[events["timestamp"] >= real_shop.splits.test_start]
    known = test[
        test["user_id"].isin(train["user_id"]) & test["item_id"].isin(train["item_id"])
    ]
    pairs = known[["user_id", "item_id"]].drop_duplicates()
    old = train[["user_id", "item_id"]].drop_duplicates()
    new = pairs.merge(old, how="left", indicator=True).query("_merge == 'left_only'")

    # the reference figures of the benchmark are over these users
    assert known["user_id"].nunique() == 1_538
    assert new["user_id"].nunique() == 1_440
    assert events["timestamp"].max() < real_shop.splits.test_end
    assert events["timestamp"].max() >= real_shop.splits.test_end - 86_400


@pytest.mark.slow
def test_real_content_is_the_published_one(real_file: Path) -> None:
    digest = online_retail_source.content_digest(pd.read_parquet(real_file))
    assert digest == online_retail_source.CONTENT_SHA256
