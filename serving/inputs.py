"""What a caller gives becomes the inputs of a signature, or an error that names one."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from core import features, signatures
from core.errors import InvalidRequestError
from core.text.displayed import category_path, displayed
from serving.transports import InputSpec

_NUMPY = {
    "DT_STRING": object,
    "DT_INT32": np.int32,
    "DT_INT64": np.int64,
    "DT_FLOAT": np.float32,
    "DT_BOOL": np.bool_,
}


class HistoryEvent(NamedTuple):
    """Something that the person did before the request."""

    item_id: str
    event: str = features.PURCHASE
    timestamp: int = 0  # seconds since 1970, UTC


@dataclasses.dataclass(frozen=True, kw_only=True)
class Filters:
    """What may be on a page; the defaults rule out nothing.

    Raises:
      InvalidRequestError: what must be a list is none.
    """

    exclude_item_ids: Sequence[str] = ()
    categories: Sequence[str] = ()  # prefixes of category paths; none = any
    price_min: float = 0.0  # 0 = no limit
    price_max: float = 0.0  # 0 = no limit
    in_stock_only: bool = False

    def __post_init__(self) -> None:
        # Tuples, as several requests may read them: an iterator would be one's alone.
        for name in (signatures.EXCLUDE_ITEM_IDS, signatures.CATEGORIES):
            object.__setattr__(self, name, tuple(_listed(name, getattr(self, name))))


def person_inputs(
    user_id: str,
    history: Iterable[HistoryEvent | tuple[Any, ...]],
    timestamp: int | None,
    context: Mapping[str, str] | None,
) -> dict[str, Any]:
    """Inputs of a person and a time; context as Clean leaves the log's.

    Raises:
      InvalidRequestError: an event is no (item_id, event, timestamp).
    """
    events = [_event(event) for event in history]
    return {
        features.USER_ID: user_id,
        features.HISTORY_ITEM_IDS: [event.item_id for event in events],
        features.HISTORY_EVENTS: [event.event for event in events],
        features.HISTORY_TIMESTAMPS: [event.timestamp for event in events],
        features.TIMESTAMP: int(time.time()) if timestamp is None else timestamp,
        **{
            name: displayed(value) if isinstance(value, str) else value
            for name, value in (context or {}).items()
        },
    }


def _event(event: HistoryEvent | tuple[Any, ...]) -> HistoryEvent:
    most = len(HistoryEvent._fields)
    if isinstance(event, (tuple, list)) and 1 <= len(event) <= most:
        return HistoryEvent(*event)
    raise InvalidRequestError(
        f"`history` must hold (item_id, event, timestamp). Received: {event!r}."
    )


def filter_inputs(filters: Filters) -> dict[str, Any]:
    """Inputs of a page's filters; categories as Clean leaves the catalogue's."""
    paths = [
        category_path(path) if isinstance(path, str) else path
        for path in filters.categories
    ]
    return {**vars(filters), signatures.CATEGORIES: paths}


def _listed(name: str, values: Iterable[Any]) -> list[Any]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise InvalidRequestError(
            f"Input `{name}` must be a list. Received: {values!r}. "
            "A lone value goes into one: [value]."
        )
    return list(values)


def input_array(name: str, value: Any, spec: InputSpec) -> np.ndarray:
    """One row's input with its batch axis; neutral where there is no value.

    Raises:
      InvalidRequestError: the value is of another type than the input.
    """
    dtype = _NUMPY.get(spec.dtype)
    if dtype is None:
        raise InvalidRequestError(f"Input `{name}` has the type {spec.dtype}.")
    neutral: Any = b"" if dtype is object else 0
    if value is None or (spec.rank >= 2 and not len(_listed(name, value))):
        return np.full((1,) * spec.rank, neutral, dtype)
    try:
        array = np.array(_encoded(value) if dtype is object else value, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        kind = "text" if dtype is object else np.dtype(dtype).name
        raise InvalidRequestError(
            f"Input `{name}` must be {kind}. Received: {value!r} ({error})."
        ) from error
    return array if spec.rank == 0 else array[np.newaxis]


def _encoded(value: Any) -> Any:
    """Texts as UTF-8 bytes, in lists as they are nested."""
    if isinstance(value, (str, bytes)):
        return value.encode() if isinstance(value, str) else value
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_encoded(item) for item in value]
    raise TypeError(f"{type(value).__name__} is no text")
