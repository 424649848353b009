"""The environment that stands for the image has souk from its wheel, and all of it."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from pathlib import Path

import pytest

from core.errors import ConfigError
from pipeline.kubeflow.dry_run.environment import build_environment

REPOSITORY = Path(__file__).parents[4]
PACKAGES = ("core", "shops", "trainer", "components", "serving", "pipeline")
# Without the packages' own code, which would import TensorFlow.
LOOK = """
import importlib.util, json, sys
names = json.loads(sys.argv[1])
print(json.dumps({
    name: list(importlib.util.find_spec(name).submodule_search_locations)
    for name in names
}))
"""


@pytest.mark.slow
def test_souk_comes_from_the_wheel_with_its_data_files(tmp_path: Path) -> None:
    python = build_environment(REPOSITORY, tmp_path / "image")
    done = subprocess.run(
        [str(python), "-c", LOOK, json.dumps([*PACKAGES, "tfx", "apache_beam"])],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    places = {name: Path(found[0]) for name, found in json.loads(done.stdout).items()}
    for name in PACKAGES:
        assert places[name].is_relative_to(tmp_path / "image")
        source = REPOSITORY / name
        wanted = {
            path.relative_to(source)
            for path in source.rglob("*")
            if path.suffix in (".py", ".html", ".css", ".js")
            and "__pycache__" not in path.parts
        }
        missing = {path for path in wanted if not (places[name] / path).is_file()}
        assert missing == set()
        # PEP 561: without it type checkers take all of the package for Any.
        assert (places[name] / "py.typed").is_file()
    locked = sysconfig.get_paths()["purelib"]
    assert places["tfx"] == Path(locked, "tfx")


def test_without_a_source_tree_there_is_nothing_to_build(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="source tree"):
        build_environment(tmp_path, tmp_path / "image")
