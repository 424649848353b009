"""What a run's command line chooses beyond the shop's preset."""

from __future__ import annotations

import dataclasses
from typing import Any

from core.config.base import Config
from core.config.compress import CompressConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunChoices(Config):
    """The same on every runner; `presets.with_choices` turns them into settings."""

    compress: bool = False  # push a bundle of 8-bit tables and vectors
    # How, in place of the preset's way; implies `compress`.
    compress_settings: CompressConfig | None = None
    static_shapes: bool = False  # of the bundle: fit to be compiled by XLA
    joint_ranker: bool = False  # one ranker for recommendation and search
    # Folder of a pretrained text encoder; "": one is trained on the shop's own texts.
    text_encoder_preset: str = ""
    text_encoder_layers: int = 0  # of the preset that are kept; 0: all
    # Part of SoukConfig -> what differs from the preset and from the choices above.
    settings: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
