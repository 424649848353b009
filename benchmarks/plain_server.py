"""The bench's peer: the same protocols, one plain `signatures[...]` call a request.

Run as `python -m benchmarks.plain_server` with the model server's flags.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.saved_model import loader_impl

from serving.model_server import batching, options, server
from serving.model_server.saved_model import TensorSpec


class PlainSignature:
    """A signature called as the tutorials do."""

    def __init__(self, name: str, definition: Any, function: Any) -> None:
        self.name = name
        self.method_name = definition.method_name
        self.inputs = {a: TensorSpec.of(a, i) for a, i in definition.inputs.items()}
        self.outputs = {a: TensorSpec.of(a, i) for a, i in definition.outputs.items()}
        self.plan = batching.Plan(inputs=(), outputs=0, width=None, batchable=False)
        self._function = function

    def order(self, values: dict[str, np.ndarray]) -> list[np.ndarray]:
        return [values[name] for name in self.inputs]

    def run(self, feeds: list[np.ndarray]) -> list[np.ndarray]:
        tensors = {
            name: tf.constant(feed)
            for name, feed in zip(self.inputs, feeds, strict=True)
        }
        outputs = self._function(**tensors)
        return [outputs[name].numpy() for name in self.outputs]


class PlainModel:
    """A loaded version, in the shape that the model server expects."""

    def __init__(self, name: str, version: int, path: Path) -> None:
        self.name, self.version, self.path = name, version, path
        self.in_flight = 0
        self._loaded = tf.saved_model.load(str(path))
        graph = loader_impl.parse_saved_model(str(path)).meta_graphs[0]
        self.definitions = {
            key: graph.signature_def[key] for key in self._loaded.signatures
        }
        self.signatures = {
            key: PlainSignature(key, self.definitions[key], function)
            for key, function in self._loaded.signatures.items()
        }

    def signature(self, name: str) -> PlainSignature:
        return self.signatures[name or "serving_default"]

    def close(self) -> None:
        self._loaded = None


if __name__ == "__main__":
    server.serve(options.parse(), load=PlainModel)  # type: ignore[arg-type]
