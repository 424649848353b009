from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import ArtifactError
from core.lexicon import MANIFEST, Lexicon
from tests.serving.suggest.worlds import gift_shop


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    lexicon = gift_shop()

    assert Lexicon.load(lexicon.save(tmp_path)) == lexicon


def test_the_same_lexicon_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (gift_shop().save(tmp_path / name) for name in "ab")
    names = sorted(path.name for path in first.iterdir())

    assert MANIFEST in names
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_an_empty_lexicon_is_one(tmp_path: Path) -> None:
    assert Lexicon.load(Lexicon(as_of=7).save(tmp_path)) == Lexicon(as_of=7)


def test_a_missing_or_cut_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="must hold a lexicon"):
        Lexicon.load(tmp_path)
    words = gift_shop().save(tmp_path) / "words.jsonl.gz"
    words.write_bytes(words.read_bytes()[:40])
    with pytest.raises(ArtifactError, match="must hold a lexicon"):
        Lexicon.load(tmp_path)


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = gift_shop().save(tmp_path) / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))

    with pytest.raises(ArtifactError, match=r"format 1.*99"):
        Lexicon.load(tmp_path)
