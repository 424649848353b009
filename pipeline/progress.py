"""Shows a run on the screen: one line per component, a bar on long work."""

from __future__ import annotations

import dataclasses
import logging
import time

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

# States of pipeline.local.launcher.
RUNNING, CACHED, FAILED = "running", "cached", "failed"


@dataclasses.dataclass
class _Component:
    """One that runs: its bar, and the newest fact about it."""

    task: TaskID
    since: float
    note: str = ""


class ProgressHandler(logging.Handler):
    """Turns records of the `souk` logger into progress on a console.

    Args:
      console: to write to.
      num_components: of the whole run.
      own_thread: keep the bars moving from a thread; without it, call `refresh`.
    """

    def __init__(
        self, console: Console, num_components: int, *, own_thread: bool = True
    ) -> None:
        super().__init__(logging.INFO)
        self._logger = logging.getLogger("souk")
        self._logger.setLevel(logging.INFO)
        self._console = console
        self._num_components = num_components
        self._running: dict[str, _Component] = {}
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            auto_refresh=own_thread,
        )
        self._ended = 0

    def __enter__(self) -> ProgressHandler:
        self._progress.start()
        self._logger.addHandler(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._logger.removeHandler(self)
        self._progress.stop()

    def refresh(self) -> None:
        """Draws the bars again."""
        self._progress.refresh()

    def emit(self, record: logging.LogRecord) -> None:
        """Shows records of components and of `core.progress`; leaves others alone."""
        if hasattr(record, "souk_component"):
            state = getattr(record, "souk_state", "")
            if state == RUNNING:
                self._on_running(record.souk_component)
            else:
                self._on_ended(record.souk_component, state)
        elif hasattr(record, "souk_step"):
            self._on_souk(record)

    def _on_souk(self, record: logging.LogRecord) -> None:
        newest = next(reversed(self._running), "")  # the only one, within one process
        component = self._running.get(getattr(record, "souk_node", newest))
        if component is None:
            return
        component.note = note = escape(getattr(record, "note", ""))
        done = getattr(record, "souk_done", None)
        if done is not None:
            total = getattr(record, "souk_total", None)
            self._progress.update(
                component.task, completed=done, total=total, note=note
            )

    def _on_running(self, name: str) -> None:
        place = self._ended + len(self._running) + 1
        title = f"[{place}/{self._num_components}] {name}"
        task = self._progress.add_task(title, total=None, note="")
        self._running[name] = _Component(task, time.monotonic())

    def _on_ended(self, name: str, state: str) -> None:
        component = self._running.pop(name)
        self._progress.remove_task(component.task)
        self._ended += 1
        seconds = time.monotonic() - component.since
        took = state if state in (CACHED, FAILED) else f"{seconds:6.1f} s"
        count = f"{self._ended:2d}/{self._num_components}"
        self._console.print(
            f"[dim]{count}[/] [bold]{name:20s}[/] {took:>8s}  {component.note}",
            highlight=False,
            no_wrap=True,
            overflow="ellipsis",
        )
