"""Every option set is one that Beam's own parser and validator accept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from apache_beam.options import pipeline_options as beam_flags
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.runners import runner as runners

from core.errors import ConfigError
from pipeline import beam_options

DRY_RUN = "--dry_run=True"  # the validator would ask Cloud Storage about the bucket
IMAGE = "registry.example/souk:1"
OPTION_SETS = {
    "DirectRunner": beam_options.direct(),
    "FlinkRunner": beam_options.flink(
        "cluster:8081",
        "localhost:8099",
        num_workers=16,
        worker="/opt/souk/bin/souk-beam-worker",
        variables={"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
    ),
    "PortableRunner": beam_options.spark("spark:8099", IMAGE, num_workers=8),
    "DataflowRunner": beam_options.dataflow(
        "my-project", "europe-west4", "gs://bucket/souk/", IMAGE
    ),
}


@pytest.mark.parametrize("runner", OPTION_SETS)
def test_beam_knows_every_option_and_finds_no_fault(runner: str) -> None:
    flags = [*OPTION_SETS[runner], DRY_RUN]
    options = beam_flags.PipelineOptions(flags)
    known = options.get_all_options(retain_unknown_options=True)
    plain = options.get_all_options()
    assert known.keys() == plain.keys(), "an option that Beam would drop"
    validator = PipelineOptionsValidator(options, runners.create_runner(runner))
    assert validator.validate() == []


def test_a_set_without_its_project_is_refused_by_beam() -> None:
    flags = [f for f in OPTION_SETS["DataflowRunner"] if "--project" not in f]
    options = beam_flags.PipelineOptions([*flags, DRY_RUN])
    runner = runners.create_runner("DataflowRunner")
    faults = PipelineOptionsValidator(options, runner).validate()
    assert any("project" in fault for fault in faults)


def test_flink_workers_are_processes_with_their_environment() -> None:
    options = beam_flags.PipelineOptions(OPTION_SETS["FlinkRunner"])
    portable = options.view_as(beam_flags.PortableOptions)
    assert portable.environment_type == "PROCESS"
    command = portable.lookup_environment_option("process_command")
    assert command == "/opt/souk/bin/souk-beam-worker"
    variables = portable.lookup_environment_option("process_variables")
    assert variables == "TF_USE_LEGACY_KERAS=1,TF_CPP_MIN_LOG_LEVEL=3"
    assert int(portable.environment_cache_millis) > 0  # 0: new workers for each stage
    flink = options.view_as(beam_flags.FlinkRunnerOptions)
    assert (flink.flink_master, flink.parallelism) == ("cluster:8081", 16)


def test_workers_inside_the_job_server_are_as_many_as_slots() -> None:
    flags = beam_options.flink("[local]", "localhost:1", num_workers=3, worker="w")
    portable = beam_flags.PipelineOptions(flags).view_as(beam_flags.PortableOptions)
    assert int(portable.sdk_worker_parallelism) == 3


@pytest.mark.parametrize("flags", OPTION_SETS.values(), ids=OPTION_SETS)
def test_tfx_does_not_pack_itself_up_for_any_step(flags: Sequence[str]) -> None:
    from tfx.utils.dependency_utils import make_beam_dependency_flags

    assert make_beam_dependency_flags(list(flags)) == list(flags)


def test_the_default_worker_is_this_environments() -> None:
    flags = beam_options.flink("[local]", "localhost:1")
    commands = [f for f in flags if "process_command" in f]
    assert len(commands) == 1
    assert Path(commands[0].rpartition("=")[2]).is_file()


def test_wrong_values_are_refused_with_the_remedy() -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        beam_options.flink("[local]", "localhost:1", num_workers=0)
    with pytest.raises(ConfigError, match="gs://"):
        beam_options.dataflow("project", "region", "s3://bucket", IMAGE)
