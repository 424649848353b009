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


def test_a_cutoff_whose_targets_end_as_the_evaluation_starts_is_of_the_trial() -> None:
    config = splits(horizon_days=14, stride_days=7, num_cutoffs=4)
    assert days(config.grid) == [321, 314, 307, 300]
    assert days(config.train_cutoffs) == [307, 300]  # 307 + 14 = 321
    assert [config.split_of(c) for c in config.grid] == [
        "eval",
        "recent",
        "train",
        "train",
    ]


def test_every_cutoff_has_one_split() -> None:
    config = splits()
    names = [config.split_of(c) for c in (*config.grid, config.test_start)]
    assert names == ["eval", "recent", "recent", *["train"] * 4, "test"]


@pytest.mark.parametrize(
    ("horizon", "stride", "least"), [(39, 14, 4), (28, 14, 3), (29, 14, 4), (60, 7, 10)]
)
def test_a_grid_that_never_reaches_the_trial_is_refused_with_the_least_that_does(
    horizon: int, stride: int, least: int
) -> None:
    # Days before T1: 0, 14, 28 < 39 <= 42; 0, 14, 28 >= 28; 56 < 60 <= 63 = 9 x 7.
    some = {"horizon_days": horizon, "stride_days": stride}
    with pytest.raises(ConfigError, match=f"num_cutoffs.* at least {least}, "):
        splits(num_cutoffs=least - 1, **some)
    assert splits(num_cutoffs=least, **some).train_cutoffs


def test_history_is_bounded() -> None:
    with pytest.raises(ConfigError, match=r"max_history.*1 \.\. 1024"):
        splits(max_history=2000)
