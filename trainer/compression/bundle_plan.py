"""How a bundle's arrays are stored."""

from __future__ import annotations

import math

from core.config.compress import CompressConfig
from trainer.compression.plan import StoragePlan
from trainer.funnel.funnel import CandidateFunnel

# Columns on scales of their own, which the ranker compares with each other's.
_HALF = ("item_features", "compared", "shared", "query_values")
# A scale for fewer columns than this costs more than it gives.
_MIN_BLOCK = 8


def bundle_plan(funnel: CandidateFunnel, config: CompressConfig) -> StoragePlan:
    """8-bit codes; neighbour lists in blocks that each belong to one source."""
    blocks = {
        f"{kind}_values": math.gcd(config.block, *group.sizes)
        for kind, group in funnel.constants.groups.items()
    }
    return StoragePlan(
        quantize=config.quantize,
        half=_HALF,
        bfloat16_products=config.bfloat16_products,
        expand_bytes=int(config.expand_mb * 1e6),
        blocks={name: size for name, size in blocks.items() if size >= _MIN_BLOCK},
    )
