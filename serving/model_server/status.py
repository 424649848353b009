"""Status codes of TensorFlow Serving, and the error that carries one to the caller."""

from __future__ import annotations

import asyncio
import enum

from core.errors import ServingError


class Code(enum.IntEnum):
    """gRPC status codes, which TensorFlow's are as well."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


# As in TensorFlow Serving's http_server.cc, but for RESOURCE_EXHAUSTED (429 there):
# here it only means a full queue, for which TensorFlow Serving's batching answers 503.
HTTP_STATUS: dict[Code, int] = {
    Code.OK: 200,
    Code.CANCELLED: 499,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 503,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.UNAUTHENTICATED: 401,
}


class StatusError(ServingError):
    """A request's failure with the code that its caller receives."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def http_status(self) -> int:
        return HTTP_STATUS.get(self.code, 500)


def invalid_argument(message: str) -> StatusError:
    return StatusError(Code.INVALID_ARGUMENT, message)


def not_found(message: str) -> StatusError:
    return StatusError(Code.NOT_FOUND, message)


def from_exception(error: BaseException) -> StatusError:
    """The status of any exception; TensorFlow's errors keep their code."""
    if isinstance(error, StatusError):
        return error
    if isinstance(error, asyncio.CancelledError):
        return StatusError(Code.CANCELLED, "The caller went away.")
    code = getattr(error, "error_code", None)
    if isinstance(code, int) and code in Code._value2member_map_:
        return StatusError(Code(code), str(getattr(error, "message", error)))
    return StatusError(Code.INTERNAL, f"{type(error).__name__}: {error}")
