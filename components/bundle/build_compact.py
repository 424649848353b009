"""The bundle once more, in fewer bytes: what is pushed where compression is on."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf

from components.bundle.build_bundle import STEP, BundleParts, assemble_bundle
from components.json_file import write_json
from core.config import ShopConfig, SplitConfig
from core.config.bundle import BundleConfig
from core.config.compress import CompressConfig
from core.config.funnel import FunnelConfig
from core.config.search import SearchConfig
from core.disk import bytes_below
from core.layout import COMPRESSION_PATH
from core.progress import megabytes, say
from trainer.compression.bundle_plan import bundle_plan
from trainer.compression.compact_model import CompactModel
from trainer.compression.read_back import read_back
from trainer.compression.trim_tables import trim_tables
from trainer.data.examples import read_split
from trainer.export.bundle import Bundle

_SAVED_MODEL = ("saved_model.pb", "fingerprint.pb", "variables", "assets")
_SHOWN_ARRAYS = 40


def build_compact(
    parts: BundleParts,
    uncompressed: Path,
    out_dir: Path,
    *,
    compress: CompressConfig,
    shop: ShopConfig,
    splits: SplitConfig,
    funnel_config: FunnelConfig,
    config: BundleConfig,
    search_config: SearchConfig | None = None,
    rankers: dict[str, Any] | None = None,
) -> Path:
    """Writes the compressed bundle into `out_dir` and returns it.

    Warm-up requests, lexicon and metadata are the uncompressed bundle's.
    `assets.extra/compression.json` tells what was done, with sizes, types and zeros
    read back from both files.

    Args:
      parts: the trained parts, with the compressed rankers.
      uncompressed: folder of the bundle of the same parts as they were trained.
      out_dir: the SavedModel's folder.
      compress: what to do.
      rankers: what the Compress step says of them.
      shop, splits, funnel_config, config, search_config: as `build_bundle`.
    """
    bundle = assemble_bundle(
        parts,
        read_split(parts.items, "train"),
        shop=shop,
        splits=splits,
        funnel_config=compress.funnel(funnel_config),
        config=config,
        search_config=search_config,
        trim=lambda t: trim_tables(t, compress.num_neighbours, compress.block),
    )
    with tempfile.TemporaryDirectory(dir=_near(out_dir)) as folder:
        plain, compact = Path(folder) / "plain", Path(folder) / "compact"
        bundle.save(plain)
        plan = bundle_plan(bundle.funnel, compress)
        model = CompactModel(tf.saved_model.load(str(plain)), plan)
        model.save(compact)
        shutil.copytree(
            uncompressed,
            out_dir,
            ignore=shutil.ignore_patterns(*_SAVED_MODEL),
            dirs_exist_ok=True,
        )
        facts: dict[str, Any] = {
            "settings": compress.to_dict(),
            "rankers": rankers or {},
            "parameters": parameters_of(bundle),
            "expanded_bytes": model.expanded_bytes,
            "before": _facts(uncompressed),
            "after": _facts(compact),
        }
        # Both with what lies beside the SavedModel.
        facts["after"]["bytes"] += bytes_below(out_dir)
        write_json(out_dir / COMPRESSION_PATH, facts)
        for name in reversed(_SAVED_MODEL):  # `saved_model.pb` last
            if (compact / name).exists():
                shutil.move(compact / name, out_dir / name)
    before, after = facts["before"]["bytes"], facts["after"]["bytes"]
    say(STEP, f"{megabytes(before)} to {megabytes(after)}")
    return out_dir


def parameters_of(bundle: Bundle) -> dict[str, int]:
    """Numbers in each part of a bundle; what several share counts for the first."""
    search = bundle.search_funnel
    parts = {
        "item tables": [bundle.funnel],
        "text encoder": [search.encoder] if search else [],
        "search index": [search] if search else [],
        "towers": [bundle.retriever],
        "ranker": [bundle.ranker],
        "search ranker": [bundle.search_ranker] if search else [],
    }
    seen: set[int] = set()
    counts = {}
    for name, modules in parts.items():
        found = {id(v): v for module in modules for v in module.variables}
        fresh = [v for key, v in found.items() if key not in seen]
        counts[name] = sum(int(tf.size(v)) for v in fresh if v.dtype != tf.string)
        seen |= set(found)
    return counts


def _facts(model_dir: Path) -> dict[str, Any]:
    found = read_back(model_dir)
    return {**found, "arrays": found["arrays"][:_SHOWN_ARRAYS]}


def _near(out_dir: Path) -> Path:
    """A folder on the same disk, so that files move there by their names alone."""
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    return out_dir.parent
