"""TensorFlow's, Beam's and TFX's chatter goes to a file, progress to the screen."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from pipeline.home import writing


@contextlib.contextmanager
def quiet(log_file: Path, *, verbose: bool = False) -> Iterator[TextIO]:
    """Redirects standard output and error, C++ included, into `log_file`.

    Args:
      log_file: appended to; its folder is made.
      verbose: leave both where they are (the records still reach the file).

    Yields:
      A stream that still writes to the caller's standard output.

    Raises:
      ConfigError: the file cannot be written.
    """
    with writing(log_file.parent):
        log_file.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(log_file, encoding="utf-8")
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname).1s %(name)s: %(message)s")
    )
    root = logging.getLogger()
    root.addHandler(handler)
    level, root.level = root.level, logging.INFO
    try:
        if verbose:
            yield sys.stdout
        else:
            with _redirected(log_file) as screen, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield screen
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()


@contextlib.contextmanager
def _redirected(log_file: Path) -> Iterator[TextIO]:
    """File descriptors 1 and 2 point into the file; what they were is yielded."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved_out, saved_err = os.dup(1), os.dup(2)
    target = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    streams = sys.stdout, sys.stderr
    try:
        os.dup2(target, 1)
        os.dup2(target, 2)
        # A test or a notebook may have captured Python's own streams: replace them.
        sys.stdout = io.TextIOWrapper(
            os.fdopen(os.dup(target), "wb"), encoding="utf-8", line_buffering=True
        )
        sys.stderr = sys.stdout
        with os.fdopen(os.dup(saved_out), "w", encoding="utf-8") as screen:
            yield screen
    finally:
        sys.stdout, sys.stderr = streams
        os.dup2(saved_out, 1)
        os.dup2(saved_err, 2)
        for descriptor in (saved_out, saved_err, target):
            os.close(descriptor)
