"""One page from a catalogue that several model servers share by item id."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import heapq
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any

from core import features
from core.errors import (
    ConfigError,
    InvalidRequestError,
    ModelUnavailableError,
    ServingError,
)
from serving.client import Page, SoukClient
from serving.inputs import history_events, text

# Pages that wait for one shard at once.
THREADS = 16


def shard_of(item_id: str, num_shards: int) -> int:
    """The shard that holds an item: CRC-32 of its UTF-8 id modulo the shards."""
    return zlib.crc32(item_id.encode()) % num_shards


@dataclasses.dataclass(frozen=True)
class ShardedPage(Page):
    """A merged page; `partial` where shards did not answer, whose items it lacks."""

    partial: bool = False
    missing_shards: tuple[int, ...] = ()


class ShardedClient:
    """Asks every shard at once and merges their pages by score.

    Every server holds one bundle over the items of its shard (`shard_of`), all with the
    same ranker, so that their scores compare. A shard that is away, fails, or is later
    than `timeout_s` costs its items and not the page.

    >>> client = ShardedClient(["10.0.0.1:8500", "10.0.0.2:8500", "10.0.0.3:8500"])
    >>> page = client.recommend(user_id="17850", k=20)
    >>> page.partial
    False
    """

    def __init__(
        self, targets: Sequence[str], *, timeout_s: float = 1.0, **options: Any
    ) -> None:
        """Args:
        targets: of shard 0, 1, ..., in this order.
        timeout_s: of one page.
        options: of every `SoukClient` (protocol, model_name).

        Raises:
          ConfigError: no targets.
        """
        if not targets:
            raise ConfigError(
                "`targets` must name one server per shard. Received: none."
            )
        self._clients = [SoukClient(t, timeout_s=timeout_s, **options) for t in targets]
        self._timeout_s = timeout_s
        # Threads of its own for each shard: one that hangs keeps no other waiting.
        self._pools = [
            concurrent.futures.ThreadPoolExecutor(THREADS, f"shard-{number}")
            for number in range(len(targets))
        ]

    @property
    def num_shards(self) -> int:
        return len(self._clients)

    def recommend(self, *, k: int = 10, **arguments: Any) -> ShardedPage:
        """`SoukClient.recommend` over all shards.

        Raises:
          ModelUnavailableError: no shard answered.
          InvalidRequestError: a shard refused the request.
        """
        arguments = _for_all(arguments)
        return self._page(lambda client: client.recommend(k=k, **arguments), k)

    def search(self, query: str, *, k: int = 10, **arguments: Any) -> ShardedPage:
        """`SoukClient.search` over all shards; errors as in `recommend`."""
        arguments = _for_all(arguments)
        return self._page(lambda client: client.search(query, k=k, **arguments), k)

    def similar(self, item_id: str, *, k: int = 10, **arguments: Any) -> ShardedPage:
        """`SoukClient.similar` of the one shard that knows the item.

        Its neighbours are those of that shard: only there does the item have a vector.
        """
        shard = shard_of(text(features.ITEM_ID, item_id), self.num_shards)
        page = self._clients[shard].similar(item_id, k=k, **arguments)
        return ShardedPage(page.item_ids, page.scores, page.reasons)

    def _page(self, ask: Callable[[SoukClient], Page], k: int) -> ShardedPage:
        deadline = time.monotonic() + self._timeout_s
        waiting = [
            pool.submit(ask, client)
            for pool, client in zip(self._pools, self._clients, strict=True)
        ]
        pages: list[Page] = []
        missing: list[int] = []
        failure: ServingError | None = None
        for shard, answer in enumerate(waiting):
            try:
                pages.append(answer.result(max(deadline - time.monotonic(), 0)))
            except InvalidRequestError:
                raise  # every other shard would refuse it as well
            except ServingError as error:
                missing.append(shard)
                failure = error
            except concurrent.futures.TimeoutError:
                answer.cancel()
                missing.append(shard)
                failure = ModelUnavailableError(
                    f"Shard {shard} did not answer within {self._timeout_s} s."
                )
        if not pages:
            raise ModelUnavailableError(
                f"None of {self.num_shards} shards answered. The last one: {failure}"
            ) from failure
        merged = merge(pages, k)
        return ShardedPage(
            merged.item_ids,
            merged.scores,
            merged.reasons,
            partial=bool(missing),
            missing_shards=tuple(missing),
        )

    def close(self) -> None:
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)
        for client in self._clients:
            client.close()

    def __enter__(self) -> ShardedClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _for_all(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments that several clients can read: an iterator would be one's alone."""
    if "history" not in arguments:
        return arguments
    return {**arguments, "history": history_events(arguments["history"])}


def merge(pages: Iterable[Page], k: int) -> Page:
    """The k best of pages that are each best first; an item counts once.

    Raises:
      InvalidRequestError: `k` below 1.
    """
    if k < 1:
        raise InvalidRequestError(f"`k` must be 1 or more. Received: {k}.")
    lists = [
        list(zip(page.scores, page.item_ids, page.reasons, strict=True))
        for page in pages
    ]
    taken: dict[str, tuple[float, str]] = {}
    for score, item_id, why in heapq.merge(*lists, key=lambda row: -row[0]):
        taken.setdefault(item_id, (score, why))
        if len(taken) == k:
            break
    return Page(
        list(taken),
        [score for score, _ in taken.values()],
        [why for _, why in taken.values()],
    )
