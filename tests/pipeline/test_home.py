import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.errors import ConfigError
from core.layout import HomeLayout
from pipeline.cli import main
from pipeline.home import locked

HOLD = """
import sys, time
from pathlib import Path
from core.layout import HomeLayout
from pipeline.home import locked
with locked(HomeLayout(Path(sys.argv[1]), "tiny")):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_is_refused_and_a_dead_one_leaves_no_lock(tmp_path: Path) -> None:
    layout = HomeLayout(tmp_path, "tiny")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match=str(holder.pid)), locked(layout):
            pass
    finally:
        holder.kill()
        holder.wait(timeout=10)
    with locked(layout):
        pass


def test_a_path_that_is_a_pattern_is_refused_before_it_is_made(
    tmp_path: Path,
) -> None:
    layout = HomeLayout(tmp_path / "h[1]", "tiny")
    with pytest.raises(ConfigError, match="pattern of files"), locked(layout):
        pass
    assert list(tmp_path.iterdir()) == []


def refused(*arguments: str) -> str:
    """What a command says that ends with a ConfigError's exit status."""
    ran = CliRunner().invoke(main, list(arguments))
    assert ran.exit_code == 2 and isinstance(ran.exception, SystemExit), ran.exception
    return " ".join(ran.output.split())


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "home"  # nobody can make it, root neither
    said = refused("run", "tiny", "--home", str(home))
    assert "`--home` must be a folder that can be written" in said
    assert f"{home}/tiny" in said and "(Not a directory)" in said


def test_a_home_whose_logs_cannot_be_written_is_named(tmp_path: Path) -> None:
    logs = tmp_path / "tiny" / "logs"
    logs.parent.mkdir()
    logs.touch()
    said = refused("run", "tiny", "--home", str(tmp_path))
    assert "`--home` must be" in said and f"{logs}` (File exists)" in said


def test_an_error_of_the_run_is_not_the_homes(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), locked(HomeLayout(tmp_path, "tiny")):
        raise PermissionError(13, "Permission denied")


def test_report_says_that_the_newest_run_left_none(tmp_path: Path) -> None:
    layout = HomeLayout(tmp_path, "tiny")
    layout.report.parent.mkdir(parents=True)
    layout.report.touch()
    os.utime(layout.report, (1_700_000_000, 1_700_000_000))  # 2023-11-14 22:13:20 UTC
    layout.logs.mkdir()
    asked = ["report", "tiny", "--home", str(tmp_path)]
    for log, newer in (
        ("run-20231114-220000.log", False),  # the run that wrote the page
        ("run-20231115-030000.log", True),
    ):
        (layout.logs / log).touch()
        ran = CliRunner().invoke(main, asked)
        page, *more = ran.output.splitlines()
        assert ran.exit_code == 0 and page == str(layout.report)
        assert bool(more) is newer
        assert not newer or log in more[0]
