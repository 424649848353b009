"""`souk inspect` on the screen."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from core.errors import ArtifactError
from core.layout import HomeLayout
from pipeline.shop_argument import shop_name
from serving.inspect.gpus import gpu_named
from serving.inspect.hot_path import Part
from serving.inspect.inspection import Inspection, SignatureReport, inspect_model
from serving.inspect.kernels import Place


def inspect(
    console: Console, model: str, home: Path, *, gpu: str, every: bool, as_json: bool
) -> None:
    """Prints what a bundle asks of a GPU.

    Args:
      model: a version folder, or the name of a shop, whose newest version is taken.
      gpu: a name of serving/inspect/gpus.py.
      every: every op, not only those that the GPU does not compute.
      as_json: the whole inspection as JSON.

    Raises:
      ArtifactError, ConfigError: no such model, no such GPU.
    """
    found = inspect_model(model_dir(model, home), gpu_named(gpu))
    if as_json:
        console.print_json(json.dumps(found.to_dict()))
        return
    for signature in found.signatures:
        _print(console, signature, found, every=every)


def model_dir(model: str, home: Path) -> Path:
    """The version folder that `model` means."""
    path = Path(model)
    if path.is_dir() and (path / "saved_model.pb").is_file():
        return path
    served = HomeLayout(home.resolve(), shop_name(model)).serving
    versions = [p for p in served.glob("*") if (p / "saved_model.pb").is_file()]
    if not versions:
        raise ArtifactError(
            "`souk inspect` takes a SavedModel's folder or the name of a shop with a "
            f"pushed model. Received: {model}, and nothing lies in {served}. "
            f"Run `souk run {model}` first."
        )
    return max(versions, key=lambda p: int(p.name) if p.name.isdigit() else -1)


def _print(
    console: Console, signature: SignatureReport, found: Inspection, *, every: bool
) -> None:
    console.print(f"\n[bold]{signature.name}[/]", highlight=False)
    counts: Counter[tuple[str, str]] = Counter()
    for row in signature.ops:
        counts[row.part, row.place] += row.count
    for part in Part:
        texts = [
            f"{counts[part.value, place.value]} {place.value}"
            for place in Place
            if counts[part.value, place.value]
        ]
        console.print(f"  {part.value:9} {', '.join(texts) or '-'}", highlight=False)
    if every:
        _print_every(console, signature)
    else:
        _print_host(console, signature)
    if signature.fallbacks:
        names = ", ".join(sorted({row.op for row in signature.fallbacks}))
        console.print(f"  [yellow]hot path falls back to the host:[/] {names}")
    _print_costs(console, signature, found)


def _print_every(console: Console, signature: SignatureReport) -> None:
    table = Table(box=None, padding=(0, 1), show_edge=False)
    for name in ("part", "op", "types", "nodes", "devices", "why not on the GPU"):
        table.add_column(name, overflow="fold")
    for row in signature.ops:
        types = ", ".join(dict.fromkeys(row.types))
        where = "/".join(row.devices)
        if row.place == Place.HOST_MEMORY.value:
            where += " (host memory)"
        table.add_row(row.part, row.op, types, str(row.count), where, row.why)
    console.print(table)


def _print_host(console: Console, signature: SignatureReport) -> None:
    """What has no GPU kernel, by part and reason."""
    ops: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in signature.ops:
        if row.place == Place.HOST.value:
            ops[row.part, row.why].add(row.op)
    for (part, why), names in sorted(ops.items()):
        console.print(f"  {part}, {why}: {', '.join(sorted(names))}", highlight=False)


def _print_costs(
    console: Console, signature: SignatureReport, found: Inspection
) -> None:
    for cost in signature.costs:
        console.print(
            f"  batch {cost.batch_size:<3} {cost.flops / 1e6:8.2f} MFLOP "
            f"{cost.bytes / 1e6:8.2f} MB; on {found.gpu.name} {cost.gpu_kernels} "
            f"kernels, roofline {cost.roofline_us:.0f} us, at most "
            f"{cost.moved_bytes / 1e6:.2f} MB over the bus {cost.moved_us:.0f} us",
            highlight=False,
        )
        if cost.uncounted:
            console.print(
                "  [yellow]not counted, as it stays closed:[/] what the functions of "
                f"{', '.join(cost.uncounted)} do",
                highlight=False,
            )
