"""Which blessed model a new one is measured beside."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.comparable import is_comparable
from components.comparable_models import LatestComparableModel

TEST_START = 1_700_000_000


def bundle(folder: Path, **facts: Any) -> Path:
    values = {"as_of": TEST_START, "shop": {"event_types": ["view", "purchase"]}}
    folder.mkdir(parents=True)
    (folder / "souk.json").write_text(json.dumps({**values, **facts}))
    return folder


@pytest.mark.parametrize(
    ("facts", "comparable"),
    [
        ({}, True),
        ({"as_of": TEST_START - 1}, True),
        ({"as_of": TEST_START + 1}, False),  # it has seen the answers
        ({"shop": {"event_types": ["view"]}}, False),  # it answers something else
    ],
)
def test_a_model_is_compared_on_what_it_did_not_see(
    tmp_path: Path, facts: dict[str, Any], comparable: bool
) -> None:
    folder = bundle(tmp_path / "model", **facts)
    assert is_comparable(folder, "purchase", TEST_START) is comparable


def test_a_folder_that_is_gone_or_broken_is_not_compared(tmp_path: Path) -> None:
    assert not is_comparable(tmp_path / "gone", "purchase", TEST_START)
    folder = bundle(tmp_path / "broken")
    (folder / "souk.json").write_text("{")
    assert not is_comparable(folder, "purchase", TEST_START)


def test_the_newest_comparable_blessed_model_is_found(tmp_path: Path) -> None:
    models, blessings = [], []
    for number, as_of in ((1, 0), (2, 0), (3, 0), (4, 1)):
        model = standard_artifacts.Model()
        model.uri, model.id = str(tmp_path / str(number)), number
        bundle(Path(path_utils.serving_model_dir(model.uri)), as_of=TEST_START + as_of)
        blessing = standard_artifacts.ModelBlessing()
        blessing.set_int_custom_property("blessed", int(number != 3))
        blessing.set_int_custom_property("current_model_id", number)
        models.append(model)
        blessings.append(blessing)
    strategy = LatestComparableModel("purchase", TEST_START)

    def found() -> list[int]:
        given = {"model": list(models), "model_blessing": list(blessings)}
        resolved = strategy.resolve_artifacts(None, given)
        assert resolved is not None
        assert len(resolved["model_blessing"]) == len(resolved["model"])
        return [model.id for model in resolved["model"]]

    assert found() == [2]  # 4 has seen the test, 3 was refused
    shutil.rmtree(models[1].uri)
    assert found() == [1]
    shutil.rmtree(models[0].uri)
    assert found() == []
