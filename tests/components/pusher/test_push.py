from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from components.pusher.push import newest_version, push, remove_version, versions
from core.errors import ArtifactError

ROOT = Path(__file__).parents[3]


def _model(folder: Path, words: str = "one") -> Path:
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_text(words)
    (folder / "variables" / "variables.index").write_text(words * 100)
    (folder / "souk.json").write_text(json.dumps({"shop": "small"}))
    return folder


def _visible(serving: Path) -> list[str]:
    return sorted(p.name for p in serving.iterdir() if not p.name.startswith("."))


def test_version_is_a_second_and_holds_the_model_and_the_facts(tmp_path):
    model = _model(tmp_path / "model")
    before = int(time.time())
    version = push(model, tmp_path / "serving", facts={"model_uri": "x"})
    assert before <= int(version.name) <= time.time() + 1
    assert (version / "variables" / "variables.index").read_text() == "one" * 100
    assert json.loads((version / "souk.json").read_text()) == {
        "shop": "small",
        "model_uri": "x",
    }
    assert _visible(tmp_path / "serving") == [version.name]


def test_pushes_within_a_second_get_rising_versions(tmp_path):
    serving = tmp_path / "serving"
    first = push(_model(tmp_path / "a"), serving, facts={"model_uri": "a"})
    second = push(_model(tmp_path / "b"), serving, facts={"model_uri": "b"})
    assert int(second.name) > int(first.name)
    assert newest_version(serving) == second


def test_the_same_bundle_is_not_pushed_twice(tmp_path):
    serving = tmp_path / "serving"
    model = _model(tmp_path / "model")
    first = push(model, serving, facts={"model_uri": "a"})
    assert push(model, serving, facts={"model_uri": "a"}) == first
    assert _visible(serving) == [first.name]


def test_another_bundle_at_the_same_place_is_pushed(tmp_path):
    """Executions count from 1 again where the metadata store was lost."""
    serving, model = tmp_path / "serving", _model(tmp_path / "model")
    first = push(model, serving, facts={"model_uri": "a"})
    (model / "variables" / "variables.index").write_text("two" * 100)  # as long
    second = push(model, serving, facts={"model_uri": "a"})
    assert _visible(serving) == [first.name, second.name]
    assert (second / "variables" / "variables.index").read_text() == "two" * 100


def test_a_folder_without_a_saved_model_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match=r"saved_model\.pb"):
        push(tmp_path, tmp_path / "serving", facts={})
    assert not (tmp_path / "serving").exists()


KILLED = """
import sys, time
from pathlib import Path
from components.pusher import push as module
copy = module._copy_file
def slow(source, target):
    copy(source, target)
    print("copied", flush=True)
    time.sleep(60)
def slow_sync(folder):
    print("copied", flush=True)
    time.sleep(60)
if sys.argv[3] == "copy":
    module._copy_file = slow
else:
    module._sync_folders = slow_sync
module.push(Path(sys.argv[1]), Path(sys.argv[2]), facts={"model_uri": "new"})
"""


@pytest.mark.parametrize("stage", ["copy", "sync"])
def test_sigkill_leaves_the_last_version_and_the_next_push_cleans_up(tmp_path, stage):
    serving = tmp_path / "serving"
    last = push(_model(tmp_path / "old"), serving, facts={"model_uri": "old"})
    new = _model(tmp_path / "new", "two")
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), new, serving, stage],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"copied\n"
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert newest_version(serving) == last
    assert _visible(serving) == [last.name]
    assert list(serving.glob(".pushing-*"))
    pushed = push(new, serving, facts={"model_uri": "new"})
    assert not list(serving.glob(".pushing-*"))
    assert _visible(serving) == [last.name, pushed.name]
    assert (pushed / "saved_model.pb").read_text() == "two"


def test_the_newest_version_is_the_highest_number(tmp_path):
    for name in ("9", "10"):
        _model(tmp_path / name)
    assert newest_version(tmp_path) == tmp_path / "10"


def test_versions_are_in_the_order_of_their_numbers_and_one_can_go(tmp_path):
    for name in ("9", "10", "8"):
        _model(tmp_path / name)
    (tmp_path / "11").mkdir()  # no model in it
    assert [path.name for path in versions(tmp_path)] == ["8", "9", "10"]
    remove_version(tmp_path / "9")
    assert _visible(tmp_path) == ["10", "11", "8"]
    assert not list(tmp_path.glob(".pushing-*"))
