"""A step's digest follows the code that it runs, and no other."""

from pathlib import Path

import pytest
from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2

from pipeline.local import step_code

FILES = {
    "core/__init__.py": "",
    "core/far.py": "VALUE = 1\n",
    "core/apart.py": "VALUE = 1\n",
    "components/__init__.py": "",
    "components/make/__init__.py": "FIRST = 1\n",
    "components/make/door.py": (
        "import numpy\n"
        "def work():\n"
        "    from components.make import near\n"
        "    return near\n"
    ),
    "components/make/near.py": "from core.far import (\n    VALUE,\n)\n",
    "components/make/page.html": "<p>",
}
DOOR = "components.make.door.work"


def digest_with(folder: Path, changes: dict[str, str], names: list[str]) -> str:
    for name, text in (FILES | changes).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return step_code.code_digest(names, folder)


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ("components/make/door.py", True),
        ("components/make/near.py", True),  # imported inside a function
        ("core/far.py", True),  # imported by what is imported
        ("components/make/__init__.py", True),
        ("components/make/page.html", True),
        ("core/apart.py", False),
    ],
)
def test_what_a_module_imports_counts(tmp_path, changed, counts) -> None:
    before = digest_with(tmp_path / "a", {}, [DOOR])
    after = digest_with(tmp_path / "b", {changed: "VALUE = 2\n"}, [DOOR])
    assert (before != after) == counts


def test_equal_files_have_equal_digests_wherever_they_lie(tmp_path) -> None:
    names = [DOOR, "core.apart", "core.nothing"]
    assert digest_with(tmp_path / "a", {}, names) == digest_with(
        tmp_path / "b", {}, names[::-1]
    )


@pytest.mark.parametrize("kind", ["python", "beam"])
def test_doors_named_in_parameters_count(kind) -> None:
    def flags(text: str) -> list[str]:
        node = pipeline_pb2.PipelineNode()
        value = node.parameters.parameters["custom_config"].field_value
        value.string_value = text
        spec = executable_spec_pb2.PythonClassExecutableSpec(class_path="tfx.Executor")
        if kind == "beam":
            spec = executable_spec_pb2.BeamExecutableSpec(python_executor_spec=spec)
        step_code.add_code_digest(spec, node)
        return list(getattr(spec, "python_executor_spec", spec).extra_flags)

    door = '{"run_fn": "trainer.ranker_module.run_fn"}'
    of_door = step_code.code_digest(["trainer.ranker_module"])
    assert flags(door) == [f"--souk_code={of_door}"]
    assert flags("") == [f"--souk_code={step_code.code_digest([])}"] != flags(door)
