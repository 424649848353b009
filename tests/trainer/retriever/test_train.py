"""A fit is gone on with only by one that learns the same from the same."""

from __future__ import annotations

import dataclasses

import numpy as np

from tests.trainer.retriever import worlds
from trainer.retriever.train import fingerprint


def test_fits_are_told_apart_by_settings_and_data() -> None:
    config = worlds.tiny_config()
    train, other = (worlds.checkerboard_moments(50, seed=s) for s in (1, 2))
    changed = dataclasses.replace(train, target_rows=train.target_rows[::-1].copy())
    named = dataclasses.replace(
        train, persons={**train.persons, "more": np.zeros(50, np.int32)}
    )
    made = [
        fingerprint(config, train, None),
        fingerprint(config, other, None),
        fingerprint(config, changed, None),
        fingerprint(config, named, None),
        fingerprint(config, train, other),
        fingerprint(config.replace(seed=config.seed + 1), train, None),
        *(fingerprint(config, {"title": np.arange(n)}, train) for n in (3, 4)),
        *(fingerprint(config, {"vocabulary": n}, train) for n in (3, 4)),
        *(fingerprint(config, np.array(["x"] * 2_000 + [v], object)) for v in "ab"),
    ]

    assert len(set(made)) == len(made)
    assert fingerprint(config, worlds.checkerboard_moments(50, seed=1), None) == made[0]
