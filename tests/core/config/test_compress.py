from __future__ import annotations

import pytest

from core.config.compress import CompressConfig
from core.config.funnel import FunnelConfig
from core.errors import ConfigError


def test_rules_of_sparsity_are_patterns_and_shares():
    config = CompressConfig(sparsity=("trunk_*=0.5", "bottom_0=0.25"))
    assert config.layer_sparsity == (("trunk_*", 0.5), ("bottom_0", 0.25))
    assert CompressConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("rule", ["trunk_*", "trunk_*=half", "trunk_*=1.0", "a=-0.1"])
def test_a_rule_that_cannot_be_read_names_the_form(rule):
    with pytest.raises(ConfigError, match="PATTERN=SHARE"):
        CompressConfig(sparsity=(rule,))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"kept_neurons": 0.0}, "kept_neurons"),
        ({"kept_neurons": 1.1}, "kept_neurons"),
        ({"num_neighbours": -1}, "num_neighbours"),
        ({"block": 0}, "block"),
        ({"pruning_epochs": 0}, "pruning_epochs"),
        ({"learning_rate_share": 0.0}, "learning_rate_share"),
        ({"probability_weight": -0.1}, "probability_weight"),
        ({"distillation_weight": 0.0, "probability_weight": 0.0}, "label_weight"),
        ({"max_auc_drop": -0.01}, "max_auc_drop"),
    ],
)
def test_settings_out_of_range_are_named(changes, name):
    with pytest.raises(ConfigError, match=name):
        CompressConfig(**changes)


@pytest.mark.parametrize(
    ("asked", "ranked"), [(0, 48), (32, 32), (48, 48), (96, 48), (1000, 48)]
)
def test_a_compressed_bundle_ranks_no_more_than_the_uncompressed(asked, ranked):
    funnel = FunnelConfig(num_candidates=48, shelf_size=64)
    smaller = CompressConfig(num_candidates=asked).funnel(funnel)
    assert smaller == funnel.replace(num_candidates=ranked)


def test_rankers_stay_as_they_are_where_nothing_is_asked_of_them():
    asked = CompressConfig(sparsity=(), quantization_aware=False)
    assert not asked.changes_rankers
    assert asked.replace(kept_neurons=0.5).changes_rankers
    assert asked.replace(sparsity=("trunk_*=0.5",)).changes_rankers
