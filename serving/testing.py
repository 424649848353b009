"""For the tests of those who use souk: a client without a server."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from core import features, signatures
from core.text.tokens import terms
from serving.client import SoukClient
from serving.transports import InputSpec, Outputs, Specs

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")

_TEXT = InputSpec("DT_STRING", 1)
_TEXTS = InputSpec("DT_STRING", 2)
_PERSON: Specs = {
    features.USER_ID: _TEXT,
    features.HISTORY_ITEM_IDS: _TEXTS,
    features.HISTORY_EVENTS: _TEXTS,
    features.HISTORY_TIMESTAMPS: InputSpec("DT_INT64", 2),
    features.TIMESTAMP: InputSpec("DT_INT64", 1),
}
_FILTERS: Specs = {
    signatures.EXCLUDE_ITEM_IDS: _TEXTS,
    signatures.CATEGORIES: _TEXTS,
    signatures.PRICE_MIN: InputSpec("DT_FLOAT", 1),
    signatures.PRICE_MAX: InputSpec("DT_FLOAT", 1),
    signatures.IN_STOCK_ONLY: InputSpec("DT_BOOL", 1),
    signatures.K: InputSpec("DT_INT32", 0),
}


@dataclasses.dataclass(frozen=True)
class Call:
    """One call that a `FakeSoukClient` received, with the arguments given."""

    method: str
    arguments: dict[str, Any]


def _remembered(
    method: Callable[Concatenate[SoukClient, _Arguments], _Answer],
) -> Callable[Concatenate[FakeSoukClient, _Arguments], _Answer]:
    """The method, its signature kept, that also notes each call."""
    signature = inspect.signature(method)

    @functools.wraps(method)
    def call(
        self: FakeSoukClient, /, *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> _Answer:
        given = signature.bind(self, *args, **kwargs).arguments
        del given["self"]
        self.calls.append(Call(method.__name__, given))
        return method(self, *args, **kwargs)

    return call


class FakeSoukClient(SoukClient):
    """Answers `SoukClient`'s calls from memory and remembers them.

    Every call goes through the client's own checks. A page has the items in the order
    given, without those that its filters exclude; their other fields leave all.

    >>> client = FakeSoukClient(item_ids=["lamp", "vase"])
    >>> client.recommend(user_id="anna", k=1).item_ids
    ['lamp']
    >>> client.fail_next(ModelUnavailableError("down"))  # the next call raises it
    """

    def __init__(
        self,
        *,
        item_ids: Sequence[str],
        reason: str = "popular",
        context_features: Sequence[str] = ("country", "device"),
    ) -> None:
        """Args:
        item_ids: best first.
        reason: of every item.
        context_features: names that `context` may have.
        """
        self._memory = _Memory(item_ids, reason, context_features)
        self._transport = self._memory
        self._specs = {}
        self.calls: list[Call] = []

    def fail_next(self, error: Exception) -> None:
        """Makes the next call that passes the checks raise `error`."""
        self._memory.failure = error

    recommend = _remembered(SoukClient.recommend)
    similar = _remembered(SoukClient.similar)
    search = _remembered(SoukClient.search)
    rank = _remembered(SoukClient.rank)
    predict = _remembered(SoukClient.predict)


class _Memory:
    """A transport whose model is a list of items."""

    def __init__(
        self, item_ids: Sequence[str], reason: str, context_features: Sequence[str]
    ) -> None:
        self._item_ids = list(item_ids)
        self._reason = reason
        self._person = {**_PERSON, **dict.fromkeys(context_features, _TEXT)}
        self.failure: Exception | None = None

    def specs(self) -> dict[str, Specs]:
        candidates = {signatures.CANDIDATE_ITEM_IDS: _TEXTS}
        return {
            signatures.RECOMMEND: {**self._person, **_FILTERS},
            signatures.SEARCH: {**self._person, features.QUERY: _TEXT, **_FILTERS},
            signatures.SIMILAR: {features.ITEM_ID: _TEXT, **_FILTERS},
            signatures.RANK: {**self._person, **candidates},
        }

    def predict(self, signature: str, inputs: Mapping[str, np.ndarray]) -> Outputs:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure
        if signature == signatures.RANK:
            return {
                signatures.SCORE: _scores(
                    inputs[signatures.CANDIDATE_ITEM_IDS].shape[1]
                )
            }
        shown = self._shown(inputs)
        return {
            signatures.ITEM_IDS: np.array([shown], object),
            signatures.SCORES: _scores(len(shown)),
            signatures.REASONS: np.array([[self._reason] * len(shown)], object),
        }

    def _shown(self, inputs: Mapping[str, np.ndarray]) -> list[str]:
        query = inputs.get(features.QUERY)
        if query is not None and not terms(query[0].decode()):
            return []
        hidden = {
            *inputs[signatures.EXCLUDE_ITEM_IDS][0],
            *inputs.get(features.ITEM_ID, ()),
        }
        left = [item for item in self._item_ids if item.encode() not in hidden]
        return left[: int(inputs[signatures.K])]

    def close(self) -> None:
        """Nothing to close."""


def _scores(size: int) -> np.ndarray:
    """[1, size]: 1, 1/2, 1/3, ..."""
    return 1.0 / np.arange(1, size + 1)[np.newaxis]
