"""Examples → clean Examples, rejected rows and a summary."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components import data_artifacts
from components.clean import clean_tables
from components.clean.split_events import SPLITS, split_events
from core.config.clean import CleanConfig
from core.config.shop import ShopConfig
from core.config.splits import SplitConfig
from core.features import SECONDS_PER_DAY
from core.progress import say
from trainer.data import examples

ITEMS_SPLIT = "train"
_ROWS_PER_SHARD = 250_000


class Executor(base_executor.BaseExecutor):
    """Reads both raw tables, cleans them, writes four artifacts."""

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
        raw_events = (input_dict.get("raw_events") or [None])[0]
        raw_items = artifact_utils.get_single_instance(input_dict["raw_items"])
        config = CleanConfig.from_json(exec_properties["config"])
        cleaned = clean_tables.clean_tables(
            examples.read_split(raw_items.uri, ITEMS_SPLIT),
            raw_events and examples.read_split(raw_events.uri, "train"),
            ShopConfig.from_json(exec_properties["shop"]),
            config,
            config.latest_timestamp or end_of_day(time.time()),
        )
        if raw_events:
            parts = split_events(cleaned.events, splits)
        else:
            parts = dict.fromkeys(SPLITS, cleaned.events)
        outputs = {key: found[0] for key, found in output_dict.items()}
        examples.write_split(outputs["items"].uri, ITEMS_SPLIT, cleaned.items)
        data_artifacts.mark_as_parquet(outputs["items"], [ITEMS_SPLIT], raw_items.span)
        for name, part in parts.items():
            shards = -(-part.num_rows // _ROWS_PER_SHARD)
            examples.write_split(outputs["events"].uri, name, part, shards)
        span = (raw_events or raw_items).span
        data_artifacts.mark_as_parquet(outputs["events"], SPLITS, span)
        adapter = _adapter_rejected(exec_properties["adapter_rejected"])
        _write_rejected(outputs["rejected"].uri, adapter, cleaned.rejected)
        summary = _summary(cleaned, parts, adapter)
        _write_json(outputs["summary"].uri, data_artifacts.SUMMARY_FILE, summary)
        say("Clean", _in_words(summary))


def _in_words(summary: dict[str, Any]) -> str:
    """Rows kept and rejected of both tables, the adapter's rejections included."""
    items, events = summary["items"], summary["events"]
    rejected = sum(summary["adapter"]["rejected"].values())
    rejected += sum(table["rows_in"] - table["rows_out"] for table in (items, events))
    return (
        f"{events['rows_out']:,} events of {items['rows_out']:,} items kept, "
        f"{rejected:,} rows rejected"
    )


def end_of_day(now: float) -> int:
    """Last second of the UTC day that holds `now`."""
    return (int(now) // SECONDS_PER_DAY + 1) * SECONDS_PER_DAY - 1


def _adapter_rejected(path: str) -> pa.Table:
    if path and Path(path).is_file():
        table = pq.read_table(path, columns=clean_tables.REJECTED_SCHEMA.names)
        return table.cast(clean_tables.REJECTED_SCHEMA)
    return clean_tables.REJECTED_SCHEMA.empty_table()


def _write_rejected(uri: str, adapter: pa.Table, cleaned: pa.Table) -> None:
    folder = Path(uri)
    folder.mkdir(parents=True, exist_ok=True)
    rows = pa.concat_tables([adapter, cleaned])
    pq.write_table(rows, folder / data_artifacts.REJECTED_FILE)


def _write_json(uri: str, name: str, values: dict[str, Any]) -> None:
    folder = Path(uri)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(values, indent=2, ensure_ascii=False)
    (folder / name).write_text(text, encoding="utf-8")


def _summary(
    cleaned: clean_tables.CleanTables, parts: dict[str, pa.Table], adapter: pa.Table
) -> dict[str, Any]:
    times = cleaned.events.column("timestamp").to_numpy()
    users = cleaned.events.column("user_id").unique()
    events = cleaned.summary["events"] | {
        "splits": {name: part.num_rows for name, part in parts.items()},
        "users": len(users),
        # None: the shop has no log.
        "first_timestamp": int(times.min()) if len(times) else None,
        "last_timestamp": int(times.max()) if len(times) else None,
    }
    reasons = Counter(adapter.column("reason").to_pylist())
    return {
        "items": cleaned.summary["items"],
        "events": events,
        "adapter": {"rejected": dict(reasons.most_common())},
    }
