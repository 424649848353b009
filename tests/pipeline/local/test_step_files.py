"""What a step reads by name is part of its cache key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2

from pipeline.local.step_files import add_file_digest, digest_of


def flags(step: str, **parameters: str) -> list[str]:
    node = pipeline_pb2.PipelineNode()
    node.node_info.id = step
    for name, value in parameters.items():
        node.parameters.parameters[name].field_value.string_value = value
    spec = executable_spec_pb2.BeamExecutableSpec()
    add_file_digest(spec, node)
    return list(spec.python_executor_spec.extra_flags)


def test_other_rejected_rows_are_other_input(tmp_path: Path) -> None:
    file = tmp_path / "rejected.parquet"
    none = flags("Clean", adapter_rejected=str(file))
    file.write_bytes(b"200 rows")
    some = flags("Clean", adapter_rejected=str(file))
    file.write_bytes(b"201 rows")
    others = flags("Clean", adapter_rejected=str(file))

    assert len({*none, *some, *others}) == 3
    file.write_bytes(b"200 rows")
    assert flags("Clean", adapter_rejected=str(file)) == some


def test_other_weights_in_the_same_folder_are_other_input(tmp_path: Path) -> None:
    config = json.dumps({"preset": str(tmp_path)})
    (tmp_path / "model.safetensors").write_bytes(b"a")
    first = flags("TextEncoder", config=config)
    (tmp_path / "model.safetensors").write_bytes(b"b")

    assert flags("TextEncoder", config=config) != first
    assert flags("TextEncoder", config=json.dumps({"preset": ""})) == ["--souk_files="]
    assert flags("Ranker", config=config) == []


@pytest.mark.parametrize("names", [("a", "b"), ("ab", "")])
def test_a_folder_is_its_names_and_its_files(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    for number, texts in enumerate((names, ("a", "b"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, text in zip("xy", texts, strict=True):
            (folder / name).write_text(text)

    same = digest_of(str(tmp_path / "0")) == digest_of(str(tmp_path / "1"))
    assert same == (names == ("a", "b"))
