"""An environment that stands for the image: the built wheel and the locked packages."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from core.errors import ConfigError

_SOURCES = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
_FOLDERS = ("core", "shops", "trainer", "components", "serving", "pipeline")


def build_environment(source: Path, folder: Path) -> Path:
    """The interpreter of a new environment in `folder` that has souk's wheel installed.

    Its other packages are those of the running interpreter, found by path: an editable
    install among them stays out, so that what the wheel lacks is missing.

    Args:
      source: root of the source tree.
      folder: made; must not exist.

    Raises:
      ConfigError: `source` is no source tree of souk.
    """
    if not (source / "setup.py").is_file():
        raise ConfigError(
            f"The dry run builds souk's wheel, so it needs a source tree. Received: "
            f"`{source}`. Run it from a checkout."
        )
    wheel = _build_wheel(source, folder.with_name(f"{folder.name}-build"))
    _run(sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(folder))
    python = folder / "bin" / "python"
    code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    packages = _run(str(python), "-c", code).strip()
    _run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
        *("--disable-pip-version-check", "--target", packages, str(wheel)),
    )
    # A plain path: site adds it and reads no .pth file in it.
    Path(packages, "locked_packages.pth").write_text(
        sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8"
    )
    return python


def _build_wheel(source: Path, folder: Path) -> Path:
    """Built from a copy: a `build/` of an earlier build would leak into the wheel."""
    tree = folder / "tree"
    tree.mkdir(parents=True)
    for name in _SOURCES:
        shutil.copyfile(source / name, tree / name)
    ignored = shutil.ignore_patterns("__pycache__")
    for name in (*_FOLDERS, "requirements"):
        shutil.copytree(source / name, tree / name, ignore=ignored)
    shutil.copyfile(source / "CHANGELOG.md", tree / "CHANGELOG.md")
    _run(
        *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
        *("--disable-pip-version-check", "--no-build-isolation"),
        *("--wheel-dir", str(folder), str(tree)),
    )
    return next(folder.glob("souk-*.whl"))


def _run(*command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode:
        raise ConfigError(
            f"`{' '.join(command)}` must succeed. Received: exit code "
            f"{done.returncode}, {done.stderr.strip()[-2000:]}"
        )
    return done.stdout
