"""Time splits and the cut-offs at which moments are made."""

from __future__ import annotations

import dataclasses

from core.config.base import Config
from core.features import SECONDS_PER_DAY


@dataclasses.dataclass(frozen=True, kw_only=True)
class SplitConfig(Config):
    """train < T1 <= eval < T2 <= test, and the grid of cut-offs.

    T2 is `test_start`, T1 is T2 - horizon. Grid cut-offs are T1 - i * stride for
    i = 0 .. num_cutoffs - 1. A moment's targets lie in [cut-off, cut-off + horizon), so
    the cut-off T1 is the `eval` split; cut-offs <= T1 - horizon are `train` (nothing
    of the evaluation period in their targets); those between are `recent`, used only
    by the final fit.
    """

    test_start: int  # T2, seconds since 1970, UTC
    horizon_days: int = 14
    stride_days: int = 7
    num_cutoffs: int = 6
    # How many of the newest admissible cut-offs one ranker fit uses. Four: the
    # Online Retail trial lost .005 NDCG@20 with one, gained nothing beyond four.
    fit_cutoffs: int = 4
    max_history: int = 200  # H, last events kept per moment; up to 1,024
    # Sampled next-session moments per user for the retriever.
    max_next_moments_per_user: int = 20

    def __post_init__(self) -> None:
        self.require(self.test_start > 0, "test_start", "> 0 (seconds since 1970)")
        for name in ("horizon_days", "stride_days", "num_cutoffs", "fit_cutoffs"):
            self.require(getattr(self, name) >= 1, name, ">= 1")
        self.require(1 <= self.max_history <= 1024, "max_history", "1 .. 1024")
        strides = -(-self.horizon_days // self.stride_days)
        self.require(
            self.num_cutoffs > strides,
            "num_cutoffs",
            f"at least {strides + 1}, for a cut-off at or before T1 - horizon "
            f"({self.horizon_days} days, in strides of {self.stride_days})",
            "Raise num_cutoffs or stride_days, or lower horizon_days.",
        )

    @property
    def horizon_s(self) -> int:
        return self.horizon_days * SECONDS_PER_DAY

    @property
    def eval_start(self) -> int:
        """T1."""
        return self.test_start - self.horizon_s

    @property
    def test_end(self) -> int:
        """End of the test split's targets."""
        return self.test_start + self.horizon_s

    @property
    def grid(self) -> tuple[int, ...]:
        """All cut-offs that have labels before T2, newest first; the first is T1."""
        stride = self.stride_days * SECONDS_PER_DAY
        return tuple(self.eval_start - i * stride for i in range(self.num_cutoffs))

    @property
    def train_cutoffs(self) -> tuple[int, ...]:
        """Cut-offs of the trial fit, newest first: targets end at or before T1."""
        early = [c for c in self.grid if c + self.horizon_s <= self.eval_start]
        return tuple(early[: self.fit_cutoffs])

    def split_of(self, cutoff: int) -> str:
        """`train`, `recent`, `eval` or `test` for a cut-off."""
        if cutoff >= self.test_start:
            return "test"
        if cutoff == self.eval_start:
            return "eval"
        return "train" if cutoff + self.horizon_s <= self.eval_start else "recent"
