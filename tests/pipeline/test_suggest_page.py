"""Completions are printed as they are, whatever a shop's texts hold."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from pipeline.suggest import _print
from serving.suggest.completer import Completion


@pytest.mark.parametrize("text", ["lamp [red]", "lamp [pack of 6] large", "lamp [/b]"])
def test_brackets_are_text(text: str) -> None:
    page = io.StringIO()

    found = Completion(text=text, kind="title", score=1.0)
    _print(Console(file=page, width=80), "la", [found])

    assert text in page.getvalue()
