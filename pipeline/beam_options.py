"""Where Beam steps run: the one place that knows Beam's options.

Every Beam step (Ingest, Clean, StatisticsGen, JoinHistory, Transform, bulk encoding of
texts, candidate mining, EvaluateFunnel, EvaluateSearch, Evaluator) gets the same list,
through the pipeline. Code and packages are in the workers' environment already, a
container image or this virtual environment: nothing is staged.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from core.errors import ConfigError

DIRECT, FLINK = "direct", "flink"
ENGINES = (DIRECT, FLINK)
LOCAL_MASTER = "[local]"  # Flink inside the job server, on this machine

# TFX packs itself up (1 to 10 s a step) where no image is named. The direct runner and
# PROCESS workers look at no image: the name only says that nothing is to be staged.
_NOTHING_STAGED = (
    "--sdk_container_image=none",
    "--experiments=disable_logging_submission_environment",  # of `pip freeze`
)
_CACHE_WORKERS_MS = 60_000  # that nobody uses; by default a worker lives for one stage


def direct() -> list[str]:
    """This process. A second one costs more to start than it saves in minutes."""
    return [
        "--runner=DirectRunner",
        "--direct_running_mode=in_memory",
        "--direct_num_workers=1",
        *_NOTHING_STAGED,
    ]


def flink(
    master: str,
    job_endpoint: str,
    *,
    num_workers: int = 2,
    worker: str = "",
    variables: Mapping[str, str] | None = None,
) -> list[str]:
    """A Flink cluster, or Flink inside the job server; PROCESS workers.

    Args:
      master: HOST:8081, or `[local]`.
      job_endpoint: HOST:PORT of a running job server (`pipeline.flink.job_server`).
      num_workers: Python worker processes, and task slots that are used.
      worker: the worker program, on every machine at the same path; by default that of
        this environment.
      variables: of the workers' environment; no value may hold a comma.
    """
    if num_workers < 1:
        raise ConfigError(
            f"`num_workers` must be at least 1. Received: {num_workers}. "
            "Use as many as the cluster has task slots."
        )
    options = [
        "--runner=FlinkRunner",
        f"--flink_master={master}",
        f"--job_endpoint={job_endpoint}",
        f"--parallelism={num_workers}",
        "--environment_type=PROCESS",
        f"--environment_option=process_command={worker or worker_program()}",
        f"--environment_cache_millis={_CACHE_WORKERS_MS}",
        *_NOTHING_STAGED,
    ]
    if variables:
        pairs = ",".join(f"{name}={value}" for name, value in variables.items())
        options.append(f"--environment_option=process_variables={pairs}")
    if master == LOCAL_MASTER:  # one TaskManager: more than one worker for it
        options.append(f"--sdk_worker_parallelism={num_workers}")
    return options


def spark(job_endpoint: str, image: str, *, num_workers: int = 0) -> list[str]:
    """A Spark cluster through a running Spark job server. Not run here.

    Args:
      job_endpoint: HOST:PORT of Beam's Spark 3 job server of the SDK's version.
      image: with souk and its packages (deploy/), pulled by every executor.
      num_workers: partitions of a bundle of work; 0: Spark's own.
    """
    options = [
        "--runner=PortableRunner",
        f"--job_endpoint={job_endpoint}",
        "--environment_type=DOCKER",
        f"--environment_option=docker_container_image={image}",
        f"--environment_cache_millis={_CACHE_WORKERS_MS}",
        f"--sdk_container_image={image}",
    ]
    if num_workers:
        options.append(f"--sdk_worker_parallelism={num_workers}")
    return options


def dataflow(
    project: str,
    region: str,
    bucket: str,
    image: str,
    *,
    machine_type: str = "n2-highmem-4",
    max_num_workers: int = 50,
) -> list[str]:
    """Google Cloud Dataflow. Not run here.

    Args:
      project, region: of the jobs.
      bucket: gs://… folder for temporary and staged files.
      image: with souk and its packages (deploy/).
      machine_type: 8 GiB a core: a bucket of users, a dictionary of items and
        TensorFlow lie in memory beside each other.
      max_num_workers: bound of the autoscaler.
    """
    if not bucket.startswith("gs://"):
        raise ConfigError(
            f"`bucket` must start with gs://. Received: {bucket!r}. "
            "Name a folder in Cloud Storage that the workers may write."
        )
    folder = bucket.rstrip("/")
    return [
        "--runner=DataflowRunner",
        f"--project={project}",
        f"--region={region}",
        f"--temp_location={folder}/tmp",
        f"--staging_location={folder}/staging",
        f"--sdk_container_image={image}",
        "--sdk_location=container",
        "--experiments=use_runner_v2",
        f"--machine_type={machine_type}",
        f"--max_num_workers={max_num_workers}",
        "--autoscaling_algorithm=THROUGHPUT_BASED",
    ]


def worker_program() -> str:
    """Path of `souk-beam-worker` beside this interpreter.

    Raises:
      ConfigError: souk is not installed as a package.
    """
    path = Path(sys.executable).parent / "souk-beam-worker"
    if not path.is_file():
        raise ConfigError(
            f"Beam workers need `{path}`. Received: no such file. "
            "Install souk into this environment (`make setup`, or pip install -e .)."
        )
    return str(path)
