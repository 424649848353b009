"""What items have in common: category, its first level, brand, price band."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core import features

IntArray = npt.NDArray[np.int32]

CATEGORY = "category"


def item_facets(
    items: pa.Table, prices: npt.NDArray[np.float32]
) -> dict[str, IntArray]:
    """Ids per item of category, its first level, brand and price band (0 = unknown)."""
    facets: dict[str, IntArray] = {}
    if features.CATEGORY in items.column_names:
        paths = items.column(features.CATEGORY).to_pylist()
        facets[CATEGORY] = _ids(paths)
        firsts = [p.split(features.CATEGORY_SEPARATOR)[0] if p else None for p in paths]
        facets["department"] = _ids(firsts)
    if features.BRAND in items.column_names:
        facets["brand"] = _ids(items.column(features.BRAND).to_pylist())
    known = np.isfinite(prices) & (prices > 0)
    if known.any():
        edges = np.quantile(prices[known], np.linspace(0, 1, 11)[1:-1])
        bands = np.searchsorted(edges, np.where(known, prices, 0.0), side="right") + 1
        facets["price_band"] = np.where(known, bands, 0).astype(np.int32)
    return {name: ids for name, ids in facets.items() if len(np.unique(ids)) > 1}


def _ids(values: list[str | None]) -> IntArray:
    names = {v: i + 1 for i, v in enumerate(sorted({v for v in values if v}))}
    return np.asarray([names[v] if v else 0 for v in values], np.int32)
