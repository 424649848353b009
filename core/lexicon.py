"""The lexicon beside a served model: the shop's words, queries and phrases.

A folder of gzipped JSON lines, one file per kind of row, and `manifest.json`, which is
written last. `components/bundle/lexicon.py` makes it, `serving/suggest` reads it.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import operator
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from core.errors import UNREADABLE, ArtifactError

# Where it lies below the SavedModel; TensorFlow Serving passes `assets.extra` by.
LEXICON_PATH = Path("assets.extra") / "suggest"
MANIFEST = "manifest.json"
FORMAT = 1

QUERY, CATEGORY, BRAND, TITLE = "query", "category", "brand", "title"

RowT = TypeVar("RowT")


@dataclasses.dataclass(frozen=True, slots=True)
class Term:
    """An index term: in how many items it stands, in how many searches."""

    term: str
    items: int
    queries: int


@dataclasses.dataclass(frozen=True, slots=True)
class Word:
    """A correctly written word (or run of ideographs) and the term it becomes."""

    word: str
    term: str  # '' for ideographs and stop words
    items: int
    queries: int


@dataclasses.dataclass(frozen=True, slots=True)
class Pair:
    """Two words that stood side by side, `count` times in titles and searches."""

    first: str
    second: str
    count: int


@dataclasses.dataclass(frozen=True, slots=True)
class Query:
    """A query that several people typed."""

    query: str
    count: int  # searches
    users: int
    clicks: int  # searches that led to a click, cart or purchase
    last_seen: int  # seconds, UTC
    weight: float  # searches, more for clicked ones, less for old ones
    category: str  # of most of what was clicked; '' where nothing was


@dataclasses.dataclass(frozen=True, slots=True)
class Phrase:
    """A title, category or brand to complete to."""

    text: str
    kind: str  # CATEGORY, BRAND or TITLE
    weight: float  # what people did with its items, less for old events
    category: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lexicon:
    """All that suggestions and spelling know of a shop, as of one time."""

    as_of: int  # seconds, UTC; nothing later was read
    terms: tuple[Term, ...] = ()
    words: tuple[Word, ...] = ()
    pairs: tuple[Pair, ...] = ()
    queries: tuple[Query, ...] = ()
    phrases: tuple[Phrase, ...] = ()

    def save(self, folder: Path) -> Path:
        """Writes the files; the same lexicon gives the same bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in _KINDS:
            _write(folder / f"{name}.jsonl.gz", getattr(self, name))
        manifest = {
            "format": FORMAT,
            "as_of": self.as_of,
            "rows": {name: len(getattr(self, name)) for name in _KINDS},
        }
        text = json.dumps(manifest, indent=2, sort_keys=True)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
        return folder

    @classmethod
    def load(cls, folder: Path) -> Lexicon:
        """The lexicon that `save` wrote.

        Raises:
          ArtifactError: a file is missing, not whole, or of another format.
        """
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            if manifest["format"] != FORMAT:
                raise ArtifactError(
                    f"`{folder / MANIFEST}` must have format {FORMAT}. Received: "
                    f"{manifest['format']!r}. Build the bundle with this version."
                )
            rows: dict[str, Any] = {
                name: _read(folder / f"{name}.jsonl.gz", row, manifest["rows"][name])
                for name, row in _KINDS.items()
            }
            return cls(as_of=int(manifest["as_of"]), **rows)
        except (*UNREADABLE, KeyError, TypeError) as error:
            raise ArtifactError(
                f"`{folder}` must hold a lexicon: {MANIFEST} and "
                f"{', '.join(_KINDS)} as .jsonl.gz. Received: {error!r}. "
                "Run the Bundle step again."
            ) from error


_KINDS: dict[str, type] = {
    "terms": Term,
    "words": Word,
    "pairs": Pair,
    "queries": Query,
    "phrases": Phrase,
}


def _write(path: Path, rows: Iterable[Any]) -> None:
    """A list of values a line; the first line names them."""
    row_type = _KINDS[path.name.partition(".")[0]]
    names = [field.name for field in dataclasses.fields(row_type)]
    values = operator.attrgetter(*names)
    lines = [json.dumps(names), *(_line(values(row)) for row in rows)]
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as file:
        file.write(("\n".join(lines) + "\n").encode())


def _line(values: tuple[Any, ...]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def _read(path: Path, row_type: type[RowT], count: int) -> tuple[RowT, ...]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        names = json.loads(next(file, ""))
        rows = tuple(
            row_type(**dict(zip(names, json.loads(line), strict=True))) for line in file
        )
    if len(rows) != count:
        raise ValueError(f"{path.name} has {len(rows)} rows, the manifest {count}")
    return rows
