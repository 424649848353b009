"""Resolves span and version, and fingerprints files by content, not by date."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tfx.components.example_gen import driver, input_processor
from tfx.orchestration import data_types
from tfx.proto import example_gen_pb2, range_config_pb2

from core.errors import InputDataError

_CHUNK_BYTES = 1 << 20


class Driver(driver.FileBasedDriver):  # type: ignore[misc]
    """A FileBasedDriver whose cache survives files that were written again."""

    def get_input_processor(
        self,
        splits: Iterable[example_gen_pb2.Input.Split],
        range_config: range_config_pb2.RangeConfig | None = None,
        input_base_uri: str | None = None,
    ) -> input_processor.InputProcessor:
        return _ContentProcessor(input_base_uri or ".", splits, range_config)

    def resolve_exec_properties(
        self,
        exec_properties: dict[str, Any],
        pipeline_info: data_types.PipelineInfo,
        component_info: data_types.ComponentInfo,
    ) -> dict[str, Any]:
        base = exec_properties.get("input_base")
        try:
            resolved = super().resolve_exec_properties(
                exec_properties, pipeline_info, component_info
            )
        except ValueError as error:
            raise InputDataError(
                f"Files below `{base}` must match the input pattern's SPAN and "
                f"VERSION. Received: {error} Check --data and the pattern."
            ) from error
        return dict(resolved)


class _ContentProcessor(input_processor.FileBasedInputProcessor):  # type: ignore[misc]
    """Fingerprint = SHA-256 over the names and bytes of the matched files."""

    def get_input_fingerprint(self, span: int, version: int | None) -> str:
        digest = hashlib.sha256()
        base = Path(self._input_base_uri)
        for split in self._splits:
            pattern = self.get_pattern_for_span_version(split.pattern, span, version)
            for path in sorted(base.glob(pattern)):
                digest.update(f"{split.name}/{path.relative_to(base)}".encode())
                _update(digest, path)
        return digest.hexdigest()


def _update(digest: Any, path: Path) -> None:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
