"""Entry point of a container that runs one TFX component's executor.

TFX's own (`kubeflow_v2_run_executor`) does the work; around it, what it lacks outside
Vertex AI: URIs as local paths, the inputs' types, inputs that hold nothing left out,
the outputs of a killed attempt removed, and a record for the report.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

from pipeline.kubeflow import names, uris
from pipeline.kubeflow.steps import command, tables_as_prepared
from pipeline.kubeflow.steps.executor_input import ExecutorInput
from trainer.traced import spare_libraries

# What a report reads; kept apart, since the exit handler gets no artifacts.
KEPT = "kept"
_KEPT_FILES = frozenset(
    ("metrics.json", "search_metrics.json", "verdicts.json", "pushed.json")
    + ("summary.json", "gate.json", "souk.json", "history.json")
    + ("rejected.parquet", "FeatureStats.pb")
)


def main(argv: Sequence[str]) -> int:
    """Runs the step that the command line describes; returns the exit code."""
    flags = command.parser()
    flags.add_argument("--executor_class_path", required=True)
    flags.add_argument("--json_serialized_inputs_spec_args", required=True)
    flags.add_argument("--keep", action="append", default=[], metavar="OUTPUT=NAME")
    given, beam_args = flags.parse_known_args(argv)
    return command.guarded(lambda: _run(given, beam_args))


def _run(given: argparse.Namespace, beam_args: list[str]) -> None:
    spec = json.loads(given.json_serialized_inputs_spec_args)
    types = {
        key: artifact["artifactType"]
        for key, artifact in spec.get("artifacts", {}).items()
    }
    step = ExecutorInput.parse(
        given.task, given.json_serialized_invocation_args, types, uris.mount_root()
    )
    folder = step.run_folder(step.parameters[names.ROOT])
    spare_libraries()
    with command.recorded(step, folder):
        tables_as_prepared.check(step.parameters)
        kubeflow_v2_run_executor.main(
            (
                argparse.Namespace(
                    executor_class_path=given.executor_class_path,
                    json_serialized_invocation_args=json.dumps(step.values),
                    json_serialized_inputs_spec_args=(
                        given.json_serialized_inputs_spec_args
                    ),
                ),
                beam_args,
            )
        )
        tables_as_prepared.check(step.parameters)
        step.restore_uris()
    for pair in given.keep:
        key, _, name = pair.partition("=")
        _keep(step.output_path(key), folder / KEPT / name)


def _keep(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        if path.name in _KEPT_FILES and path.is_file():
            copied = target / path.relative_to(source)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
