"""What the `souk` commands share: where the home is, and how an error ends one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.markup import escape

from core.errors import SoukError

DEFAULT_HOME = Path("var")


def home_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--home` to a command."""
    return click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        default=DEFAULT_HOME,
        show_default=True,
        help="Where everything a run writes goes.",
    )(function)


def fail(error: SoukError) -> NoReturn:
    """Prints the error and ends with its exit status."""
    text = f"[bold red]souk:[/] {escape(str(error))}"
    Console(stderr=True).print(text, highlight=False, soft_wrap=True)
    sys.exit(error.exit_code)
