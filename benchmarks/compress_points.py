"""Ways to compress a bundle, what each gave, and which of them is chosen."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from matplotlib import pyplot

from core.config.compress import CompressConfig

# Of NDCG@20, relative, and of AUC, absolute: what the gates accept.
MAX_DROP, MAX_AUC_DROP = 0.005, 0.02
PLAIN, PRESET = "plain", "the shop's settings"


def points_around(preset: CompressConfig) -> dict[str, CompressConfig]:
    """By name: nothing done, the shop's own settings, and what differs from these.

    Sparsity, storage and dimension (neurons, neighbours), each by itself, and what
    the rankers were fine-tuned with before they had a teacher of probabilities.
    """
    as_trained = preset.replace(sparsity=(), quantization_aware=False)
    every = {"num_neighbours": 0, "num_candidates": 0}
    layers = ("trunk_*", "bottom_*", "expert_*")
    half, most = (tuple(f"{x}={share}" for x in layers) for share in (0.5, 0.75))
    fewer = round(0.75 * preset.num_neighbours)
    return {
        PLAIN: as_trained.replace(quantize=False, **every),
        PRESET: preset,
        "rankers as trained": as_trained,
        "taught by labels": preset.replace(label_weight=1.0, probability_weight=0.0),
        "half of the weights pruned": preset.replace(sparsity=half),
        "75 % pruned": preset.replace(sparsity=most),
        f"{fewer} neighbours": preset.replace(num_neighbours=fewer),
        "half of the neurons too": preset.replace(kept_neurons=0.5),
        "2:4 sparsity": preset.replace(two_of_four=True),
        "8 bits alone": as_trained.replace(**every),
        "products in bfloat16": preset.replace(bfloat16_products=True),
    }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """One point."""

    name: str
    settings: CompressConfig
    model: Path
    megabytes: float
    ndcg: dict[str, float]  # by view
    auc: float  # of the target event, over what RankExamples would sample

    def within(self, plain: Measured) -> bool:
        """Whether it holds the plain bundle's quality as the gates ask it."""
        return self.auc >= plain.auc - MAX_AUC_DROP and all(
            value >= (1 - MAX_DROP) * plain.ndcg[view]
            for view, value in self.ndcg.items()
        )


def smallest_within(found: list[Measured]) -> Measured:
    """The smallest of the points that hold the first one's quality."""
    return min((m for m in found if m.within(found[0])), key=lambda m: m.megabytes)


def draw(
    found: list[Measured], cpu_ms: list[float], chosen: Measured, path: Path
) -> None:
    """Size against NDCG@20 of either view, in percent of the plain bundle's.

    Hollow points lose more than the gates accept.
    """
    figure, axes = pyplot.subplots(1, 2, figsize=(13, 5), sharey=True)
    plain = found[0]
    for place, view in zip(axes, plain.ndcg, strict=True):
        changes = [100 * (each.ndcg[view] / plain.ndcg[view] - 1) for each in found]
        # Points of one size stand close together: their names in a column beside them.
        heights = np.linspace(0.06, 0.94, len(found))[np.argsort(np.argsort(changes))]
        for each, ms, change, height in zip(
            found, cpu_ms, changes, heights, strict=True
        ):
            colour = "tab:red" if each is chosen else "tab:blue"
            filled = colour if each.within(plain) else "none"
            place.scatter(each.megabytes, change, 40, filled, edgecolors=colour)
            place.annotate(
                f"{each.name}, {ms:.1f} ms",
                (each.megabytes, change),
                xytext=(0.55, height),
                textcoords="axes fraction",
                arrowprops={
                    "arrowstyle": "-",
                    "color": "lightgray",
                    "relpos": (0, 0.5),
                },
                fontsize=8,
                color=colour,
                verticalalignment="center",
            )
        place.axhline(-100 * MAX_DROP, color="gray", linestyle="--")
        place.set(title=f"{view} items", xlabel="MB", xlim=(0, 2.2 * plain.megabytes))
    axes[0].set_ylabel("NDCG@20 on validation, % of the plain bundle's")
    figure.savefig(path, bbox_inches="tight")
