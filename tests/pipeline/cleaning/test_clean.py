"""What is left of a home after `souk clean`, and what the next run takes from it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.pusher.push import versions
from core.errors import ArtifactError, ConfigError
from core.layout import HomeLayout
from pipeline.cleaning.command import clean, clean_command
from pipeline.home import locked
from tests.pipeline.cleaning.small_shop import folders, live, output, run
from tests.pipeline.runs import fingerprint


@pytest.fixture
def layout(tmp_path: Path) -> HomeLayout:
    return HomeLayout(tmp_path / "home", "tiny")


def test_what_only_older_runs_used_goes_and_what_stays_is_cached(layout, capsys):
    run(layout, 4)
    run(layout, 5)
    compared = output(layout, "Bundle")
    run(layout, 6)
    newest, items = output(layout, "Bundle"), output(layout, "IngestItems")
    kept = (layout.tables, layout.serving)
    before = [fingerprint(folder) for folder in kept]

    clean(layout, keep=1)

    # The third run was compared with the second's model.
    assert folders(layout, "Bundle", "model") == [compared, newest]
    assert folders(layout, "IngestItems", "examples") == [items]
    assert [fingerprint(folder) for folder in kept] == before
    assert all(Path(uri).is_dir() for uri in live(layout))
    printed = capsys.readouterr().out
    # One bundle of three goes: 3,000,000 bytes and its souk.json.
    assert "Bundle                             3.0 MB\n" in printed
    assert printed.endswith("kept: 1 of 3 runs\n")

    again = run(layout, 6)
    assert again["IngestItems"] == again["Bundle"] == "cached"
    assert again["Gates"] == "complete"  # compared with the third run's model
    # What went is not taken from the cache.
    older = run(layout, 4)
    assert set(older.values()) == {"complete"}
    assert Path(output(layout, "Bundle"), "Format-Serving/souk.json").is_file()


def test_what_a_kept_run_took_from_the_cache_stays(layout):
    for _ in range(3):
        states = run(layout, 4)
    assert states["Bundle"] == "cached"
    before = fingerprint(layout.tfx / "Bundle/model")
    clean(layout, keep=1)
    assert fingerprint(layout.tfx / "Bundle/model") == before
    states = run(layout, 4)
    assert states["IngestItems"] == states["Bundle"] == states["Gates"] == "cached"


def test_the_last_blessed_model_for_every_question_stays(layout):
    run(layout, 4, event="purchase")
    purchases = output(layout, "Bundle")
    run(layout, 5, event="view")
    views = output(layout, "Bundle")
    for rows in (6, 7):
        run(layout, rows, event="view", blessed=False)
    clean(layout, keep=1)
    assert folders(layout, "Bundle", "model") == [
        purchases,
        views,
        output(layout, "Bundle"),
    ]
    run(layout, 8, event="purchase")
    compared = Path(output(layout, "Gates"), "compared_with")
    assert compared.read_text() == purchases


def test_a_killed_step_leaves_nothing_and_the_last_whole_run_stays(layout):
    run(layout, 4)
    whole, items = output(layout, "Bundle"), output(layout, "IngestItems")
    for _ in range(2):
        run(layout, 5, die=True)
    assert len(folders(layout, "Bundle", "model")) == 3
    temporary = layout.tfx / "Bundle/.system/stateful_working_dir/of-the-killed"
    temporary.mkdir(parents=True)
    clean(layout, keep=1)
    assert folders(layout, "Bundle", "model") == [whole]
    assert folders(layout, "IngestItems", "examples")[0] == items
    assert not temporary.exists()
    # What the killed run had done before is not done again.
    assert run(layout, 5)["IngestItems"] == "cached"


def test_a_refit_stays_and_goes_with_its_run(layout, capsys):
    for rows in (4, 5):
        run(layout, rows)
        items = output(layout, "IngestItems")
        run(layout, rows, refit=True)
    refit = output(layout, "Bundle")
    clean(layout, keep=1)
    assert folders(layout, "IngestItems", "examples") == [items]
    assert folders(layout, "refit/Bundle", "model") == [refit]
    printed = capsys.readouterr().out
    assert "refit/Bundle" in printed and "kept: 1 of 2 runs" in printed
    assert run(layout, 5, refit=True)["Bundle"] == "cached"


def test_a_dry_run_says_the_same_and_changes_nothing(layout, capsys):
    for rows in (4, 5, 6):
        run(layout, rows)
    before = fingerprint(layout.tfx), layout.metadata.read_bytes()
    clean(layout, keep=1, dry_run=True)
    *would, _, kept = capsys.readouterr().out.splitlines()
    assert (fingerprint(layout.tfx), layout.metadata.read_bytes()) == before
    clean(layout, keep=1)
    *done, _, still_kept = capsys.readouterr().out.splitlines()
    assert (done, still_kept) == (would, kept)
    assert len(done) >= 2
    clean(layout, keep=1)  # there is nothing left to do
    assert "removed                            0.0 MB\n" in capsys.readouterr().out


def test_versions_go_only_when_asked_and_never_the_last_blessed(layout):
    for rows in (4, 5):
        run(layout, rows)
    first, blessed = versions(layout.serving)
    refit = layout.serving / str(int(blessed.name) + 1)  # of which no gate knows
    refit.mkdir()
    (refit / "saved_model.pb").touch()
    clean(layout, keep=1)
    assert versions(layout.serving) == [first, blessed, refit]
    clean(layout, keep=1, keep_versions=1)
    assert versions(layout.serving) == [blessed, refit]


def test_logs_of_runs_that_went_go(layout):
    run(layout, 4)
    layout.logs.mkdir()
    # The second is the last that began before the kept run's first step: its own.
    names = ["run-20200101-000000.log", "run-20210101-000000.log", "notes.log"]
    for name in names:
        (layout.logs / name).touch()
    clean(layout, keep=1)
    assert sorted(path.name for path in layout.logs.iterdir()) == sorted(names[1:])


def test_a_moved_home_keeps_what_it_would_keep_in_its_old_place(layout, tmp_path):
    for rows in (4, 5, 6):
        run(layout, rows)
    kept = Path(output(layout, "IngestItems")).relative_to(layout.home)
    shutil.move(layout.home, tmp_path / "moved")
    moved = HomeLayout(tmp_path / "moved", "tiny")
    clean(moved, keep=1)
    found = (moved.tfx / "IngestItems/examples").iterdir()
    assert list(found) == [moved.home / kept]
    shutil.move(moved.home, layout.home)
    assert run(layout, 6)["Bundle"] == "cached"


def test_what_is_gone_by_hand_is_marked_and_made_again(layout):
    run(layout, 4)
    shutil.rmtree(layout.tfx / "Bundle")
    clean(layout)
    assert live(layout) and all(Path(uri).is_dir() for uri in live(layout))
    states = run(layout, 4)
    assert states["IngestItems"] == "cached"
    assert states["Bundle"] == "complete"


def test_what_may_not_be_removed_is_named_and_the_next_call_goes_on(
    layout, monkeypatch
):
    for rows in (4, 5, 6):
        run(layout, rows)

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", refuse)
        with pytest.raises(ArtifactError, match=r"Permission denied.*souk clean"):
            clean(layout, keep=1)
    clean(layout, keep=1)
    assert folders(layout, "IngestItems", "examples") == [output(layout, "IngestItems")]


def test_a_home_in_use_is_left_alone(layout):
    run(layout, 4)
    with locked(layout), pytest.raises(ConfigError, match=str(os.getpid())):
        clean(layout)


def test_a_shop_that_was_never_run_is_an_error_and_is_not_made(tmp_path):
    done = CliRunner().invoke(clean_command, ["no-shop", "--home", str(tmp_path)])
    assert done.exit_code == ArtifactError.exit_code
    assert list(tmp_path.iterdir()) == []
