"""The text that stands for an item."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from core import features

# The most telling first: what is beyond the encoder's `max_item_tokens` is cut.
COLUMNS = (
    features.TITLE,
    features.BRAND,
    features.CATEGORY,
    features.DESCRIPTION,
)
# Longer texts are cut before the tokenizer sees them; no encoder reads that far.
_MAX_CHARACTERS = 4_000


def item_texts(items: pa.Table) -> list[str]:
    """[n] title, brand, category levels, description; absent ones are left out.

    A brand that the title names already is not repeated.

    Args:
      items: canonical items table; any of `COLUMNS` may be absent or null.
    """
    columns = {
        name: items.column(name).to_pylist()
        for name in COLUMNS
        if name in items.column_names
    }
    return [
        item_text({name: values[row] for name, values in columns.items()})
        for row in range(items.num_rows)
    ]


def item_text(item: dict[str, Any]) -> str:
    """The text of one item.

    >>> item_text({"title": "Nordal Jug", "brand": "Nordal", "category": "Home > Jugs"})
    'Nordal Jug. Home, Jugs'
    """
    values = {name: str(item.get(name) or "").strip() for name in COLUMNS}
    # `lower`, which the graph has too, not `casefold`: trainer/export/item_texts.py.
    if values[features.BRAND].lower() in values[features.TITLE].lower():
        values[features.BRAND] = ""
    levels = values[features.CATEGORY].split(features.CATEGORY_SEPARATOR)
    values[features.CATEGORY] = ", ".join(filter(None, levels))
    text = ". ".join(value for value in values.values() if value)
    return text[:_MAX_CHARACTERS]
