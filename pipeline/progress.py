"""Shows a run on the screen: one line per component, a bar on long work."""

from __future__ import annotations

import logging
import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

RUNNING, CACHED = "running", "cached"  # states of pipeline.observed_runner


class ProgressHandler(logging.Handler):
    """Turns records of the `souk` logger into progress on a console."""

    def __init__(self, console: Console, num_components: int) -> None:
        super().__init__(logging.INFO)
        self._logger = logging.getLogger("souk")
        self._logger.setLevel(logging.INFO)
        self._console = console
        self._num_components = num_components
        self._started = 0
        self._since = 0.0
        self._note = ""  # the newest fact of the running component
        self._task: TaskID | None = None
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self.seconds: dict[str, float] = {}

    def __enter__(self) -> ProgressHandler:
        self._progress.start()
        self._logger.addHandler(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._logger.removeHandler(self)
        self._progress.stop()

    def emit(self, record: logging.LogRecord) -> None:
        """Shows records of components and of `core.progress`; leaves others alone."""
        if hasattr(record, "souk_component"):
            state = getattr(record, "souk_state", "")
            if state == RUNNING:
                self._on_running(record.souk_component)
            else:
                self._on_finished(record.souk_component, state == CACHED)
        elif hasattr(record, "souk_step"):
            self._on_souk(record)

    def _on_souk(self, record: logging.LogRecord) -> None:
        self._note = note = getattr(record, "note", "")
        done = getattr(record, "souk_done", None)
        if done is not None and self._task is not None:
            total = getattr(record, "souk_total", None)
            self._progress.update(self._task, completed=done, total=total, note=note)

    def _on_running(self, name: str) -> None:
        self._started += 1
        self._since, self._note = time.monotonic(), ""
        title = f"[{self._started}/{self._num_components}] {name}"
        self._task = self._progress.add_task(title, total=None, note="")

    def _on_finished(self, name: str, cached: bool) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        seconds = time.monotonic() - self._since
        self.seconds[name] = seconds
        took = "cached" if cached else f"{seconds:6.1f} s"
        count = f"{self._started:2d}/{self._num_components}"
        self._console.print(
            f"[dim]{count}[/] [bold]{name:20s}[/] {took:>8s}  {self._note}",
            highlight=False,
            no_wrap=True,
            overflow="ellipsis",
        )
