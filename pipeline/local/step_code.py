"""Which code a step runs, so that a cached result of other code is not taken for its.

TFX's cache knows a step by its settings, its inputs and the name of its executor. With
a newer souk in the same home all of these can be as they were.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2

_ROOT = Path(__file__).parents[2]
_PACKAGES = ("core", "shops", "trainer", "components", "serving", "pipeline")
# Doors of stock steps (`run_fn`, `preprocessing_fn`, metrics) are named in settings.
_DOTTED = re.compile(rf"(?<![\w.])(?:{'|'.join(_PACKAGES)})(?:\.[A-Za-z_]\w*)+")


def add_code_digest(spec: Any, node: pipeline_pb2.PipelineNode) -> None:
    """Makes the code that an executor runs part of what the cache asks for.

    It is added as a flag, which becomes part of the key and which no executor reads.

    Args:
      spec: a Python or Beam executor's specification, which is changed.
      node: whose parameters may name further functions.
    """
    texts = [python_spec(spec).class_path]
    for parameter in node.parameters.parameters.values():
        texts.append(parameter.field_value.string_value)
    names = {name for text in texts for name in _DOTTED.findall(text)}
    python_spec(spec).extra_flags.append(f"--souk_code={code_digest(names)}")


def python_spec(spec: Any) -> Any:
    """The Python class of an executor's specification, Beam's or plain."""
    beam = isinstance(spec, executable_spec_pb2.BeamExecutableSpec)
    return spec.python_executor_spec if beam else spec


def code_digest(names: Iterable[str], root: Path = _ROOT) -> str:
    """SHA-256 of the modules that names lead to, and of what these import.

    Files that are no modules count with the module beside or above them (templates).

    Args:
      names: dotted, of modules or what is in them; unknown ones say nothing.
      root: the folder that holds the packages.
    """
    found: set[Path] = set()
    waiting = {path for name in names for path in _files_of(name, root)}
    while waiting:
        path = waiting.pop()
        found.add(path)
        imported = (file for name in _imports(path) for file in _files_of(name, root))
        waiting |= set(imported) - found
    digest = hashlib.sha256()
    for path in sorted(found | {f for p in found for f in _beside(p.parent)}):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(_content(path))
    return digest.hexdigest()


def _files_of(name: str, root: Path) -> list[Path]:
    """The module that holds a name, and the packages on the way to it."""
    folder = root
    files: list[Path] = []
    for part in name.split("."):
        module, package = folder / f"{part}.py", folder / part / "__init__.py"
        if module.is_file():
            return [*files, module]
        if not package.is_file():
            break
        folder, files = folder / part, [*files, package]
    return files


@functools.cache
def _imports(path: Path) -> frozenset[str]:
    """Names of ours that a module imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(_content(path), str(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(name for name in names if name.split(".")[0] in _PACKAGES)


@functools.cache
def _beside(folder: Path) -> frozenset[Path]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return frozenset(path for path in files if path.suffix not in (".py", ".pyc"))


@functools.cache
def _content(path: Path) -> bytes:
    return path.read_bytes()
