"""A shop's pages from a model server, with every input that the caller leaves out."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Literal

import numpy as np

from core import features, signatures
from core.errors import ConfigError, InvalidRequestError
from serving.inputs import (
    Filters,
    HistoryEvent,
    filter_inputs,
    input_array,
    listed,
    page_size,
    person_inputs,
    text,
)
from serving.transports import GrpcTransport, RestTransport, Specs, Transport

__all__ = ["Filters", "HistoryEvent", "Page", "SoukClient"]


@dataclasses.dataclass(frozen=True)
class Page:
    """Items to show, best first; as many as `k`, or as there are."""

    item_ids: list[str]
    scores: list[float]
    reasons: list[str]

    def __len__(self) -> int:
        return len(self.item_ids)


class SoukClient:
    """Asks one model of a model server, ours or the tensorflow/serving image.

    Inputs that a call leaves out are filled with neutral values ('' or 0; the time is
    now), because TensorFlow Serving wants every input of a signature. Which those are
    is read from the model's metadata, once and again when a new version differs.

    >>> client = SoukClient("localhost:8500")
    >>> client.recommend(user_id="17850", k=5).item_ids
    """

    def __init__(
        self,
        target: str,
        protocol: Literal["grpc", "rest"] = "grpc",
        *,
        model_name: str = signatures.MODEL_NAME,
        timeout_s: float = 10.0,
    ) -> None:
        """Args:
        target: `host:port` for gRPC; `host:port` or `http(s)://host:port` for REST.
        timeout_s: of one call.

        Raises:
          ConfigError: no such protocol.
        """
        if protocol == "grpc":
            self._transport: Transport = GrpcTransport(target, model_name, timeout_s)
        elif protocol == "rest":
            self._transport = RestTransport(target, model_name, timeout_s)
        else:
            raise ConfigError(f"`protocol` must be grpc or rest. Received: {protocol}.")
        self._specs: dict[str, Specs] = {}

    def recommend(
        self,
        *,
        user_id: str = "",
        history: Iterable[HistoryEvent | tuple[Any, ...]] = (),
        timestamp: int | None = None,
        context: Mapping[str, str] | None = None,
        filters: Filters | None = None,
        k: int = 10,
    ) -> Page:
        """The person's page.

        Args:
          user_id: "" for a person without an id.
          history: events before the request, oldest first.
          timestamp: seconds since 1970, UTC; now by default.
          context: the shop's context features (country, ...), those that are known.
          filters: what may be on the page.
          k: how many items, 1 to 100.

        Raises:
          ModelUnavailableError: no version is ready, or the server is away or full.
          InvalidRequestError: the request does not fit the model.
        """
        person = person_inputs(user_id, history, timestamp, context)
        return self._page(signatures.RECOMMEND, person, filters, k)

    def similar(
        self, item_id: str, *, filters: Filters | None = None, k: int = 10
    ) -> Page:
        """Items like this one; errors as in `recommend`."""
        values = {features.ITEM_ID: text(features.ITEM_ID, item_id)}
        return self._page(signatures.SIMILAR, values, filters, k)

    def search(
        self,
        query: str,
        *,
        user_id: str = "",
        history: Iterable[HistoryEvent | tuple[Any, ...]] = (),
        timestamp: int | None = None,
        context: Mapping[str, str] | None = None,
        filters: Filters | None = None,
        k: int = 10,
    ) -> Page:
        """Items that answer the words, best for this person first.

        Args:
          query: as typed, in any language; "" (or no words) gives an empty page.
          user_id, history, timestamp, context, filters, k: as in `recommend`.

        Raises:
          ModelUnavailableError, InvalidRequestError: as in `recommend`; a model without
            `search` does not fit the request.
        """
        person = person_inputs(user_id, history, timestamp, context)
        # Letters and their marks as one character, as the catalogue has them.
        typed = unicodedata.normalize("NFC", text(features.QUERY, query))
        values = {**person, features.QUERY: typed}
        return self._page(signatures.SEARCH, values, filters, k)

    def rank(
        self,
        candidate_item_ids: Iterable[str],
        *,
        user_id: str = "",
        history: Iterable[HistoryEvent | tuple[Any, ...]] = (),
        timestamp: int | None = None,
        context: Mapping[str, str] | None = None,
    ) -> dict[str, list[float]]:
        """`score` and `p_<event>` of each candidate, in the order given.

        Raises:
          ModelUnavailableError, InvalidRequestError: as in `recommend`.
        """
        values = person_inputs(user_id, history, timestamp, context)
        candidates = listed(signatures.CANDIDATE_ITEM_IDS, candidate_item_ids)
        values[signatures.CANDIDATE_ITEM_IDS] = candidates
        outputs = self._outputs(signatures.RANK, values)
        shown = slice(len(candidates))
        return {name: value[0][shown].tolist() for name, value in outputs.items()}

    def predict(
        self, signature: str, values: Mapping[str, Any]
    ) -> dict[str, np.ndarray]:
        """Any signature for one row: a value or list per input, without the batch axis.

        Returns:
          The outputs with their batch axis, [1, ...].
        """
        return self._outputs(signature, values)

    def _outputs(
        self, signature: str, values: Mapping[str, Any]
    ) -> dict[str, np.ndarray]:
        known = bool(self._specs)
        try:
            return self._predict(signature, values)
        except InvalidRequestError:
            if not known:
                raise
            # Perhaps a new version with other inputs is in service by now.
            before, self._specs = self._specs, self._transport.specs()
            if self._inputs(signature) == before.get(signature):
                raise
            return self._predict(signature, values)

    def _predict(
        self, signature: str, values: Mapping[str, Any]
    ) -> dict[str, np.ndarray]:
        specs = self._inputs(signature)
        unknown = sorted(set(values) - set(specs))
        if unknown:
            raise InvalidRequestError(
                f"`{signature}` has no input {', '.join(unknown)}. "
                f"Its inputs: {', '.join(sorted(specs))}."
            )
        inputs = {n: input_array(n, values.get(n), spec) for n, spec in specs.items()}
        return self._transport.predict(signature, inputs)

    def _inputs(self, signature: str) -> Specs:
        specs = self._specs  # another thread may put new ones there
        if not specs:
            self._specs = specs = self._transport.specs()
        if signature not in specs:
            raise InvalidRequestError(
                f"The model has no signature `{signature}`. "
                f"It has: {', '.join(sorted(specs))}."
            )
        return specs[signature]

    def _page(
        self, signature: str, values: dict[str, Any], filters: Filters | None, k: int
    ) -> Page:
        given = filter_inputs(Filters() if filters is None else filters)
        asked = {**values, **given, signatures.K: page_size(k)}
        outputs = self._outputs(signature, asked)
        item_ids = [str(v) for v in outputs[signatures.ITEM_IDS][0]]
        shown = sum(1 for item_id in item_ids if item_id)
        return Page(
            item_ids=item_ids[:shown],
            scores=[float(v) for v in outputs[signatures.SCORES][0]][:shown],
            reasons=[str(v) for v in outputs[signatures.REASONS][0]][:shown],
        )

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> SoukClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
