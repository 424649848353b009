"""Names of context that a served model can have as an input."""

from __future__ import annotations

import pytest

from core.config import ShopConfig
from core.errors import ConfigError


@pytest.mark.parametrize(
    "name",
    [
        *("device-type", "utm.source", "Land des Kunden", "2nd_visit", "_x", "나라"),
        *("k", "categories", "user_id", "query", "price", "label", "", "a\n"),
    ],
)
def test_names_that_no_signature_takes_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"context_features` must be.*Rename "):
        ShopConfig(name="x", context_features=("country", name))


def test_usual_names_are_taken() -> None:
    names = ("country", "Device2", "utm_source")
    assert ShopConfig(name="x", context_features=names).context_features == names


def test_a_name_is_given_once() -> None:
    with pytest.raises(ConfigError, match="what is there twice"):
        ShopConfig(name="x", context_features=("country", "country"))
