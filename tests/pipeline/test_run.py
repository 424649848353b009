"""What a run that is refused, or stops, says of what is served."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import NotBlessedError, SoukError
from core.layout import HomeLayout
from pipeline import run

SERVED = "version 17 stays served"
NOTHING_YET = "no version is served yet"


@pytest.fixture
def layout(tmp_path: Path) -> HomeLayout:
    return HomeLayout(tmp_path, "corner")


def _serve(layout: HomeLayout) -> None:
    (layout.serving / "17").mkdir(parents=True)
    (layout.serving / "17" / "saved_model.pb").touch()


def test_a_refused_run_says_what_is_served(layout: HomeLayout) -> None:
    with pytest.raises(NotBlessedError, match=f"nothing was pushed, {NOTHING_YET}"):
        run._require_accepted(layout)
    _serve(layout)
    with pytest.raises(NotBlessedError, match=f"nothing was pushed, {SERVED}"):
        run._require_accepted(layout)


def test_a_run_that_stops_says_what_is_served(
    layout: HomeLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(run, "_run", stop)
    request = run.RunRequest(layout=layout, source="tiny")
    with pytest.raises(SoukError, match=f"no memory.*{NOTHING_YET}"):
        run.run_shop(request)
    _serve(layout)
    with pytest.raises(SoukError, match=f"no memory.*{SERVED}"):
        run.run_shop(request)


def test_paths_are_printed_in_one_piece(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_run", lambda *_: None)
    monkeypatch.setenv("COLUMNS", "40")
    home = tmp_path / "a home of many long words" / "and more of them"
    run.run_shop(run.RunRequest(layout=HomeLayout(home, "corner"), source="tiny"))
    log = next((home / "corner" / "logs").iterdir())
    assert str(log) in capfd.readouterr().out
