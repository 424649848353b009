"""A file of settings: which one counts, what it says, what `souk settings` prints."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from core import presets
from core.config import ShopConfig, SplitConfig
from core.errors import ConfigError
from core.layout import HomeLayout
from pipeline.cli import main
from pipeline.home import locked
from pipeline.settings import (
    differences,
    read_settings,
    settings_file,
    settings_text,
)
from pipeline.sources import ensure_tables

FULL = presets.for_shop(ShopConfig(name="a"), SplitConfig(test_start=1_700_000_000))


def test_the_file_beside_ones_own_tables_counts_unless_another_is_named(
    tmp_path: Path,
) -> None:
    mapping, log = tmp_path / "shop.yaml", tmp_path / "log.csv"
    mapping.touch(), log.touch()
    assert settings_file(None, tmp_path) is None
    beside = tmp_path / "settings.yaml"
    beside.touch()
    assert settings_file(None, tmp_path) == beside
    assert settings_file(None, mapping) == beside
    assert settings_file(None, log) is None
    assert settings_file(None, None) is None
    assert settings_file(log, tmp_path) == log


def test_what_is_printed_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(settings_text(FULL), encoding="utf-8")
    assert presets.with_settings(FULL, read_settings(path)) == FULL
    path.write_text("# nothing yet")
    assert read_settings(path) == {} == read_settings(None)


def test_differences_are_told_by_their_whole_name() -> None:
    changes = {
        "neighbours": {"query_clicks": {"max_positions": 5}},
        "ranker": {"seed": 3},
    }
    told = list(differences(FULL, presets.with_settings(FULL, changes)))
    before = FULL.neighbours.query_clicks.max_positions
    assert told == [
        f"neighbours.query_clicks.max_positions: {before} -> 5",
        "ranker.seed: 17 -> 3",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rankr: {epochs: 8}", r"no part is named rankr.*Known: .*ranker"),
        ("splits: {horizon_days: 7}", "no part is named splits"),
        ("ranker: {epoch: 8}", r"no setting of `ranker` is named epoch.*epochs"),
        ("ranker: 8", "souk settings"),
        ("[ranker]", "souk settings"),
        ("ranker: [", "must be a YAML file"),
    ],
)
def test_a_file_that_says_what_there_is_not_is_named(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as refused:
        read_settings(path)
    assert str(path) in str(refused.value)


def test_the_command_prints_the_preset_with_the_files_changes(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("ranker: {epochs: 9}")
    home = ["--home", str(tmp_path / "home")]
    ran = CliRunner().invoke(main, ["settings", "tiny", "--settings", str(path), *home])
    assert ran.exit_code == 0, ran.output
    printed = yaml.safe_load(ran.output)
    assert list(printed) == list(presets.PARTS)
    assert printed["ranker"]["epochs"] == 9
    assert printed["ranker"]["hidden_units"] == [32, 16]
    # A step's settings, not the shop's periods.
    assert "splits" not in printed


def settings_of_tiny(home: Path, *arguments: str) -> str:
    told = ["settings", "tiny", "--home", str(home), *arguments]
    ran = CliRunner().invoke(main, told)
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_other_data_do_not_take_the_place_of_those_that_were_run(
    tmp_path: Path,
) -> None:
    layout = HomeLayout(tmp_path, "tiny")
    ensure_tables(layout, "tiny", data=None, seed=0)
    items = layout.tables / "items.parquet"
    before = items.read_bytes()
    first = settings_of_tiny(tmp_path)
    # Another world of the same shop.
    assert settings_of_tiny(tmp_path, "--seed", "1") == first
    assert items.read_bytes() == before


def test_settings_are_told_while_a_run_is_under_way(tmp_path: Path) -> None:
    layout = HomeLayout(tmp_path, "tiny")
    with locked(layout):
        made_anew = settings_of_tiny(tmp_path)
        ensure_tables(layout, "tiny", data=None, seed=0)
        assert settings_of_tiny(tmp_path) == made_anew


def test_settings_need_no_home_that_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = settings_of_tiny(tmp_path / "file" / "home")
    assert told == settings_of_tiny(tmp_path / "none")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_tables_that_a_run_has_made_are_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_tables(HomeLayout(tmp_path, "tiny"), "tiny", data=None, seed=0)

    def load(*args: object, **kwargs: object) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr("shops.load", load)
    settings_of_tiny(tmp_path)
