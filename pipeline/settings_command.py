"""`souk settings`: everything that a settings file may change, with its value."""

from __future__ import annotations

from pathlib import Path

import click

from core.errors import SoukError
from core.layout import HomeLayout
from pipeline.command_line import fail, home_option, settings_option
from pipeline.settings import read_settings, settings_file, settings_text
from pipeline.shop_argument import shop_argument


@click.command("settings")
@click.argument("shop", default="demo")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True),
    help="As for `souk run`.",
)
@click.option("--seed", default=0, show_default=True, help="Of a simulated shop.")
@settings_option
@home_option
def settings_command(
    shop: str, data: Path | None, seed: int, settings_path: Path | None, home: Path
) -> None:
    """Print SHOP's settings as YAML: its preset, and what a settings file changes.

    What is printed is a settings file; keep the lines that are to differ. Nothing is
    written: a run may be under way.
    """
    try:
        text = _text(shop, data, seed, settings_path, home)
    except SoukError as error:
        fail(error)
    click.echo(text, nl=False)


def _text(
    shop: str, data: Path | None, seed: int, settings_path: Path | None, home: Path
) -> str:
    meant = shop_argument(shop, data)
    settings = read_settings(settings_file(settings_path, meant.data))
    layout = HomeLayout(home.resolve(), meant.name)
    # Heavy imports, here so that `souk --help` is fast.
    from core import presets
    from pipeline import sources

    found = sources.shop_settings(layout, meant.source, data=meant.data, seed=seed)
    return settings_text(presets.with_settings(presets.for_shop(*found), settings))
