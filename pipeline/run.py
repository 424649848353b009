"""`souk run`: a shop's tables → a pushed model, its report, and a page to look at."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from components.pusher.push import newest_version, what_stays
from core.config.choices import RunChoices
from core.config.souk import SoukConfig
from core.errors import NotBlessedError, SoukError
from core.layout import HomeLayout
from pipeline.beam_options import FLINK
from pipeline.engines import BeamEngine
from pipeline.home import locked
from pipeline.quiet import quiet

# Of the whole DAG, of a shop without events, of a refit: each run has one of them.
_GATES = ("Gates", "SearchGates", "ServingGate")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What the command line says."""

    layout: HomeLayout
    source: str  # an adapter's name
    data: Path | None = None
    seed: int = 0
    cache: bool = True
    refit: bool = False
    without_events: bool = False  # a shop that had events may have none now
    choices: RunChoices = dataclasses.field(default_factory=RunChoices)
    verbose: bool = False
    engine: BeamEngine | None = None  # where Beam steps run; None: in the step itself
    jobs: int | None = None  # steps that run at once; None: what suits the machine


def run_shop(request: RunRequest) -> None:
    """Runs one shop and prints progress, verdict, report and a page.

    Raises:
      NotBlessedError: the gates refused the model; a version served before stays.
      SoukError: bad input or settings; the message says what to do.
    """
    layout = request.layout
    log = layout.logs / f"run-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.log"
    with locked(layout), quiet(log, verbose=request.verbose) as screen:
        console = Console(file=screen)
        _print_path(console, f"[bold]souk run {layout.shop}[/]  (log: ", log, ")")
        before = newest_version(layout.serving)
        try:
            _run(request, console)
        except SoukError:
            raise
        except Exception as error:
            served = newest_version(layout.serving)
            now = what_stays(served.name if served else None)
            if served is not None and served != before:
                now = f"version {served.name} is pushed and served"
            raise SoukError(
                f"The run of `{layout.shop}` stopped: {type(error).__name__}: {error}. "
                f"The whole story is in `{log}`; {now}. "
                "Run again to resume after the last finished component."
            ) from error


def _run(request: RunRequest, console: Console) -> None:
    # Heavy imports, here so that they are quiet and `souk --help` is fast.
    from core import presets
    from pipeline import pages, sources
    from pipeline.local_runner import run_local
    from pipeline.settings import differences

    layout, started = request.layout, time.monotonic()
    with console.status("tables"):
        shop, splits = sources.ensure_tables(
            layout,
            request.source,
            data=request.data,
            seed=request.seed,
            without_events=request.without_events,
        )
    preset = presets.for_shop(shop, splits)
    config = presets.with_choices(preset, request.choices)
    plain = presets.with_choices(preset, request.choices.replace(settings={}))
    for difference in differences(plain, config):
        console.print(f"setting  {escape(difference)}", highlight=False)
    refits = request.refit and shop.has_events
    run_local(
        config,
        layout,
        console,
        cache=request.cache,
        hold=refits,
        engine=request.engine,
        jobs=_jobs(request),
    )
    minutes, seconds = divmod(round(time.monotonic() - started), 60)
    console.print(f"\n[bold]done[/] in {minutes} min {seconds} s")
    _print_path(console, "report   ", layout.report)
    version = _require_accepted(layout)
    if not shop.has_events and (config.compress.enabled or config.joint_ranker):
        console.print("not compressed, no joint ranker: a shop without events has none")
    if request.refit and not shop.has_events:
        console.print(
            "no refit: a shop without events keeps nothing back to measure on"
        )
    elif refits:
        config = _refit(request, config, console)
        version = _require_accepted(layout)
    assert version is not None  # only what a refit follows is held
    _print_path(console, "serving  ", version, "\n")
    show = pages.show_example if shop.has_events else pages.show_search_example
    show(console, layout, config, version)


def _refit(request: RunRequest, config: SoukConfig, console: Console) -> SoukConfig:
    """Trains the accepted settings on everything; returns the settings it used."""
    from pipeline.local_runner import run_local
    from pipeline.sources import newest_event

    layout = request.layout
    console.print("\n[bold]refit[/] of the accepted settings on everything")
    end = newest_event(layout) + 1
    everything = config.replace(splits=config.splits.replace(test_start=end))
    run_local(
        everything,
        layout,
        console,
        cache=request.cache,
        refit=True,
        engine=request.engine,
        jobs=_jobs(request),
    )
    return everything


def _jobs(request: RunRequest) -> int:
    """As asked for. A cluster's slots are one step's at a time unless it is said."""
    from pipeline.local.dag import default_jobs

    on_flink = request.engine is not None and request.engine.name == FLINK
    return request.jobs or (1 if on_flink else default_jobs())


def _require_accepted(layout: HomeLayout) -> Path | None:
    """The version that this run's model is served as; None: its refit will be.

    Raises:
      NotBlessedError: with what each failed gate said.
    """
    pushed = _outcome(layout, "Pusher", "pushed.json")
    if pushed.get("held"):
        return None
    if pushed.get("pushed"):
        return Path(pushed["destination"])
    found = (_outcome(layout, gates, "verdicts.json") for gates in _GATES)
    verdicts = next(filter(None, found), {})
    failed = [v for v in verdicts.get("verdicts", []) if not v["passed"]]
    reasons = "\n".join(f"  - {v['gate']}: {v['message']}" for v in failed)
    served = newest_version(layout.serving)
    raise NotBlessedError(
        f"The gates refused the model; nothing was pushed, "
        f"{what_stays(served.name if served else None)}.\n"
        f"{reasons}\nThe report shows the measurements: {_short(layout.report)}"
    )


def _outcome(layout: HomeLayout, component: str, name: str) -> dict[str, Any]:
    """Content of a JSON file that a component of the newest run wrote, or reused."""
    from components.report.lineage import read_lineage

    for execution in read_lineage(layout.metadata):
        if execution.component == component:
            for artifact in execution.outputs:
                path = Path(artifact.uri) / name
                if path.is_file():
                    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
                    return content
    return {}


def _print_path(console: Console, before: str, path: Path, after: str = "") -> None:
    """Prints a path in one piece, however narrow the screen: it is to be copied."""
    console.print(f"{before}{escape(_short(path))}{after}", soft_wrap=True)


def _short(path: Path) -> str:
    """Relative to the working folder where that is shorter to read."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
