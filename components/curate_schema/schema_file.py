"""The curated schema on disk: a text proto that tells whether someone edited it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from core.errors import InputDataError
from core.whole_file import whole_file

_MARK = "# generated-sha256: "
_HEADER = (
    "# Schema of a shop's table; the data gate holds every run against it.\n"
    "# Edit freely: an edited file is never overwritten. docs/data-validation.md\n"
)


def write(path: Path, schema: schema_pb2.Schema) -> None:
    """Writes the schema as generated, not as edited; complete before visible."""
    body = text_format.MessageToString(schema, as_utf8=True)
    text = f"{_HEADER}{_MARK}{_digest(body)}\n{body}"
    with whole_file(path) as hidden:
        hidden.write_text(text, encoding="utf-8")


def read(path: Path) -> schema_pb2.Schema:
    """The schema in the file.

    Raises:
      InputDataError: the file is not a schema.
    """
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), schema_pb2.Schema())
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise InputDataError(
            f"`{path}` must be a tensorflow_metadata Schema as text. "
            f"Received: {error}. "
            "Correct that line, or delete the file and run with --no-cache, which "
            "writes it anew."
        ) from error


def edited_fingerprint(path: Path) -> str:
    """Digest of an edited file; "" where there is none or it is as generated.

    Generated files count as absent so that the second run, which finds the file that
    the first one wrote, has the same cache key as the first.
    """
    if not path.is_file():
        return ""
    text = path.read_text(encoding="utf-8", errors="replace")
    head, marked, rest = text.partition(_MARK)
    digest, _, body = rest.partition("\n")
    if marked and head == _HEADER and digest == _digest(body):
        return ""
    return _digest(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
