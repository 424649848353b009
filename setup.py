"""Installs souk's folders as packages and the `souk` command."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
PACKAGES = ("core", "shops", "trainer", "components", "serving", "pipeline")
# Also in folders that are no packages, such as a component's templates/.
TEXT_FILES = ("py.typed",) + tuple(
    f"**/*.{kind}"
    for kind in ("html", "css", "js", "json", "proto", "pbtxt", "xml", "txt")
)


def requirements() -> dict[str, list[str]]:
    """The names in requirements/common.in by section; "" holds those souk runs on."""
    sections: dict[str, list[str]] = {"": []}
    section = ""
    for line in (ROOT / "requirements" / "common.in").read_text("utf-8").splitlines():
        heading = re.fullmatch(r"# \[(\w+)\]", line)
        if heading:
            section = heading.group(1)
            sections[section] = []
        elif line and not line.startswith("#"):
            sections[section].append(line)
    return sections


REQUIREMENTS = requirements()

setup(
    name="souk",
    version="0.1.0",
    description="Search and recommendation for shops: tables in, one SavedModel out.",
    long_description=(ROOT / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    packages=find_packages(
        include=[p for name in PACKAGES for p in (name, f"{name}.*")]
    ),
    package_data={"": list(TEXT_FILES)},
    install_requires=REQUIREMENTS.pop(""),
    extras_require=REQUIREMENTS,
    entry_points={
        "console_scripts": [
            "souk = pipeline.cli:main",
            "souk-beam-worker = pipeline.flink.worker:main",
        ]
    },
)
