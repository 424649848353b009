"""Shows a run on the screen: one line per component, a bar on long work."""

from __future__ import annotations

import logging
import re
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

# What TFX's local runner and launcher log around each component.
_RUNNING = re.compile(r"^Component (\S+) is running")
_FINISHED = re.compile(r"^Component (\S+) is finished")
_CACHED = re.compile(r"^A cached execution \d+ is used")


class ProgressHandler(logging.Handler):
    """Turns log records into progress: TFX's component records and `core.progress`."""

    def __init__(self, console: Console, num_components: int) -> None:
        super().__init__(logging.INFO)
        self._console = console
        self._num_components = num_components
        self._started = 0
        self._since = 0.0
        self._cached = False
        self._notes: list[str] = []
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
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        logging.getLogger().removeHandler(self)
        self._progress.stop()

    def emit(self, record: logging.LogRecord) -> None:
        """Routes one record; others than souk's and the runner's are left alone."""
        if hasattr(record, "souk_step"):
            self._on_souk(record)
            return
        message = record.getMessage()
        if found := _RUNNING.match(message):
            self._on_running(found[1])
        elif _CACHED.match(message):
            self._cached = True
        elif found := _FINISHED.match(message):
            self._on_finished(found[1])

    def _on_souk(self, record: logging.LogRecord) -> None:
        note = getattr(record, "note", "")
        done = getattr(record, "souk_done", None)
        if done is None:
            self._notes.append(note)
        elif self._task is not None:
            total = getattr(record, "souk_total", None)
            self._progress.update(self._task, completed=done, total=total, note=note)

    def _on_running(self, name: str) -> None:
        self._started += 1
        self._since, self._cached, self._notes = time.monotonic(), False, []
        title = f"[{self._started}/{self._num_components}] {name}"
        self._task = self._progress.add_task(title, total=None, note="")

    def _on_finished(self, name: str) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        seconds = time.monotonic() - self._since
        self.seconds[name] = seconds
        took = "cached" if self._cached else f"{seconds:6.1f} s"
        count = f"{self._started:2d}/{self._num_components}"
        self._console.print(
            f"[dim]{count}[/] [bold]{name:24s}[/] {took:>9s}  {'; '.join(self._notes)}",
            highlight=False,
        )
