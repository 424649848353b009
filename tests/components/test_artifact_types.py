"""Artifact types can be found by the only thing a container is told: their names."""

from __future__ import annotations

import importlib

import pytest
from tfx.orchestration.kubeflow.v2 import compiler_utils

import components


@pytest.mark.parametrize("name", components.ARTIFACT_MODULES)
def test_the_name_of_a_type_is_where_it_is_imported_from(name: str) -> None:
    found = getattr(components, name)
    assert found is getattr(
        importlib.import_module(components.ARTIFACT_MODULES[name]), name
    )
    assert f"components.{name}" == found.TYPE_NAME
    # TFX's own rule for names on Kubeflow; it raises on any other.
    assert f"title: components.{name}" in compiler_utils.get_artifact_schema(found)


def test_other_names_are_no_attributes() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = components.Nothing
