"""Where a run puts things below `--home`, and file names inside artifacts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from core import signatures

# EvaluateFunnel's figures; a copy lies beside the blessing and in a pushed version.
METRICS_FILE = "metrics.json"
SEARCH_METRICS_FILE = "search_metrics.json"
# Beside a compressed bundle: what was done to it, and what its file holds.
COMPRESSION_PATH = "assets.extra/compression.json"
# In a jointly trained ranker's model folder: the side that ranks search pages.
SEARCH_SIDE = "search_ranker"
# In `HomeLayout.benchmarks`: text encoders of several kinds, compared.
TEXT_ENCODER_TABLE = "text_encoder.json"
# The same: latency of the pushed model by the rate of requests.
LOAD_CURVE = "load_curve.json"
# The same: the smallest compression that holds the quality, for `--compress-settings`.
COMPRESS_SETTINGS = "compress.json"


@dataclasses.dataclass(frozen=True)
class HomeLayout:
    """Folders of one shop below the home folder; creates nothing."""

    home: Path
    shop: str

    @property
    def root(self) -> Path:
        return self.home / self.shop

    @property
    def tables(self) -> Path:
        """Canonical tables: items.parquet, events.parquet, judgments.parquet."""
        return self.root / "tables"

    @property
    def tfx(self) -> Path:
        """TFX pipeline root: one folder per component."""
        return self.root / "tfx"

    @property
    def metadata(self) -> Path:
        """ML Metadata store (SQLite)."""
        return self.root / "metadata.sqlite"

    @property
    def schemas(self) -> Path:
        """Curated TFDV schemas, one text proto per table, that a person may edit."""
        return self.root / "schemas"

    @property
    def serving(self) -> Path:
        """What TF Serving watches: one numeric folder per version."""
        return self.root / "serving" / signatures.MODEL_NAME

    @property
    def report(self) -> Path:
        return self.root / "report" / "index.html"

    @property
    def benchmarks(self) -> Path:
        """Tables that benchmarks write and the next report shows."""
        return self.root / "benchmarks"

    @property
    def logs(self) -> Path:
        return self.root / "logs"
