from __future__ import annotations

import pandas as pd
import pytest

from shops import Shop
from shops.simulated import World, simulate


@pytest.fixture(scope="session")
def tiny() -> Shop:
    return simulate("tiny")


@pytest.fixture(scope="session")
def demo() -> Shop:
    return simulate("demo")


@pytest.fixture(scope="session")
def demo_events(demo: Shop) -> pd.DataFrame:
    return demo.tables.events.to_pandas()


@pytest.fixture(scope="session")
def demo_world(demo: Shop) -> World:
    assert isinstance(demo.world, World)
    return demo.world
