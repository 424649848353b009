"""Round trips of the stored form, missing values and lists included."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import ArtifactError
from trainer.data import examples


@pytest.fixture
def table() -> pa.Table:
    return pa.table(
        {
            "user_id": pa.array(["a", None, "ü", ""]),
            "price": pa.array([1.5, None, -2.0, 0.0], pa.float32()),
            "timestamp": pa.array([1, 2, 3, None], pa.int64()),
            "history_item_ids": pa.array([["x"], [], ["y", "z"], []]),
            "history_timestamps": pa.array([[1], [], [2, 3], []]),
        }
    )


@pytest.mark.parametrize("num_shards", [1, 2, 3, 9])
def test_rows_return_in_order_with_their_missing_values(
    tmp_path: Path, table: pa.Table, num_shards: int
) -> None:
    examples.write_split(str(tmp_path), "train", table, num_shards=num_shards)
    files = list((tmp_path / "Split-train").iterdir())
    assert len(files) == min(num_shards, 4)
    assert examples.read_split(str(tmp_path), "train").to_pydict() == table.to_pydict()


def test_stored_form_is_what_tfx_reads(tmp_path: Path, table: pa.Table) -> None:
    examples.write_split(str(tmp_path), "train", table)
    stored = pq.read_table(next((tmp_path / "Split-train").iterdir()))
    assert stored.schema.field("user_id").type == pa.large_list(pa.large_binary())
    assert stored.schema.field("price").type == pa.large_list(pa.float32())
    assert stored.schema.field("timestamp").type == pa.large_list(pa.int64())
    assert stored.column("user_id").to_pylist()[:3] == [[b"a"], None, ["ü".encode()]]


def test_sliced_and_dictionary_columns_are_converted(table: pa.Table) -> None:
    sliced = table.slice(2, 1)
    stored = examples.to_examples(sliced)
    assert examples.from_examples(stored).to_pydict() == sliced.to_pydict()
    words = pa.table({"brand": pa.array(["p", "q", None]).dictionary_encode()})
    returned = examples.from_examples(examples.to_examples(words))
    assert returned.column("brand").to_pylist() == ["p", "q", None]
    assert returned.schema.field("brand").type == pa.string()


def test_empty_split_keeps_its_columns(tmp_path: Path, table: pa.Table) -> None:
    examples.write_split(str(tmp_path), "test", table.slice(0, 0), num_shards=3)
    returned = examples.read_split(str(tmp_path), "test")
    assert returned.num_rows == 0
    assert returned.column_names == table.column_names
    assert returned.schema.field("price").type == pa.float32()


def test_all_missing_column_returns_as_strings(tmp_path: Path) -> None:
    examples.write_split(str(tmp_path), "train", pa.table({"brand": pa.nulls(2)}))
    returned = examples.read_split(str(tmp_path), "train")
    assert returned.column("brand").to_pylist() == [None, None]


def test_columns_are_chosen_and_absent_ones_named(
    tmp_path: Path, table: pa.Table
) -> None:
    examples.write_split(str(tmp_path), "train", table)
    names = ["timestamp", "user_id"]
    assert (
        examples.read_split(str(tmp_path), "train", columns=names).column_names == names
    )
    with pytest.raises(ArtifactError, match="no column brand"):
        examples.read_split(str(tmp_path), "train", columns=["brand"])
    with pytest.raises(ArtifactError, match="at least one Parquet file"):
        examples.read_split(str(tmp_path), "eval")


def test_tfrecords_are_refused_by_name_with_what_writes_parquet(tmp_path: Path) -> None:
    folder = tmp_path / "Split-train"  # as TFX's CsvExampleGen leaves it
    folder.mkdir()
    (folder / "data_tfrecord-00000-of-00001.gz").write_bytes(b"")
    with pytest.raises(
        ArtifactError, match=r"Received: data_tfrecord-.*\.gz\..*with Ingest"
    ):
        examples.read_split(str(tmp_path), "train")
