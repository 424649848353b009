"""The model server as a command."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Sequence

from core.errors import SoukError


def serve(arguments: Sequence[str] | None = None) -> int:
    """Runs the model server until it is told to stop; returns the exit code.

    Args:
      arguments: flags, named as tensorflow_model_server's; sys.argv's by default.
    """
    # google.api_core remarks on the Python version whenever TensorFlow loads it.
    warnings.filterwarnings("ignore", category=FutureWarning, module="google")
    # TensorFlow takes seconds to import: not before the flags are known to be needed.
    from serving.model_server import options, server

    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    # The loader's notice that a newer loader exists: this one has the Session we need.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        server.serve(options.parse(arguments))
    except SoukError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def main() -> None:
    """Serves, then leaves without waiting for threads of libraries."""
    code = serve()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(code)
