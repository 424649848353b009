"""What a caller gives becomes the inputs of a signature, or an error that names one."""

from __future__ import annotations

import contextlib
import dataclasses
import numbers
import operator
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from core import features, signatures
from core.errors import InvalidRequestError
from core.text.displayed import category_path, displayed
from serving.transports import InputSpec


class _Kind(NamedTuple):
    dtype: Any
    rule: str
    remedy: str


_KINDS = {
    "DT_STRING": _Kind(object, "text", "Pass a str."),
    "DT_INT32": _Kind(np.int32, "a whole number", "Pass an int."),
    "DT_INT64": _Kind(np.int64, "a whole number", "Pass an int."),
    "DT_FLOAT": _Kind(np.float32, "a number", "Pass a float."),
    "DT_BOOL": _Kind(np.bool_, "true or false", "Pass a bool."),
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
            object.__setattr__(self, name, tuple(listed(name, getattr(self, name))))


def page_size(k: Any) -> int:
    """`k` as an int.

    Raises:
      InvalidRequestError: it is no whole number, or out of range.
    """
    try:
        size = operator.index(k)
    except TypeError:
        size = 0
    if not 1 <= size <= signatures.MAX_K:
        raise InvalidRequestError(
            f"`k` must be a whole number between 1 and {signatures.MAX_K}. "
            f"Received: {k!r}. Pass an int in that range."
        )
    return size


def text(name: str, value: Any) -> str:
    """A text given as str or as UTF-8 bytes.

    Raises:
      InvalidRequestError: it is neither.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        with contextlib.suppress(UnicodeDecodeError):
            return value.decode()
    raise InvalidRequestError(
        f"Input `{name}` must be text. Received: {value!r}. "
        "Pass a str, or bytes in UTF-8."
    )


def person_inputs(
    user_id: str,
    history: Iterable[HistoryEvent | tuple[Any, ...]],
    timestamp: int | None,
    context: Mapping[str, str] | None,
) -> dict[str, Any]:
    """Inputs of a person and a time; context as Clean leaves the log's.

    Raises:
      InvalidRequestError: an event is no (item_id, event, timestamp), or the context
        no mapping.
    """
    events = history_events(history)
    if not isinstance(context, Mapping | None):
        raise InvalidRequestError(
            "`context` must map the names of context features to their values. "
            f'Received: {context!r}. Pass a dict such as {{"country": "France"}}.'
        )
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


def history_events(
    history: Iterable[HistoryEvent | tuple[Any, ...]],
) -> list[HistoryEvent]:
    """A history's events.

    Raises:
      InvalidRequestError: an event is no (item_id, event, timestamp).
    """
    return [_event(event) for event in listed("history", history)]


def _event(event: HistoryEvent | tuple[Any, ...]) -> HistoryEvent:
    most = len(HistoryEvent._fields)
    if isinstance(event, (tuple, list)) and 1 <= len(event) <= most:
        return HistoryEvent(*event)
    raise InvalidRequestError(
        f"`history` must hold (item_id, event, timestamp). Received: {event!r}. "
        "Pass `HistoryEvent`s or tuples."
    )


def filter_inputs(filters: Filters) -> dict[str, Any]:
    """Inputs of a page's filters; categories as Clean leaves the catalogue's.

    Raises:
      InvalidRequestError: they are no `Filters`.
    """
    if not isinstance(filters, Filters):
        raise InvalidRequestError(
            f"`filters` must be `Filters`. Received: {filters!r}. "
            "Write Filters(price_max=20) in place of {'price_max': 20}."
        )
    paths = [
        category_path(path) if isinstance(path, str) else path
        for path in filters.categories
    ]
    return {**vars(filters), signatures.CATEGORIES: paths}


def listed(name: str, values: Iterable[Any]) -> list[Any]:
    """The values as a list.

    Raises:
      InvalidRequestError: they are one text, or cannot be iterated over.
    """
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
    kind = _KINDS.get(spec.dtype)
    if kind is None:
        raise InvalidRequestError(f"Input `{name}` has the type {spec.dtype}.")
    is_text = kind.dtype is object
    if value is None or (spec.rank >= 2 and not len(listed(name, value))):
        return np.full((1,) * spec.rank, b"" if is_text else 0, kind.dtype)
    try:
        array = np.array(_encoded(value), object) if is_text else _numbers(value, kind)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidRequestError(
            f"Input `{name}` must be {kind.rule}. Received: {value!r} ({error}). "
            f"{kind.remedy}"
        ) from error
    return array if spec.rank == 0 else array[np.newaxis]


def _numbers(value: Any, kind: _Kind) -> np.ndarray:
    """The numbers as an array of the input's type; none is cut or read from a text."""
    given = np.asarray(value)
    if given.dtype.kind not in "buif" and not _are_numbers(given):
        raise TypeError("it is no number")
    with np.errstate(invalid="ignore", over="ignore"):  # compared below
        array = given.astype(kind.dtype)
    if kind.dtype is not np.float32 and not np.array_equal(array, given):
        raise ValueError(f"{np.dtype(kind.dtype).name} would change it")
    return array


def _are_numbers(given: np.ndarray) -> bool:
    """Whether an array of objects holds numbers alone: prices as Decimal do."""
    return given.dtype.kind == "O" and all(
        isinstance(value, numbers.Number) for value in given.flat
    )


def _encoded(value: Any) -> Any:
    """Texts as UTF-8 bytes, in lists as they are nested."""
    if isinstance(value, (str, bytes)):
        return value.encode() if isinstance(value, str) else value
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_encoded(item) for item in value]
    raise TypeError(f"{type(value).__name__} is no text")
