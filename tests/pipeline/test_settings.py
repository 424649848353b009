"""A file of settings: which one counts, what it says, what `souk settings` prints."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from core import presets
from core.config import ShopConfig, SplitConfig
from core.errors import ConfigError
from pipeline.cli import main
from pipeline.settings import (
    differences,
    read_settings,
    settings_file,
    settings_text,
)

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


def test_other_data_do_not_take_the_place_of_those_that_were_run(
    tmp_path: Path,
) -> None:
    def ask(seed: int) -> str:
        home = ["--home", str(tmp_path), "--seed", str(seed)]
        ran = CliRunner().invoke(main, ["settings", "tiny", *home])
        assert ran.exit_code == 0, ran.output
        return ran.output

    first = ask(0)
    items = tmp_path / "tiny" / "tables" / "items.parquet"
    before = items.read_bytes()
    assert ask(1) == first  # another world of the same shop
    assert items.read_bytes() == before
