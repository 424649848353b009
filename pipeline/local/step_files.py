"""Files that a step reads by their names, so that other content is other input.

TFX's cache knows a step's parameters, not what lies under a path among them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tfx.proto.orchestration import pipeline_pb2

from pipeline.local.step_code import python_spec

# Step -> the file or folder that its parameters name; "" for none.
_NAMED: dict[str, Callable[[Mapping[str, str]], str]] = {
    "Clean": lambda given: given["adapter_rejected"],
    "TextEncoder": lambda given: json.loads(given["config"])["preset"],
}


def add_file_digest(spec: Any, node: pipeline_pb2.PipelineNode) -> None:
    """Makes the content of what a step reads part of what the cache asks for.

    It is added as a flag, which becomes part of the key and which no executor reads.

    Args:
      spec: a Python or Beam executor's specification, which is changed.
      node: whose parameters name the files.
    """
    named = _NAMED.get(node.node_info.id)
    if named is None:
        return
    parameters = node.parameters.parameters.items()
    path = named({name: p.field_value.string_value for name, p in parameters})
    python_spec(spec).extra_flags.append(f"--souk_files={digest_of(path)}")


def digest_of(path: str) -> str:
    """SHA-256 of a file, or of the names and files in a folder; "" where none is."""
    root = Path(path).expanduser()
    if not path or not root.exists():
        return ""
    digest = hashlib.sha256()
    for file in [root] if root.is_file() else sorted(root.rglob("*")):
        if file.is_file():
            digest.update(f"{file.relative_to(root)} {file.stat().st_size}\n".encode())
            with file.open("rb") as content:
                while block := content.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()
