"""OnExit: whatever became of the run, the shop has its report.

After a run that reached its Report step the page is there already. Otherwise it is made
of what the finished steps kept on the volume, and says which step failed and why.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
from pathlib import Path

from components.report.component import PAGE
from components.report.data import ExecutionRecord
from components.report.gather import gather
from components.report.step_records import COMPLETE, FAILED, RUNNING, read_records
from components.report.write import write_report
from pipeline.kubeflow import names
from pipeline.kubeflow.shop_home import layout_of
from pipeline.kubeflow.steps import command
from pipeline.kubeflow.steps.component import KEPT
from pipeline.kubeflow.steps.executor_input import ExecutorInput

OUTPUT = "report"


def on_exit(step: ExecutorInput) -> None:
    """Writes the report unless the run did."""
    given = step.parameters
    layout = layout_of(given[names.HOME], given[names.SHOP])
    run = step.run_folder(str(layout.root))
    executions = [_ended(execution) for execution in read_records(run)]
    written = layout.report
    if not _reported(run):
        kept = {path.name: str(path) for path in (run / KEPT).glob("*")}
        written = write_report(gather(layout.shop, kept, executions), written)
    output = step.output_path(OUTPUT)
    output.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(written, output / PAGE)
    step.finish()


def _reported(run: Path) -> bool:
    return any(
        execution.component == names.REPORT and execution.state == COMPLETE
        for execution in read_records(run)
    )


def _ended(execution: ExecutionRecord) -> ExecutionRecord:
    """A step that still says it runs was killed: nothing runs beside the handler."""
    if execution.state != RUNNING:
        return execution
    return dataclasses.replace(
        execution, state=FAILED, error="The container ended without a word (killed?)."
    )


if __name__ == "__main__":
    sys.exit(command.run(on_exit, sys.argv[1:]))
