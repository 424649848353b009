"""Requests become one batch and its outputs become answers again: pure NumPy."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np

from core import signatures

# Widths up to this one share a batch whatever they are; wider ones only with widths of
# the same power of two, so that one long history does not make 31 short ones long.
FREE_WIDTH = 64


class Spec(Protocol):
    """What a plan needs to know of an input or output."""

    @property
    def shape(self) -> tuple[int | None, ...] | None: ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class Input:
    """How one input joins a batch."""

    alias: str
    kind: Literal["rows", "padded", "page_size", "equal"]
    front: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """How requests of one signature join a batch.

    `rows` inputs are concatenated; `padded` ones are first padded on axis 1 to the
    widest (core.signatures.BATCH_PADDING); the `page_size` scalar becomes the largest;
    `equal` ones must be the same in all requests.
    """

    inputs: tuple[Input, ...]
    outputs: int
    width: (
        int | None
    )  # input whose value (`k`) or width (candidates) is axis 1 of outputs
    batchable: bool


def plan(inputs: Mapping[str, Spec], outputs: Mapping[str, Spec]) -> Plan:
    """The plan of a signature; not batchable unless batch dimensions are unknown."""
    planned = tuple(_input(alias, spec) for alias, spec in inputs.items())
    kinds = {each.kind for each in planned}
    leading = all(spec.shape and spec.shape[0] is None for spec in outputs.values())
    batched = bool(kinds & {"rows", "padded"})
    return Plan(
        inputs=planned,
        outputs=len(outputs),
        width=_width_input(planned),
        batchable=batched and leading and bool(outputs),
    )


def _input(alias: str, spec: Spec) -> Input:
    shape = spec.shape
    if shape == () and alias == signatures.K:
        return Input(alias=alias, kind="page_size")
    if not shape or shape[0] is not None:
        return Input(alias=alias, kind="equal")
    side = signatures.BATCH_PADDING.get(alias)
    if side and len(shape) == 2 and shape[1] is None:
        return Input(alias=alias, kind="padded", front=side == "front")
    return Input(alias=alias, kind="rows")


def _width_input(inputs: Sequence[Input]) -> int | None:
    for i, each in enumerate(inputs):
        if each.kind == "page_size" or each.alias == signatures.CANDIDATE_ITEM_IDS:
            return i
    return None


def batch_key(plan: Plan, feeds: Sequence[np.ndarray]) -> tuple[int, Hashable]:
    """(rows, key): requests with equal keys may share a batch; rows 0 = run alone."""
    if not plan.batchable:
        return 0, None
    rows = -1
    key: list[Hashable] = []
    front = {f.shape[1] for i, f in zip(plan.inputs, feeds, strict=True) if i.front}
    if len(front) > 1:
        return 0, None  # pads in front would move one against the other
    for each, feed in zip(plan.inputs, feeds, strict=True):
        if each.kind == "page_size":
            continue
        if each.kind == "equal":
            key.append((feed.shape, feed.tobytes() if feed.dtype.kind != "O" else None))
            if feed.dtype.kind == "O":
                key.append(tuple(feed.ravel().tolist()))
            continue
        if rows not in (-1, feed.shape[0]):
            return 0, None  # the graph decides what unequal rows mean
        rows = feed.shape[0]
        if each.kind == "padded":
            width = feed.shape[1]
            key.append(0 if width <= FREE_WIDTH else (width - 1).bit_length())
        elif feed.ndim > 1:
            key.append(feed.shape[1:])
    return rows, tuple(key)


def join(plan: Plan, requests: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """One batch of feeds from the feeds of several requests with one key."""
    if len(requests) == 1:
        return list(requests[0])
    joined = []
    for i, each in enumerate(plan.inputs):
        parts = [feeds[i] for feeds in requests]
        if each.kind == "page_size":
            joined.append(max(parts, key=int))
        elif each.kind == "equal":
            joined.append(parts[0])
        elif each.kind == "padded":
            joined.append(_pad(parts, front=each.front))
        else:
            joined.append(np.concatenate(parts))
    return joined


def _pad(parts: list[np.ndarray], *, front: bool) -> np.ndarray:
    """[sum of B, max of W] from parts [B, W]; pads are '' or 0."""
    width = max(part.shape[1] for part in parts)
    if all(part.shape[1] == width for part in parts):
        return np.concatenate(parts)
    rows = sum(part.shape[0] for part in parts)
    dtype = parts[0].dtype
    padded = np.full((rows, width), b"" if dtype.kind == "O" else 0, dtype)
    start = 0
    for part in parts:
        count, own = part.shape
        columns = slice(width - own, width) if front else slice(0, own)
        padded[start : start + count, columns] = part
        start += count
    return padded


def split(
    plan: Plan,
    requests: Sequence[Sequence[np.ndarray]],
    rows: Sequence[int],
    outputs: list[np.ndarray],
) -> list[list[np.ndarray]] | None:
    """Each request's own rows and columns of the outputs.

    None where an output's rows are not the batch's: such a signature cannot be batched.
    """
    if len(requests) == 1:
        return [outputs]
    total = sum(rows)
    if any(output.ndim == 0 or output.shape[0] != total for output in outputs):
        return None
    answers = []
    start = 0
    for feeds, count in zip(requests, rows, strict=True):
        own = [output[start : start + count] for output in outputs]
        width = _own_width(plan, feeds)
        if width is not None:
            own = [part[:, :width] if part.ndim > 1 else part for part in own]
        answers.append(own)
        start += count
    return answers


def _own_width(plan: Plan, feeds: Sequence[np.ndarray]) -> int | None:
    if plan.width is None:
        return None
    feed: Any = feeds[plan.width]
    if plan.inputs[plan.width].kind == "page_size":
        return max(int(feed), 0)
    return int(feed.shape[1])
