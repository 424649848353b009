"""Which step of a DAG may start next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Order:
    """Which nodes may start; those with the longest chain of others behind them first.

    What is started late at the head of a chain makes the whole run wait; what nothing
    waits for fills the gaps.

    Args:
      upstream: of each node, those that it waits for, listed before it.
    """

    def __init__(self, upstream: Mapping[str, Iterable[str]]) -> None:
        self._waiting = {node: set(before) for node, before in upstream.items()}
        self._done: set[str] = set()
        self._chain = dict.fromkeys(upstream, 1)
        for node in reversed(list(upstream)):
            for before in self._waiting[node]:
                length = self._chain[node] + 1
                self._chain[before] = max(self._chain[before], length)

    def next(self) -> str | None:
        """A node that waits for nothing, which is then taken; None: there is none."""
        ready = [n for n, before in self._waiting.items() if before <= self._done]
        if not ready:
            return None
        node = max(ready, key=self._chain.__getitem__)  # the first of the longest
        del self._waiting[node]
        return node

    def finished(self, node: str) -> None:
        self._done.add(node)
