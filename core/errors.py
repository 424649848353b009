"""Every error that souk raises on purpose.

    SoukError
    ├── ConfigError                 a setting is out of range or unknown
    ├── InputDataError              a file, row or field breaks the data contract
    ├── ArtifactError               a step's output is missing or not what it should be
    ├── NotBlessedError             the gates refused the model; nothing was pushed
    └── ServingError
        ├── ModelUnavailableError   no version is ready (retriable)
        └── InvalidRequestError     the request breaks the signature

A message holds the rule, the value received and the next step.
"""

from __future__ import annotations

import zipfile
import zlib


class SoukError(Exception):
    """Root of souk's errors; `exit_code` is what the `souk` command returns."""

    exit_code = 1


class ConfigError(SoukError):
    """A setting is out of range, unknown, or contradicts another one."""

    exit_code = 2


class InputDataError(SoukError):
    """Input data breaks the data contract; names the file, row or field."""

    exit_code = 3


class ArtifactError(SoukError):
    """A pipeline step's output is missing or malformed."""

    exit_code = 4


class NotBlessedError(SoukError):
    """The gates refused the model; what was served before is untouched."""

    exit_code = 5


class ServingError(SoukError):
    """The model server cannot answer."""

    exit_code = 6


class ModelUnavailableError(ServingError):
    """No version of the model is ready; the call may be tried again."""


class InvalidRequestError(ServingError):
    """The request does not fit the signature."""


def souk_error_in(error: BaseException | None) -> SoukError | None:
    """The first of souk's errors among an error and its causes."""
    while error is not None:
        if isinstance(error, SoukError):
            return error
        error = error.__cause__ or error.__context__
    return None


# What reading a damaged file of ours raises, beside what its content may lack.
UNREADABLE = (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error)
