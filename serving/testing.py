"""For the tests of those who use souk: a client without a server, a small model."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from core.errors import InvalidRequestError
from serving.client import Page


@dataclasses.dataclass(frozen=True)
class Call:
    """One call that a `FakeSoukClient` received."""

    method: str
    arguments: dict[str, Any]


class FakeSoukClient:
    """Answers `SoukClient`'s calls from memory and remembers them.

    >>> client = FakeSoukClient(item_ids=["lamp", "vase"])
    >>> client.recommend(user_id="anna", k=1).item_ids
    ['lamp']
    >>> client.fail_next(ModelUnavailableError("down"))  # the next call raises it
    """

    def __init__(self, *, item_ids: Sequence[str], reason: str = "popular") -> None:
        self._item_ids = list(item_ids)
        self._reason = reason
        self._failure: Exception | None = None
        self.calls: list[Call] = []

    def fail_next(self, error: Exception) -> None:
        """Makes the next call raise `error`."""
        self._failure = error

    def recommend(self, **arguments: Any) -> Page:
        return self._page("recommend", arguments)

    def similar(self, item_id: str, **arguments: Any) -> Page:
        return self._page("similar", {"item_id": item_id, **arguments}, leave=item_id)

    def search(self, query: str, **arguments: Any) -> Page:
        page = self._page("search", {"query": query, **arguments})
        return page if query.strip() else Page([], [], [])

    def rank(
        self, candidate_item_ids: Sequence[str], **arguments: Any
    ) -> dict[str, list[float]]:
        self._note("rank", {"candidate_item_ids": candidate_item_ids, **arguments})
        return {"score": [1 / (1 + i) for i in range(len(candidate_item_ids))]}

    def close(self) -> None:
        """Nothing to close."""

    def __enter__(self) -> FakeSoukClient:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def _note(self, method: str, arguments: dict[str, Any]) -> None:
        self.calls.append(Call(method, arguments))
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _page(self, method: str, arguments: dict[str, Any], leave: str = "") -> Page:
        self._note(method, arguments)
        k = arguments.get("k", 10)
        if k < 1:
            raise InvalidRequestError(f"`k` must be 1 or more. Received: {k}.")
        filters = arguments.get("filters")
        hidden = {leave, *(filters.exclude_item_ids if filters else ())}
        shown = [item for item in self._item_ids if item not in hidden][:k]
        scores = [1 / (1 + i) for i in range(len(shown))]
        return Page(shown, scores, [self._reason] * len(shown))
