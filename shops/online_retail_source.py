"""Where the Online Retail file is: given, shared beside the repository, or fetched."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import pandas as pd

from core.errors import InputDataError
from shops.columns import ISO_FORMAT

URL = "https://archive.ics.uci.edu/static/public/352/data.csv"
# SHA-256 of `content_digest`: it does not depend on the file's format, line ends or
# row order, so that the CSV, the XLSX and a Parquet copy answer alike.
CONTENT_SHA256 = "6214ab79884efa2abe5123ef333bf08cb2f5e6b5497f7378a28d171b202b180e"
FILE_NAMES = ("online_retail.parquet", "online_retail.csv", "Online Retail.xlsx")
FOLDERS = ("", "online_retail", "online-retail")
DEFAULT_CACHE = Path.home() / ".cache" / "souk"
TIMEOUT_S = 60


def find(data: Path | None, *, cache: Path = DEFAULT_CACHE) -> Path:
    """Path of the Online Retail file.

    Looks at `data` (a file or a folder); with None, in `../shared/data` beside the
    repository, then in `cache`, where it puts what it fetches from UCI.

    Raises:
      InputDataError: `data` holds no such file, or fetching failed.
    """
    if data is not None:
        if data.is_file():
            return data
        found = _in_folder(data)
        if found is None:
            raise InputDataError(
                f"{data} holds no Online Retail file. Expected one of "
                f"{', '.join(FILE_NAMES)} in it or in its folder online_retail."
            )
        return found
    shared = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    return _in_folder(shared) or _in_folder(cache) or fetch(cache)


def _in_folder(folder: Path) -> Path | None:
    for sub in FOLDERS:
        for name in FILE_NAMES:
            if (folder / sub / name).is_file():
                return folder / sub / name
    return None


def fetch(cache: Path, *, url: str = URL, sha256: str | None = None) -> Path:
    """Fetches the file into `cache`, checks its content, returns its path.

    Raises:
      InputDataError: no connection, or the content is not the published one.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        part = Path(folder) / "online_retail.csv"
        try:
            with (
                urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer,
                part.open("wb") as out,
            ):
                shutil.copyfileobj(answer, out)
        except (urllib.error.URLError, OSError) as error:
            raise InputDataError(
                f"Online Retail is not on this machine and {url} cannot be reached "
                f"({error}). Download it where there is a network and pass "
                "`--data FILE`, or run the simulated shop (`SHOP=demo`)."
            ) from error
        received = content_digest(pd.read_csv(part, dtype=str))
        if received != (sha256 or CONTENT_SHA256):
            raise InputDataError(
                f"{url} answered a file whose content is not the published one "
                f"(SHA-256 {received}). Fetch it again, or pass `--data FILE`."
            )
        target = cache / part.name
        os.replace(part, target)
    return target


def content_digest(lines: pd.DataFrame) -> str:
    """SHA-256 over the sorted invoice lines: what was sold, when, to whom, for what.

    Args:
      lines: text or typed columns as published; prices count in thousandths, times in
        minutes since 1970.
    """
    customer = pd.to_numeric(lines["CustomerID"]).fillna(0).astype("int64")
    price = (pd.to_numeric(lines["UnitPrice"]) * 1000).round().astype("int64")
    seconds = parse_dates(lines["InvoiceDate"]).astype("datetime64[ns]")
    minutes = seconds.astype("int64") // 60_000_000_000
    columns = [
        lines["InvoiceNo"].str.strip(),
        lines["StockCode"].str.strip(),
        pd.to_numeric(lines["Quantity"]).astype("int64").astype(str),
        minutes.astype(str),
        price.astype(str),
        customer.astype(str),
    ]
    rows = columns[0].str.cat(columns[1:], sep="|").sort_values()
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def parse_dates(dates: pd.Series) -> pd.Series:
    """Times of `M/D/YYYY H:MM` or ISO text, NaT where it is neither."""
    if dates.dtype != object:
        return dates
    distinct = pd.Series(dates.dropna().unique())  # 23,000 of 541,909
    parsed = pd.to_datetime(distinct, format="%m/%d/%Y %H:%M", errors="coerce")
    if parsed.isna().any():
        iso = pd.to_datetime(distinct, format=ISO_FORMAT, errors="coerce")
        parsed = parsed.fillna(iso)
    return dates.map(dict(zip(distinct, parsed, strict=True))).astype("datetime64[ns]")
