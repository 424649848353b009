"""What a person wants to know of a bundle before trusting it: `souk.json` beside it."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
from pathlib import Path
from typing import Any

from core.config import ShopConfig, SplitConfig

METADATA_FILE = "souk.json"
_PACKAGES = (
    "souk",
    "tensorflow",
    "tensorflow-recommenders",
    "tfx",
    "tensorflow-transform",
    "apache-beam",
    "numpy",
)


def bundle_metadata(
    *, shop: ShopConfig, splits: SplitConfig, num_items: int, feature_names: list[str]
) -> dict[str, Any]:
    """Data span, git revision, versions and shapes of a bundle."""
    return {
        "shop": shop.to_dict(),
        "splits": splits.to_dict(),
        "as_of": splits.test_start,
        "num_items": num_items,
        "feature_names": feature_names,
        "git_revision": git_revision(),
        "versions": {name: _version(name) for name in _PACKAGES},
    }


def write_metadata(model_dir: Path, values: dict[str, Any]) -> None:
    """Writes `souk.json` into the model's folder."""
    text = json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False)
    (model_dir / METADATA_FILE).write_text(text + "\n", encoding="utf-8")


def git_revision(file: Path = Path(__file__)) -> str:
    """The checkout's revision, `+changes` where it is not clean; '' outside git.

    Args:
      file: one of ours. Where git does not keep it, as in an environment that lies in
        a shop's own repository, what is around it is no checkout of ours.
    """
    file = file.resolve()

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(file.parent), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        revision = git("rev-parse", "HEAD")
        if not revision or not git("ls-files", file.name):
            return ""
        return revision + ("+changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
