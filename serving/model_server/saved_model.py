"""A SavedModel in memory, callable by signature through the Session's fast door."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2

from serving.model_server import batching
from serving.model_server.status import Code, StatusError, invalid_argument

INIT_OP = "__saved_model_init_op"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TensorSpec:
    """One input or output of a signature."""

    alias: str
    tensor_name: str
    dtype: np.dtype[Any]  # object for strings
    shape: tuple[int | None, ...] | None  # None: unknown rank

    @classmethod
    def of(cls, alias: str, info: Any) -> TensorSpec:
        kind = tf.as_dtype(info.dtype)
        dims = info.tensor_shape
        shape = None if dims.unknown_rank else [d.size for d in dims.dim]
        return cls(
            alias=alias,
            tensor_name=info.name,
            dtype=np.dtype(kind.as_numpy_dtype),
            shape=None
            if shape is None
            else tuple(s if s >= 0 else None for s in shape),
        )

    @functools.cached_property
    def _is_fixed(self) -> bool:
        """Whether a length of the shape is told; a dozen inputs a request ask."""
        return self.shape is not None and any(s is not None for s in self.shape)

    def check(self, value: np.ndarray) -> None:
        """Raises StatusError where type or shape of a request's tensor do not fit."""
        if value.dtype != self.dtype:
            raise invalid_argument(
                f"Input `{self.alias}` must be {_type_name(self.dtype)}. "
                f"Received: {_type_name(value.dtype)}."
            )
        if self.shape is None:
            return
        fits = value.ndim == len(self.shape)
        if self._is_fixed:
            fits = fits and all(
                want is None or want == have
                for want, have in zip(self.shape, value.shape, strict=True)
            )
        if not fits:
            want_text = ",".join("?" if s is None else str(s) for s in self.shape)
            hint = (
                " A scalar goes into the column format ('inputs')."
                if self.shape == ()
                else ""
            )
            raise invalid_argument(
                f"Input `{self.alias}` must have shape [{want_text}]. "
                f"Received: {list(value.shape)}.{hint}"
            )


class Signature:
    """A named function of a loaded model; `run` takes and gives NumPy arrays."""

    def __init__(
        self, name: str, definition: meta_graph_pb2.SignatureDef, session: Any
    ) -> None:
        self.name = name
        self.method_name: str = definition.method_name
        self.inputs = {a: TensorSpec.of(a, i) for a, i in definition.inputs.items()}
        self.outputs = {a: TensorSpec.of(a, i) for a, i in definition.outputs.items()}
        self.plan = batching.plan(self.inputs, self.outputs)
        options = config_pb2.CallableOptions(
            feed=[spec.tensor_name for spec in self.inputs.values()],
            fetch=[spec.tensor_name for spec in self.outputs.values()],
            # Below zero: ops run in the caller's thread, which halves a small call.
            run_options=config_pb2.RunOptions(inter_op_thread_pool=-1),
        )
        self._call = session._make_callable_from_options(options)

    def run(self, feeds: list[np.ndarray]) -> list[np.ndarray]:
        """Outputs in the order of `outputs` for feeds in the order of `inputs`."""
        fetched: list[np.ndarray] = self._call(*feeds)
        return fetched

    def order(self, values: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Checked feeds in the order of `inputs`.

        Raises:
          StatusError: an input is missing, unknown, or of another type or shape.
        """
        inputs = self.inputs
        if values.keys() != inputs.keys():
            raise _wrong_inputs(set(values), set(inputs))
        feeds = []
        for alias, spec in inputs.items():
            spec.check(values[alias])
            feeds.append(values[alias])
        return feeds

    def close(self) -> None:
        self._call = None


class LoadedModel:
    """One version of a model: its Session, its signatures, and who is using it."""

    def __init__(
        self, *, name: str, version: int, path: Path, session_config: Any = None
    ) -> None:
        """Loads the SavedModel; slow, for a thread beside the event loop."""
        self.name = name
        self.version = version
        self.path = path
        self.in_flight = 0  # touched on the event loop's thread only
        try:
            self._open(_one_by_one(session_config))
        except (tf.errors.FailedPreconditionError, tf.errors.UnimplementedError):
            self._open(session_config)  # that executor cannot, or none can: it will say

    def _open(self, session_config: Any) -> None:
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=graph, config=session_config)
        try:
            with graph.as_default():
                meta_graph = tf.compat.v1.saved_model.loader.load(
                    self._session, [tf.saved_model.SERVING], str(self.path)
                )
            self.definitions = {
                name: definition
                for name, definition in meta_graph.signature_def.items()
                if name != INIT_OP
            }
            self.signatures = {
                name: Signature(name, definition, self._session)
                for name, definition in self.definitions.items()
                if definition.outputs
            }
        except BaseException:
            self._session.close()
            raise

    def signature(self, name: str) -> Signature:
        """The named signature; '' means `serving_default`."""
        name = name or tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
        signature = self.signatures.get(name)
        if signature is None:
            raise StatusError(
                Code.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
            )
        return signature

    def close(self) -> None:
        """Frees the Session; nothing may be running in it."""
        for signature in self.signatures.values():
            signature.close()
        self._session.close()


def _one_by_one(session_config: Any) -> Any:
    """The same with the executor that runs a graph's ops in one fixed order.

    A call runs in one thread anyway; without queues and counters of inputs that are
    still to come, a page costs up to a tenth less. It cannot wait for a second device,
    and it refuses loops and variables by reference of TensorFlow 1
    (FailedPreconditionError and UnimplementedError).
    """
    if tf.config.list_physical_devices("GPU"):
        return session_config
    config = tf.compat.v1.ConfigProto()
    if session_config is not None:
        config.CopyFrom(session_config)
    config.experimental.executor_type = "SINGLE_THREADED_EXECUTOR"
    return config


def _wrong_inputs(sent: set[str], wanted: set[str]) -> StatusError:
    def names(values: set[str]) -> str:
        text = ",".join(sorted(values))
        return "{" + (text if len(text) <= 500 else text[:500] + "...") + "}"

    return invalid_argument(
        f"input size does not match signature: {len(sent)}!={len(wanted)} "
        f"len({names(sent)}) != len({names(wanted)}). Sent extra: "
        f"{names(sent - wanted)}. Missing but required: {names(wanted - sent)}."
    )


def _type_name(dtype: np.dtype[Any]) -> str:
    return "string" if dtype.kind == "O" else str(dtype)
