"""A metrics.json made by hand: the bundle beside two baselines, one slice."""

from __future__ import annotations

from typing import Any

RANKING = ("ndcg", "recall", "precision", "f1", "mrr", "hit_rate", "map")
CATALOGUE = ("coverage", "novelty", "diversity", "mean_popularity", "exposure_gini")


def mean(value: float, width: float = 0.0) -> dict[str, float]:
    return {"value": value, "low": value - width, "high": value + width}


def metrics(
    *,
    bundle: float = 0.4,
    popularity: float = 0.2,
    width: float = 0.05,
    num_moments: tuple[int, int] = (30, 20),
    slice_moments: int = 12,
    slice_value: str = "France",
) -> dict[str, Any]:
    """Every ranking metric of a system has the same value, in both views."""
    values = {"bundle": bundle, "popularity": popularity, "item_knn": 0.0}
    systems = {
        system: {
            view: {f"{m}@20": mean(value, width) for m in RANKING}
            | {f"{m}@20": {"value": 0.5} for m in CATALOGUE}
            for view in ("all", "new")
        }
        for system, value in values.items()
    }
    return {
        "primary_metric": "ndcg@20",
        "cutoff": 1_700_000_000,
        "target_event": "purchase",
        "confidence": 0.95,
        "num_items": 100,
        "k_values": [20],
        "num_moments": dict(zip(("all", "new"), num_moments, strict=True)),
        "systems": systems,
        "differences": {
            system: {v: {"ndcg@20": mean(bundle - value, width)} for v in entry}
            for (system, entry), value in zip(
                systems.items(), values.values(), strict=True
            )
            if system != "bundle"
        },
        "slices": [
            {
                "feature": "country",
                "value": slice_value,
                "view": "all",
                "num_moments": slice_moments,
                "systems": {
                    s: {"ndcg@20": mean(value, width)} for s, value in values.items()
                },
            }
        ],
    }
