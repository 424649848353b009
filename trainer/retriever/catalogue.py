"""The items artifact as arrays: ids by catalogue row, features of the item tower."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core import features
from core.errors import ArtifactError
from trainer.data import examples
from trainer.preprocessing import names
from trainer.retriever.transformed import ITEM_COLUMNS, transform_table

if TYPE_CHECKING:
    import tensorflow_transform as tft

ITEM_FEATURES = (
    names.ITEM_ID,
    names.CATEGORY,
    names.BRAND,
    names.PRICE_BUCKET,
    names.LOG_PRICE,
    names.TITLE_TOKENS,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Catalogue:
    """n items in catalogue order; row n stands for padding and unknown items."""

    item_ids: pa.Array  # [n] string, byte order
    item_features: dict[str, np.ndarray]  # transformed, [n + 1, ...]; row n is zeros

    @property
    def num_items(self) -> int:
        return len(self.item_ids)

    def rows_of(self, item_ids: pa.Array) -> np.ndarray:
        """Catalogue rows, `num_items` for ids that the catalogue lacks.

        Args:
          item_ids: [m] string array, large or not.

        Returns:
          [m] int32.
        """
        rows = pc.index_in(item_ids.cast(pa.string()), value_set=self.item_ids)
        return rows.fill_null(self.num_items).to_numpy(zero_copy_only=False)


def with_text(catalogue: Catalogue, item_vectors: np.ndarray) -> Catalogue:
    """The catalogue with the text encoder's vectors [n, text_dim] as a feature."""
    padded = np.concatenate([item_vectors, np.zeros_like(item_vectors[:1])])
    features_ = {**catalogue.item_features, names.TEXT_VECTOR: padded}
    return dataclasses.replace(catalogue, item_features=features_)


def read_catalogue(uri: str, transform: tft.TFTransformOutput) -> Catalogue:
    """The catalogue of an `items` artifact, transformed.

    Args:
      uri: `items` Examples, one split `train` sorted by item id.
      transform: the Transform step's graph.

    Raises:
      ArtifactError: the artifact holds no item.
    """
    table = examples.read_split(uri, "train")
    if table.num_rows == 0:
        raise ArtifactError(
            f"`items` must hold at least one item. Received: none in {uri}. "
            "Look at the Clean step's rejected rows."
        )
    columns = [name for name in ITEM_COLUMNS if name in table.column_names]
    return make_catalogue(table.select(columns), transform)


def make_catalogue(table: pa.Table, transform: tft.TFTransformOutput) -> Catalogue:
    """As `read_catalogue`, from the table itself."""
    transformed = transform_table(transform, table)
    padded = {
        name: np.concatenate([values, np.zeros_like(values[:1])])
        for name, values in transformed.items()
        if name in ITEM_FEATURES
    }
    ids = table.column(features.ITEM_ID).combine_chunks()
    ids = ids.chunk(0) if isinstance(ids, pa.ChunkedArray) else ids
    return Catalogue(item_ids=ids.cast(pa.string()), item_features=padded)
