"""One simulated shop, from a size and a seed."""

from __future__ import annotations

import numpy as np

from core.errors import ConfigError
from shops import contract
from shops.shop import Shop, Tables
from shops.simulated import log
from shops.simulated.catalogue import build_catalogue
from shops.simulated.config import SIZES, SimulatorConfig, shop_config
from shops.simulated.people import build_people
from shops.simulated.queries import QueryBook
from shops.simulated.sessions import Purchases, simulate_pages
from shops.simulated.world import World


def simulate(
    size: str = "demo", *, seed: int = 0, config: SimulatorConfig | None = None
) -> Shop:
    """The shop of that size; the same seed gives the same rows.

    Args:
      size: `tiny`, `demo` or `large`; the shop's name.
      seed: any integer >= 0.
      config: used instead of the size's own.

    Raises:
      ConfigError: there is no such size.
    """
    if config is None and size not in SIZES:
        raise ConfigError(
            f"`size` must be one of {', '.join(SIZES)}. Received: {size!r}."
        )
    config = config or SIZES[size]
    # One stream per part: more people do not change the catalogue.
    streams = np.random.SeedSequence(seed).spawn(5)
    random = [np.random.default_rng(stream) for stream in streams]
    catalogue = build_catalogue(config, random[0])
    people = build_people(config, catalogue, random[1])
    pages = simulate_pages(config, catalogue, people, random[2])
    book = QueryBook(catalogue, random[3])
    queries = book.sample(catalogue, pages, people.chinese[pages.user], random[3])
    return Shop(
        tables=Tables(
            items=log.items_table(config, catalogue),
            events=log.events_table(
                config, catalogue, people, pages, queries, random[4]
            ),
            judgments=log.judgments_table(catalogue, book, queries),
            rejected=contract.no_rejections(),
        ),
        config=shop_config(size),
        splits=config.splits,
        world=World(
            config=config,
            catalogue=catalogue,
            people=people,
            queries=book,
            purchases=Purchases.of(pages),
        ),
    )
