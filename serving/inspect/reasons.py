"""Why an op stays on the host: what is meant to be there, and what is not."""

from __future__ import annotations

from fnmatch import fnmatch

STRING = "strings live in host memory"
POSTINGS = "lists of unequal length; `LexicalConfig.form` = segment has GPU kernels"
NO_KERNEL = "TensorFlow has no GPU kernel for these types"
# By design: pattern of the op's name -> why.
BY_DESIGN = {
    "*HashTable*": "look-ups of strings run on the host",
    "LookupTable*": "look-ups of strings run on the host",
    "InitializeTable*": "look-ups of strings run on the host",
    "String*": STRING,
    "StaticRegex*": STRING,
    "Regex*": STRING,
    "Unicode*": STRING,
    "Substr": STRING,
    "UnsortedSegmentJoin": STRING,
    "ReduceJoin": STRING,
    "AsString": STRING,
    "ParseExample*": "a serialized tf.Example is bytes",
    "DecodeRaw": "bytes live in host memory",
    "RaggedBincount": POSTINGS,
    "RaggedGather": POSTINGS,
    "Ragged*": "words of unequal number, before they are padded",
}


def reason(op: str, *, has_strings: bool) -> str:
    """Why an op without a GPU kernel is where it is."""
    for pattern, why in BY_DESIGN.items():
        if fnmatch(op, pattern):
            return why
    return STRING if has_strings else NO_KERNEL
