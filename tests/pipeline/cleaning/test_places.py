"""Which folder an artifact lies in, and which of them go."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cleaning.places import place_of, unneeded


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("/var/demo/tfx/Bundle/model/26", "Bundle/model/26"),
        ("/tfx/demo/tfx/Bundle/model/26", "Bundle/model/26"),  # a home of that name
        ("/var/demo/tfx/refit/Bundle/model/57", "refit/Bundle/model/57"),
        ("/var/demo/tfx/Count/number/8/value", "Count/number/8"),
        ("/var/demo/tfx/Bundle", ""),
        ("/elsewhere/model", ""),
    ],
)
def test_a_place_is_what_follows_tfx(uri: str, place: str) -> None:
    assert place_of(uri) == place


def test_only_folders_of_executions_go(tmp_path: Path) -> None:
    for path in (
        "Bundle/model/26/Format-Serving",
        "Bundle/model/84",
        "Bundle/model/mine",  # TFX names them by number
        "Bundle/.system/executor_execution/84/.temp",
        "refit/Bundle/model/57",
        "refit/Bundle/model/90",
        "notes",
    ):
        (tmp_path / path).mkdir(parents=True)
    (tmp_path / "Bundle/model/99").symlink_to(tmp_path / "notes")
    found = unneeded(tmp_path, frozenset({"Bundle/model/84", "refit/Bundle/model/90"}))
    assert {(step, str(path.relative_to(tmp_path))) for step, path in found} == {
        ("Bundle", "Bundle/model/26"),
        ("Bundle", "Bundle/.system/executor_execution/84"),
        ("refit/Bundle", "refit/Bundle/model/57"),
    }
    assert not list(unneeded(tmp_path / "none", frozenset()))
