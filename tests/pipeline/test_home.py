import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ConfigError
from core.layout import HomeLayout
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
