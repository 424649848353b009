"""Reads `.safetensors`: a length, a JSON header, then raw little-endian tensors.

The format (github.com/huggingface/safetensors) is small enough that reading it here
spares a dependency of every installation for one optional input.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ConfigError

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}
_BFLOAT16 = "BF16"
_MAX_HEADER_BYTES = 100_000_000  # the format's own limit


def read_safetensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Tensors by name; floating ones become float32, other dtypes are left out.

    Raises:
      ConfigError: the file is not complete or not of this format.
    """
    try:
        data = path.read_bytes()
        (length,) = struct.unpack_from("<Q", data)
        if length > _MAX_HEADER_BYTES:
            raise ValueError(f"a header of {length} bytes")
        header = json.loads(data[8 : 8 + length])
        header.pop("__metadata__", None)
        body = memoryview(data)[8 + length :]
        return {
            name: _tensor(body, entry)
            for name, entry in header.items()
            if entry["dtype"] in (*_DTYPES, _BFLOAT16)
        }
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise ConfigError(
            f"`{path}` must be a complete safetensors file: {error}. "
            "Copy the preset's folder again."
        ) from error


def _tensor(body: memoryview, entry: dict[str, Any]) -> npt.NDArray[Any]:
    start, stop = entry["data_offsets"]
    if stop > len(body):
        raise ValueError(f"it ends before byte {stop} of its tensors")
    if entry["dtype"] == _BFLOAT16:  # the upper half of a float32
        halves = np.frombuffer(body[start:stop], "<u2").astype(np.uint32)
        values: npt.NDArray[Any] = (halves << 16).view(np.float32)
    else:
        values = np.frombuffer(body[start:stop], _DTYPES[entry["dtype"]])
    if values.dtype.kind == "f":
        values = values.astype(np.float32)
    return values.reshape(entry["shape"])
