"""What the entry points share: the command line, and a record of how the step went."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import logging
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from components.report.step_records import (
    COMPLETE,
    FAILED,
    RUNNING,
    StepRecord,
    write_record,
)
from core.disk import bytes_below
from core.errors import SoukError, souk_error_in
from pipeline.kubeflow import uris
from pipeline.kubeflow.steps.executor_input import ExecutorInput, Json

_log = logging.getLogger("souk")


def parser() -> argparse.ArgumentParser:
    """The flags of every step; TFX's own names where TFX has the flag."""
    flags = argparse.ArgumentParser(allow_abbrev=False)
    flags.add_argument("--task", required=True)
    flags.add_argument("--json_serialized_invocation_args", required=True)
    return flags


def run(work: Callable[[ExecutorInput], None], argv: Sequence[str]) -> int:
    """Parses KFP's message, does the work; returns the process's exit code."""
    flags = parser().parse_args(argv)
    step = ExecutorInput.parse(
        flags.task, flags.json_serialized_invocation_args, {}, uris.mount_root()
    )
    return guarded(lambda: work(step))


def guarded(work: Callable[[], None]) -> int:
    """Runs `work`; souk's own errors become a message and their exit code."""
    logging.basicConfig(
        level=logging.INFO, format="%(levelname).1s %(name)s: %(message)s"
    )
    try:
        work()
    except SoukError as error:
        _log.error("%s", error)
        print(f"souk: {error}", file=sys.stderr)
        return error.exit_code
    return 0


@contextlib.contextmanager
def recorded(step: ExecutorInput, folder: Path) -> Iterator[None]:
    """Notes in `folder` that the step runs, then that it ended and how.

    What a killed attempt left in the outputs is removed first, as a retry gets the same
    folders.
    """
    for _, artifact in step.outputs():
        shutil.rmtree(artifact["uri"], ignore_errors=True)
    record = StepRecord(
        component=step.task,
        state=RUNNING,
        started=time.time(),
        inputs=tuple(_reference(*each) for each in step.inputs()),
    )
    write_record(folder, record)
    try:
        yield
    except BaseException as error:
        write_record(folder, _ended(record, FAILED, error=_message(error)))
        raise
    outputs = tuple(
        {**_reference(key, artifact), "size_bytes": bytes_below(Path(artifact["uri"]))}
        for key, artifact in step.outputs()
    )
    write_record(folder, _ended(record, COMPLETE, outputs=outputs))


def _ended(record: StepRecord, state: str, **changes: Any) -> StepRecord:
    seconds = time.time() - record.started
    return dataclasses.replace(record, state=state, seconds=seconds, **changes)


def _message(error: BaseException) -> str:
    """souk's own message where there is one among the causes, else the error's."""
    ours = souk_error_in(error)
    if ours is not None:
        return str(ours)
    return f"{type(error).__name__}: {error}"


def _reference(key: str, artifact: Json) -> dict[str, Any]:
    """Key, type and the store's URI, which `name` holds."""
    schema = str(artifact.get("type", {}).get("instanceSchema", ""))
    title = schema.partition("title:")[2].partition("\n")[0].strip()
    return {"key": key, "type_name": title, "uri": artifact["name"]}
