"""What the `souk` commands share: where the home is, and how an error ends one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.markup import escape

from core.config.compress import CompressConfig
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


def compress_settings_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--compress-settings`, handed on as a CompressConfig or None."""
    return click.option(
        "--compress-settings",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        callback=_compress_settings,
        help="As --compress, the way that a JSON file says: what `make "
        "bench-compress-sweep` has chosen (docs/compression.md).",
    )(function)


def settings_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--settings`, a path or None."""
    return click.option(
        "--settings",
        "settings_path",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="YAML of what differs from the shop's preset, by part: `ranker: {epochs: "
        "8}`. By default the settings.yaml beside one's own tables (docs/settings.md).",
    )(function)


def _compress_settings(
    context: click.Context, parameter: click.Parameter, path: Path | None
) -> CompressConfig | None:
    try:
        return None if path is None else CompressConfig.read(path)
    except SoukError as error:
        fail(error)


def fail(error: SoukError) -> NoReturn:
    """Prints the error and ends with its exit status."""
    text = f"[bold red]souk:[/] {escape(str(error))}"
    Console(stderr=True).print(text, highlight=False, soft_wrap=True)
    sys.exit(error.exit_code)
