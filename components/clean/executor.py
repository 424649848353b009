"""Examples → clean Examples, rejected rows and a summary."""

from __future__ import annotations

import copy
import json
import shutil
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from components import arrow_elements, data_artifacts
from components.clean import clean_tables, clip_events, denormalize
from components.clean.clean_in_beam import CleanEvents, CleanTask, user_boundaries
from components.clean.split_events import SPLITS, require_train
from components.json_file import write_json
from core.config.clean import CleanConfig
from core.config.shop import ShopConfig
from core.config.splits import SplitConfig
from core.features import SECONDS_PER_DAY
from core.progress import counted, say
from trainer.data import examples

# What is counted of the events of a shop without a log.
NO_EVENTS: dict[str, Any] = {
    "rows_in": 0,
    "rows_out": 0,
    "rejected": {},
    "winsorized": dict.fromkeys(clip_events.NO_VALUES, 0),
    "splits": dict.fromkeys(SPLITS, 0),
    "users": 0,
    "first_timestamp": None,
    "last_timestamp": None,
}
ITEMS_SPLIT = "train"
RAW_SPLIT = "train"
_ITEMS_FILE = "items.parquet"


class Executor(base_beam_executor.BaseBeamExecutor):
    """Cleans the catalogue here and the events in Beam; writes four artifacts."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Cleans, denormalizes and splits.

        Args:
          input_dict:
            - raw_items: Examples, split `train`.
            - raw_events: likewise; absent where the shop has no log.
          output_dict:
            - items: Examples, split `train`, sorted by item_id.
            - events: Examples, splits `train`, `eval`, `test`; without rows where the
              shop has no log.
            - rejected: RejectedRows.
            - summary: CleanSummary.
          exec_properties:
            - shop, splits, config: JSON of ShopConfig, SplitConfig, CleanConfig.
            - adapter_rejected: Parquet file of the rows the shop's adapter rejected;
              "" or an absent file where there are none.

        Raises:
          InputDataError: no item is left, or of a log no event of the train period.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        splits = SplitConfig.from_json(exec_properties["splits"])
        shop = ShopConfig.from_json(exec_properties["shop"])
        config = CleanConfig.from_json(exec_properties["config"])
        raw_events = (input_dict.get("raw_events") or [None])[0]
        raw_items = artifact_utils.get_single_instance(input_dict["raw_items"])
        outputs = {key: found[0] for key, found in output_dict.items()}
        raw = examples.read_split(raw_items.uri, ITEMS_SPLIT)
        items, rejected = _clean_items(raw, raw_items.span, outputs["items"])
        uri = outputs["events"].uri
        staging = Path(uri) / ".staging"
        staging.mkdir(parents=True)
        counts = NO_EVENTS
        if raw_events:
            pq.write_table(items, staging / _ITEMS_FILE)
            task = CleanTask(
                items_path=str(staging / _ITEMS_FILE),
                out_uri=uri,
                boundaries=_boundaries(raw_events.uri, config),
                shop=shop,
                splits=splits,
                config=config,
                latest_timestamp=config.latest_timestamp or end_of_day(time.time()),
            )
            counts = self._clean_events(task, raw_events.uri)
        examples.fill_empty_splits(uri, SPLITS, _events_schema(items, shop))
        data_artifacts.mark_as_parquet(
            outputs["events"], SPLITS, (raw_events or raw_items).span
        )
        adapter = _adapter_rejected(exec_properties["adapter_rejected"])
        parts = sorted(staging.glob("rejected-*.parquet"))
        _write_rejected(outputs["rejected"].uri, [adapter, rejected], parts)
        shutil.rmtree(staging)
        summary = {
            "items": clean_tables.counts(raw, items, rejected),
            "events": counts,
            "adapter": {"rejected": _by_table(adapter)},
        }
        folder = Path(outputs["summary"].uri)
        write_json(folder / data_artifacts.SUMMARY_FILE, summary)
        say("Clean", _in_words(summary))

    def _clean_events(self, task: CleanTask, raw_uri: str) -> dict[str, Any]:
        """Runs the Beam pipeline; what it counted, over all buckets.

        Raises:
          InputDataError: no event is left, or none of the train period.
        """
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "RowGroups"
                >> beam.Create(arrow_elements.row_groups(raw_uri, [RAW_SPLIT]))
                | "CleanEvents" >> CleanEvents(task)
            )
        files = sorted((Path(task.out_uri) / ".staging").glob("counts-*.json"))
        counts = add_counts(json.loads(file.read_text("utf-8")) for file in files)
        reasons = Counter(counts["rejected"])
        clean_tables.require_rows(counts["rows_out"], reasons, "events")
        first, last = counts["first_timestamp"], counts["last_timestamp"]
        require_train(counts["splits"], first, last, task.splits)
        return counts


def _clean_items(
    raw: pa.Table, span: int, output: types.Artifact
) -> tuple[pa.Table, pa.Table]:
    """The clean catalogue, also written to its artifact, and the rejected rows.

    Raises:
      InputDataError: no item is left.
    """
    items, rejected = clean_tables.clean_items(raw)
    reasons = clean_tables.rejected_reasons(rejected)
    clean_tables.require_rows(items.num_rows, reasons, "items")
    examples.write_split(output.uri, ITEMS_SPLIT, items)
    data_artifacts.mark_as_parquet(output, [ITEMS_SPLIT], span)
    return items, rejected


def _events_schema(items: pa.Table, shop: ShopConfig) -> pa.Schema:
    """Columns of clean events, known without any."""
    context = shop.context_features
    none = clean_tables.no_events(context)
    rows = np.zeros(0, np.int64)
    return denormalize.denormalized(none, items, rows, context).schema


def add_counts(buckets: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Counts over all buckets of users; of none, `NO_EVENTS`."""
    total = copy.deepcopy(NO_EVENTS)
    reasons: Counter[str] = Counter()
    for bucket in buckets:
        for name in ("rows_in", "rows_out", "users"):
            total[name] += bucket[name]
        for name in ("winsorized", "splits"):
            for key, count in bucket[name].items():
                total[name][key] += count
        reasons.update(bucket["rejected"])
        for name, choose in (("first_timestamp", min), ("last_timestamp", max)):
            found = [t for t in (total[name], bucket[name]) if t is not None]
            total[name] = choose(found) if found else None
    return total | {"rejected": dict(reasons.most_common())}


def _boundaries(raw_uri: str, config: CleanConfig) -> tuple[str, ...]:
    groups = arrow_elements.row_groups(raw_uri, [RAW_SPLIT])
    rows = arrow_elements.num_rows(raw_uri, [RAW_SPLIT])
    return user_boundaries(groups, -(-rows // config.events_per_bucket))


def _in_words(summary: dict[str, Any]) -> str:
    """Rows kept and rejected of both tables, the adapter's rejections included."""
    items, events = summary["items"], summary["events"]
    by_table = summary["adapter"]["rejected"].values()
    rejected = sum(count for reasons in by_table for count in reasons.values())
    rejected += sum(table["rows_in"] - table["rows_out"] for table in (items, events))
    return (
        f"{counted(events['rows_out'], 'event')} of "
        f"{counted(items['rows_out'], 'item')} kept, "
        f"{counted(rejected, 'row')} rejected"
    )


def end_of_day(now: float) -> int:
    """Last second of the UTC day that holds `now`."""
    return (int(now) // SECONDS_PER_DAY + 1) * SECONDS_PER_DAY - 1


def _adapter_rejected(path: str) -> pa.Table:
    if path and Path(path).is_file():
        table = pq.read_table(path, columns=clean_tables.REJECTED_SCHEMA.names)
        return table.cast(clean_tables.REJECTED_SCHEMA)
    return clean_tables.REJECTED_SCHEMA.empty_table()


def _by_table(rejected: pa.Table) -> dict[str, dict[str, int]]:
    """Table -> reason -> rows."""
    counts = rejected.group_by(["table", "reason"]).aggregate([("row", "count")])
    found: dict[str, dict[str, int]] = {}
    for each in counts.to_pylist():
        found.setdefault(each["table"], {})[each["reason"]] = each["row_count"]
    return found


def _write_rejected(uri: str, tables: list[pa.Table], parts: list[Path]) -> None:
    """The tables, then the files of the buckets, one at a time."""
    folder = Path(uri)
    folder.mkdir(parents=True, exist_ok=True)
    path, schema = folder / data_artifacts.REJECTED_FILE, clean_tables.REJECTED_SCHEMA
    with pq.ParquetWriter(path, schema) as writer:
        for table in tables:
            writer.write_table(table)
        for part in parts:
            writer.write_table(pq.read_table(part))
