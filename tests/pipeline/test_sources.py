"""The shop's tables in its home: whole or not at all, and known again."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import shops
from components.bundle.metadata import bundle_metadata, write_metadata
from core.config import ShopConfig, SplitConfig
from core.errors import InputDataError
from core.layout import HomeLayout
from pipeline.cli import main
from pipeline.run import RunRequest
from pipeline.sources import ensure_tables


@pytest.fixture()
def layout(tmp_path: Path) -> HomeLayout:
    return HomeLayout(tmp_path, "tiny")


def ensure(layout: HomeLayout) -> Any:
    return ensure_tables(layout, "tiny", data=None, seed=0)


def written(layout: HomeLayout) -> int:
    return (layout.tables / "items.parquet").stat().st_mtime_ns


def test_a_disk_that_is_full_at_the_last_file_leaves_nothing(
    layout: HomeLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_text

    def full(path: Path, *args: Any, **kwargs: Any) -> int:
        if path.name != "source.json":
            return write(path, *args, **kwargs)
        path.touch()  # the file is there, its content found no room
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space left"):
            ensure(layout)
    assert list(layout.root.iterdir()) == []

    ensure(layout)  # there is room again
    assert shops.read_source(layout.tables)["shop"] == "tiny"


@pytest.mark.parametrize("content", [b"", b'{"shop": "ti', b"\xff\xfe", None])
def test_a_stamp_that_cannot_be_read_matches_nothing(
    layout: HomeLayout, content: bytes | None
) -> None:
    expected, first = ensure(layout), written(layout)
    assert ensure(layout) == expected and written(layout) == first  # known again

    stamp = layout.tables / "source.json"
    if content is None:
        stamp.unlink()
    else:
        stamp.write_bytes(content)
    assert ensure(layout) == expected
    assert written(layout) != first


@pytest.fixture()
def own(tmp_path: Path) -> Path:
    """A shop's folder with two items, one judgment and one event."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "items.csv").write_text("item_id,title\n1,red mug\n2,tea\n")
    (folder / "judgments.csv").write_text("query,item_id,grade\nmug,1,2\n")
    events = "user_id,item_id,event,timestamp\nu,1,purchase,1700000000\n"
    (folder / "events.csv").write_text(events)
    return folder


def serve(layout: HomeLayout, version: str, *, has_events: bool) -> None:
    """A pushed version, as far as a run looks at it."""
    folder = layout.serving / version
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    facts = bundle_metadata(
        shop=ShopConfig(name="own", has_events=has_events),
        splits=SplitConfig(test_start=1_700_000_000),
        num_items=2,
        feature_names=[],
    )
    write_metadata(folder, facts)


def has_events(layout: HomeLayout, own: Path, **choice: bool) -> bool:
    shop, _ = ensure_tables(layout, shops.TABLES, data=own, seed=0, **choice)
    return shop.has_events


def test_a_night_without_events_does_not_replace_what_learnt_from_them(
    layout: HomeLayout, own: Path
) -> None:
    assert has_events(layout, own, without_events=False)
    before = written(layout)
    serve(layout, "1700000001", has_events=False)
    serve(layout, "1700000002", has_events=True)
    (own / "events.csv").unlink()

    for _ in range(2):  # the first refusal leaves nothing that the second would take
        with pytest.raises(InputDataError) as refused:
            has_events(layout, own, without_events=False)
        said = str(refused.value)
        assert f"`{own}` must have events: version 1700000002" in said
        assert "--without-events" in said
    assert written(layout) == before

    assert not has_events(layout, own, without_events=True)
    # The tables are known now and nothing else was pushed: it has to be said again.
    with pytest.raises(InputDataError, match="version 1700000002"):
        has_events(layout, own, without_events=False)
    serve(layout, "1700000003", has_events=False)
    assert not has_events(layout, own, without_events=False)


def test_a_shop_that_never_had_events_needs_no_word(
    layout: HomeLayout, own: Path
) -> None:
    (own / "events.csv").unlink()
    assert not has_events(layout, own, without_events=False)  # nothing is served
    other = layout.serving / "1700000009"  # of somebody else, who says nothing
    other.mkdir(parents=True)
    (other / "saved_model.pb").touch()
    assert not has_events(layout, own, without_events=False)


def test_the_command_refuses_before_its_first_step(tmp_path: Path, own: Path) -> None:
    layout = HomeLayout(tmp_path / "home", "own")
    serve(layout, "1700000002", has_events=True)
    (own / "events.csv").unlink()
    ran = CliRunner().invoke(main, ["run", str(own), "--home", str(layout.home)])
    assert ran.exit_code == InputDataError.exit_code, ran.output
    assert "--without-events" in ran.output
    assert not layout.tfx.exists() and not layout.tables.exists()
    assert [path.name for path in layout.serving.iterdir()] == ["1700000002"]


def test_the_command_can_be_told_so(
    tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[RunRequest] = []
    monkeypatch.setattr("pipeline.run.run_shop", asked.append)
    plain = ["run", str(own), "--home", str(tmp_path)]
    for arguments in (plain, [*plain, "--without-events"]):
        ran = CliRunner().invoke(main, arguments)
        assert ran.exit_code == 0, ran.output
    assert [request.without_events for request in asked] == [False, True]
