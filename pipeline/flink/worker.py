"""What Flink starts beside each task slot: one Python process that runs Beam's steps.

pip does not ship this program; Beam's container image has one in Go that also installs
staged packages. Here the packages are in the environment that the worker's own
interpreter belongs to, so it asks where to connect and starts the SDK harness.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.flink import fork_server

_ANSWER_TIMEOUT_S = 60.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs until the runner closes the control connection or ends this process.

    Args:
      arguments: `--id` and `--provision_endpoint`, as Beam's runners give them to a
        PROCESS environment; from the command line where None.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    address = os.environ.get(fork_server.ADDRESS_VARIABLE)
    if address:
        fork_server.ask(Path(address), given)
    else:
        work(given)


def work(arguments: Sequence[str]) -> None:
    """Is the worker, in this process."""
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # before TensorFlow is imported
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(prog="souk-beam-worker", description=__doc__)
    parser.add_argument("--id", required=True, help="The worker's name to the runner.")
    parser.add_argument("--provision_endpoint", required=True, help="HOST:PORT.")
    known, _ = parser.parse_known_args(arguments)
    print(f"Beam worker {known.id} is process {os.getpid()}.", flush=True)
    os.environ.update(harness_environment(known.id, known.provision_endpoint))
    from apache_beam.runners.worker import sdk_worker_main

    from trainer.traced import spare_libraries

    spare_libraries()
    sdk_worker_main.main([])


def harness_environment(worker_id: str, provision_endpoint: str) -> dict[str, str]:
    """What Beam's SDK harness reads from its environment, asked of the runner."""
    from google.protobuf import json_format, text_format

    info = _provision_info(worker_id, provision_endpoint)
    descriptors = {
        "LOGGING_API_SERVICE_DESCRIPTOR": info.logging_endpoint,
        "CONTROL_API_SERVICE_DESCRIPTOR": info.control_endpoint,
    }
    return {
        "WORKER_ID": worker_id,
        "PIPELINE_OPTIONS": json_format.MessageToJson(info.pipeline_options),
        "RUNNER_CAPABILITIES": " ".join(info.runner_capabilities),
        **{
            name: text_format.MessageToString(endpoint)
            for name, endpoint in descriptors.items()
        },
    }


def _provision_info(worker_id: str, endpoint: str) -> Any:
    import grpc
    from apache_beam.portability.api import (
        beam_provision_api_pb2,
        beam_provision_api_pb2_grpc,
    )

    with grpc.insecure_channel(endpoint) as channel:
        service = beam_provision_api_pb2_grpc.ProvisionServiceStub(channel)
        answer = service.GetProvisionInfo(
            beam_provision_api_pb2.GetProvisionInfoRequest(),
            metadata=[("worker_id", worker_id)],
            timeout=_ANSWER_TIMEOUT_S,
        )
    return answer.info


if __name__ == "__main__":
    main()
