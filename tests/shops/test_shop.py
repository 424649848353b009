from __future__ import annotations

import dataclasses

import pytest

import shops
from core.errors import ConfigError


def test_context_that_an_adapter_left_out_of_its_events_is_refused() -> None:
    tiny = shops.load("tiny")
    events = tiny.tables.events.drop(["country"])
    tables = dataclasses.replace(tiny.tables, events=events)
    with pytest.raises(ConfigError, match=r"features.*Received: country beside"):
        dataclasses.replace(tiny, tables=tables)
