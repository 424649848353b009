"""Times of a file as seconds, in the time zone that its mapping names."""

import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.errors import InputDataError
from core.features import TIMESTAMP
from core.tables import Column
from shops.columns import RowChecks, read_column
from shops.mapping import read_mapping

SHANGHAI, BERLIN = "Asia/Shanghai", "Europe/Berlin"


def seconds(*when: int) -> int:
    moment = datetime.datetime(*when, tzinfo=datetime.timezone.utc)  # type: ignore[arg-type,misc]
    return int(moment.timestamp())


def read(times: pd.Series, form: str, zone: str) -> list[int]:
    checks = RowChecks(
        table="events", path=Path("log.csv"), raw=times.to_frame("at"), lines=[]
    )
    column = Column(name=TIMESTAMP, kind="int64")
    return list(read_column(checks, "at", column, form, zone))


@pytest.mark.parametrize(
    ("text", "form", "zone", "want"),
    [
        # Shanghai is 8 hours ahead all year.
        ("2023-02-11 10:00:00", "iso", SHANGHAI, (2023, 2, 11, 2)),
        ("2023-02-11", "iso", SHANGHAI, (2023, 2, 10, 16)),
        ("2023-02-11 10:00:00", "iso", "+08:00", (2023, 2, 11, 2)),
        ("2023年2月11日 10:00", "%Y年%m月%d日 %H:%M", SHANGHAI, (2023, 2, 11, 2)),
        # What names its offset, and what is counted from 1970, needs no zone.
        ("2023-02-11 10:00:00+02:00", "iso", SHANGHAI, (2023, 2, 11, 8)),
        ("2023-02-11 10:00 +0200", "%Y-%m-%d %H:%M %z", SHANGHAI, (2023, 2, 11, 8)),
        ("1676109600", "iso", SHANGHAI, (2023, 2, 11, 10)),
        (1_676_109_600_123, "ms", SHANGHAI, (2023, 2, 11, 10)),
        # Summer time, the hour that is left out, and the hour that comes twice.
        ("2023-07-01 10:00:00", "iso", BERLIN, (2023, 7, 1, 8)),
        ("2023-03-26 02:30:00", "iso", BERLIN, (2023, 3, 26, 1)),
        ("2023-10-29 02:30:00", "iso", BERLIN, (2023, 10, 29, 1, 30)),
    ],
)
def test_times_without_an_offset_are_the_time_zones(
    text: Any, form: str, zone: str, want: tuple[int, ...]
) -> None:
    assert read(pd.Series([text] * 3), form, zone) == [seconds(*want)] * 3


def test_times_of_one_column_may_name_their_offset_or_not() -> None:
    times = pd.Series(["2023-02-11 10:00:00", "2023-02-11 10:00:00Z"])

    assert read(times, "iso", SHANGHAI) == [
        seconds(2023, 2, 11, 2),
        seconds(2023, 2, 11, 10),
    ]


def test_parquet_times_are_the_time_zones_unless_they_know_their_own() -> None:
    naive = pd.Series(pd.to_datetime(["2023-02-11 10:00:00"]))

    assert read(naive, "iso", SHANGHAI) == [seconds(2023, 2, 11, 2)]
    aware = naive.dt.tz_localize("UTC")
    assert read(aware, "iso", SHANGHAI) == [seconds(2023, 2, 11, 10)]


@pytest.mark.parametrize(
    ("text", "want"),
    [("2023-02-11", (2023, 2, 10, 16)), ("2023-02-11 00:00:00Z", (2023, 2, 11))],
)
def test_the_test_split_starts_at_midnight_of_the_time_zone(
    tmp_path: Path, text: str, want: tuple[int, ...]
) -> None:
    (tmp_path / "shop.yaml").write_text(
        f"items: items.csv\ntimezone: {SHANGHAI}\nsplits: {{test_start: {text}}}\n"
    )

    mapping, _ = read_mapping(tmp_path)

    assert mapping.splits["test_start"] == seconds(*want)


def test_where_no_row_is_kept_the_message_shows_one() -> None:
    """Milliseconds that the mapping file calls seconds."""
    at = pd.Series([1_676_109_600_123] * 3)
    checks = RowChecks(
        table="events", path=Path("log.csv"), raw=at.to_frame("at"), lines=[]
    )
    checks.reject(at > 0, "timestamp is in the future")
    shown = r"in the future \(3 rows, such as \{\"at\":1676109600123\}\).*unit.*times"
    with pytest.raises(InputDataError, match=shown):
        checks.split(at.to_frame(TIMESTAMP))
