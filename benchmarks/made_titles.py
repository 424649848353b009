"""Titles for benchmarks of any size: the simulated shop's, with a rare word each."""

from __future__ import annotations

import numpy as np

from shops.simulated import texts
from shops.simulated.catalogue import build_catalogue
from shops.simulated.config import SimulatorConfig

_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_ZIPF_EXPONENT = 1.1


def made_titles(count: int, seed: int = 0) -> list[str]:
    """[count] titles of the simulated shop, one in six Chinese, and a series' name.

    The shop's own words are few; a name of four syllables, drawn by Zipf's law from
    0.4 names per title, gives the long tail that a real catalogue has.
    """
    random = np.random.default_rng(seed)
    catalogue = build_catalogue(SimulatorConfig(num_items=count, num_users=1), random)
    num_names = max(int(0.4 * count), 1)
    weights = (np.arange(num_names) + 1.0) ** -_ZIPF_EXPONENT
    picks = random.choice(num_names, count, p=weights / weights.sum())
    pairs = [consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS]
    spelled = random.choice(pairs, (num_names, 4))
    names = ["".join(syllables).capitalize() for syllables in spelled]
    titles = texts.titles(catalogue)
    return [f"{title} {names[i]}" for title, i in zip(titles, picks, strict=True)]
