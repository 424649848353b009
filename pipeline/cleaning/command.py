"""`souk clean`: what no later run needs goes from a shop's home."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from core.errors import SoukError
from core.layout import HomeLayout
from core.progress import counted
from pipeline.command_line import fail, home_option
from pipeline.shop_argument import shop_name

_MB = 1_000_000
_SHOWN = _MB // 10  # steps that left less are counted together


@click.command("clean")
@click.argument("shop", default="demo")
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="So many of the newest runs stay whole.",
)
@click.option(
    "--keep-versions",
    type=click.IntRange(min=1),
    help="So many pushed versions stay; by default all. The newest always stays, and "
    "the one that the next run is compared with.",
)
@click.option("--dry-run", is_flag=True, help="Only print what would go.")
@home_option
def clean_command(
    shop: str, keep: int, keep_versions: int | None, dry_run: bool, home: Path
) -> None:
    """Remove from HOME what older runs of SHOP left and no later run needs.

    What the newest runs took from the cache stays, and the last blessed model, tables,
    schemas and reports (docs/running.md).
    """
    layout = HomeLayout(home.resolve(), shop_name(shop))
    try:
        clean(layout, keep=keep, keep_versions=keep_versions, dry_run=dry_run)
    except SoukError as error:
        fail(error)


def clean(
    layout: HomeLayout,
    *,
    keep: int = 3,
    keep_versions: int | None = None,
    dry_run: bool = False,
) -> None:
    """Removes it, and prints how much of each step.

    Args:
      layout: of the home, which must not be in use.
      keep: so many of the newest runs stay, at least 1.
      keep_versions: so many pushed versions stay, at least 1; None: all.
      dry_run: only print.

    Raises:
      ArtifactError: nothing was run there.
      ConfigError: a run holds the home.
    """
    # ML Metadata, here so that `souk --help` is fast.
    from pipeline.cleaning.plan import plan, remove
    from pipeline.cleaning.records import Records
    from pipeline.home import locked

    records = Records(layout)
    with locked(layout):
        needed = records.needed(keep)
        removals = plan(layout, needed, keep_versions)
        # First, so that nobody takes half a folder where this is killed.
        if not dry_run:
            records.mark_deleted(needed)
            remove(removals)
    sizes = Counter[str]()
    for removal in removals:
        sizes[removal.step] += removal.size_bytes
    shown = {step: size for step, size in sizes.most_common() if size >= _SHOWN}
    for step, size in shown.items():
        _print(step, size)
    _print("others", sizes.total() - sum(shown.values()))
    _print("would go" if dry_run else "removed", sizes.total())
    click.echo(f"kept: {needed.num_kept} of {counted(needed.num_runs, 'run')}")


def _print(what: str, size_bytes: int) -> None:
    click.echo(f"{what:<28}{size_bytes / _MB:>10,.1f} MB")
