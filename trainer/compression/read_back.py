"""What a SavedModel holds, read from its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
_OWN = "_CHECKPOINTABLE_OBJECT_GRAPH"


def read_back(model_dir: Path) -> dict[str, Any]:
    """Sizes, types and zeros of a SavedModel's arrays, as they lie on disk.

    Returns:
      bytes: of all files; variable_bytes: of the arrays; graph_bytes: of
      `saved_model.pb`; by_dtype: name -> {arrays, numbers, bytes}; arrays: one entry
      per array with name, dtype, shape, bytes and share of zeros, the largest first.
    """
    reader = tf.train.load_checkpoint(str(model_dir / "variables" / "variables"))
    arrays = []
    by_dtype: dict[str, dict[str, int]] = {}
    for key in reader.get_variable_to_shape_map():
        if key == _OWN or not key.endswith(_SUFFIX):
            continue
        values = np.asarray(reader.get_tensor(key))
        if values.dtype.kind in "OSU":
            continue
        entry = {
            "name": key.removesuffix(_SUFFIX),
            "dtype": values.dtype.name,
            "shape": list(values.shape),
            "bytes": int(values.nbytes),
            "zero_share": float((values == 0).mean()) if values.size else 0.0,
        }
        arrays.append(entry)
        total = by_dtype.setdefault(
            values.dtype.name, {"arrays": 0, "numbers": 0, "bytes": 0}
        )
        total["arrays"] += 1
        total["numbers"] += int(values.size)
        total["bytes"] += int(values.nbytes)
    arrays.sort(key=lambda entry: (-entry["bytes"], entry["name"]))
    files = [path for path in model_dir.rglob("*") if path.is_file()]
    return {
        "bytes": sum(path.stat().st_size for path in files),
        "graph_bytes": (model_dir / "saved_model.pb").stat().st_size,
        "variable_bytes": sum(entry["bytes"] for entry in arrays),
        "by_dtype": by_dtype,
        "arrays": arrays,
    }
