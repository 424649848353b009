"""Writes the page; pages of earlier runs stay beside it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import jinja2
from markupsafe import Markup

from components.report.data import ReportData
from components.report.view import context
from core.whole_file import whole_file

_TEMPLATES = Path(__file__).parent / "templates"


def render(data: ReportData) -> str:
    """The page as one HTML document that needs nothing from outside."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
    template = environment.get_template("report.html")
    return template.render(style=Markup(style), **context(data))


def write_report(data: ReportData, path: str | Path) -> Path:
    """Writes the page to `path`; a page that lies there moves to `NAME-<UTC>.html`.

    A reader sees the old page or the new one, never half of one.
    """
    path = Path(path)
    with whole_file(path) as hidden:
        hidden.write_text(render(data), encoding="utf-8")
        if path.exists():
            path.rename(_earlier_name(path))
    return path


def _earlier_name(path: Path) -> Path:
    written = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.timezone.utc)
    name = f"{path.stem}-{written:%Y%m%dT%H%M%SZ}"
    kept = path.with_name(f"{name}{path.suffix}")
    number = 2
    while kept.exists():
        kept = path.with_name(f"{name}-{number}{path.suffix}")
        number += 1
    return kept
