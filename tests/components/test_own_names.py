"""Names that steps and signatures have taken: no context may have them."""

from __future__ import annotations

from components.curate_schema.curate import clean_columns
from components.evaluate_funnel.slices import slice_features
from components.rank_examples.write import LABEL
from core.config import ShopConfig
from core.context_names import unusable
from trainer.export import requests


def test_what_steps_and_signatures_call_theirs_is_not_free() -> None:
    shop = ShopConfig(name="x")
    inputs = [
        *(requests.person_specs(shop) | requests.filter_specs()),
        *(requests.query_specs() | requests.candidate_specs()),
        *(requests.item_specs() | requests.item_text_specs()),
    ]
    columns = [column.name for column in clean_columns("events")]
    names = [*inputs, *columns, *slice_features(shop), LABEL]
    assert unusable(names) == names
