import pytest

from core.config import SplitConfig
from core.errors import ConfigError

DAY = 86_400
T2 = 335 * DAY  # Online Retail's test starts on day 335 of its data


def splits(**changes: int) -> SplitConfig:
    values = {"horizon_days": 39, "stride_days": 14, "num_cutoffs": 7, "fit_cutoffs": 4}
    return SplitConfig(test_start=T2, **{**values, **changes})


def days(cutoffs: tuple[int, ...]) -> list[int]:
    return [c // DAY for c in cutoffs]


def test_the_grid_of_the_published_trial() -> None:
    assert days(splits().grid) == [296, 282, 268, 254, 240, 226, 212]


def test_the_trial_fit_sees_nothing_of_the_evaluation_period() -> None:
    config = splits()
    assert days(config.train_cutoffs) == [254, 240, 226, 212]
    assert all(c + config.horizon_s <= config.eval_start for c in config.train_cutoffs)


def test_every_cutoff_has_one_split() -> None:
    config = splits()
    names = [config.split_of(c) for c in (*config.grid, config.test_start)]
    assert names == ["eval", "recent", "recent", *["train"] * 4, "test"]


def test_a_grid_that_never_reaches_the_trial_is_refused() -> None:
    with pytest.raises(ConfigError, match="num_cutoffs"):
        splits(num_cutoffs=2)


def test_history_is_bounded() -> None:
    with pytest.raises(ConfigError, match=r"max_history.*1 \.\. 1024"):
        splits(max_history=2000)
