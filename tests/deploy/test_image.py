"""The image holds what setup.py installs, by hash, and does not run as root."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
IGNORED = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text("utf-8")


def packages() -> list[str]:
    text = (ROOT / "setup.py").read_text("utf-8")
    found = re.search(r"PACKAGES = \(([^)]*)\)", text)
    assert found
    return re.findall(r'"(\w+)"', found[1])


def test_every_package_is_copied_and_in_the_build_context() -> None:
    assert len(packages()) == 6
    for name in packages():
        assert f"COPY {name}/ {name}/" in DOCKERFILE
        assert f"!{name}\n" in IGNORED


def test_every_copied_file_exists() -> None:
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.M):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source


def test_packages_come_from_the_locks_by_hash() -> None:
    installs = re.findall(r"pip install (?!--no-deps)(.*)$", DOCKERFILE, re.M)
    assert len(installs) == 3  # the installer, the packages, NVIDIA's
    for install in installs:
        assert "--require-hashes -r requirements/" in install
        lock = re.search(r"requirements/\S+\.lock", install)
        assert lock and (ROOT / lock[0]).is_file()


def test_the_last_user_is_not_root() -> None:
    users = re.findall(r"^USER (\d+)", DOCKERFILE, re.M)
    assert users and users[-1] != "0"
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "USER 10001" in last_stage


def test_cuda_libraries_go_with_the_locked_tensorflow() -> None:
    def version(lock: str, name: str) -> str:
        text = (ROOT / "requirements" / lock).read_text("utf-8")
        found = re.search(rf"^{name}(?:\[[^\]]*\])?==(\S+)", text, re.M)
        assert found, f"{name} in {lock}"
        return found[1]

    for name in ("tensorflow", "numpy", "protobuf"):
        assert version("cuda310.lock", name) == version("py310.lock", name)
    assert version("cuda310.lock", "nvidia-cudnn-cu12").startswith("8.9")
