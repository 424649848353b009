from __future__ import annotations

import pytest

from serving.suggest import Suggester
from tests.serving.suggest.worlds import gift_shop


@pytest.fixture(scope="session")
def shop() -> Suggester:
    return Suggester(gift_shop())
