"""A model server in a thread of the test process, and models to put into it."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import uvloop
from tensorflow.core.protobuf import saved_model_pb2

from core import features, signatures
from serving.model_server.options import ServerConfig
from serving.model_server.server import ModelServer


class RunningServer:
    """Serves on free ports while the `with` block runs; ready on entry."""

    def __init__(self, base_path: Path, *, wait: bool = True, **settings: Any) -> None:
        defaults: dict[str, Any] = {
            "port": -1,
            "rest_api_port": -1,
            "file_system_poll_wait_seconds": 0.05,
        }
        if "model_config_file" not in settings:
            defaults["model_base_path"] = str(base_path)
        self.config = ServerConfig(**{**defaults, **settings})
        self._wait = wait

    def __enter__(self) -> RunningServer:
        self.loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.server: ModelServer = self.call(self._start())
        return self

    async def _start(self) -> ModelServer:
        server = ModelServer(self.config)
        await server.start()
        while self._wait and not server.manager.ready:
            await asyncio.sleep(0.01)
        return server

    def call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def refresh(self) -> None:
        """Looks at the model folders now."""
        self.call(self.server.manager.refresh())

    @property
    def grpc_target(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self.server.rest_api_port}"

    def __exit__(self, *unused: object) -> None:
        self.call(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


def add_classic_signatures(version: Path) -> None:
    """Adds `classify_items` and `regress_items`, which TF 2 cannot export, by hand.

    Both parse examples as serving_default does; its `score` [B, 1] is their output.
    """
    file = version / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    definitions = model.meta_graphs[0].signature_def
    default = definitions["serving_default"]
    for kind, output in (("classify", "scores"), ("regress", "outputs")):
        made = definitions[f"{kind}_items"]
        made.inputs["inputs"].CopyFrom(default.inputs["examples"])
        made.outputs[output].CopyFrom(default.outputs["score"])
        made.method_name = f"tensorflow/serving/{kind}"
    file.write_bytes(model.SerializeToString())


def search_inputs(query: str, *, history: list[str], k: int = 5) -> dict[str, Any]:
    """Every input of `search` for one person, in column format."""
    return {**recommend_inputs(history=history, k=k), features.QUERY: [query]}


def recommend_inputs(
    *, history: list[str], k: int = 5, user_id: str = "anna"
) -> dict[str, Any]:
    """Every input of `recommend` for one person, in column format."""
    width = max(len(history), 1)
    return {
        features.USER_ID: [user_id],
        features.HISTORY_ITEM_IDS: [history or [""]],
        features.HISTORY_EVENTS: [["purchase"] * width],
        features.HISTORY_TIMESTAMPS: [list(range(1, width + 1))],
        features.TIMESTAMP: [100],
        "country": [""],
        signatures.EXCLUDE_ITEM_IDS: [[""]],
        signatures.CATEGORIES: [[""]],
        signatures.PRICE_MIN: [0.0],
        signatures.PRICE_MAX: [0.0],
        signatures.IN_STOCK_ONLY: [False],
        signatures.K: k,
    }


_TYPES: dict[str, Any] = {
    features.HISTORY_TIMESTAMPS: np.int64,
    features.TIMESTAMP: np.int64,
    signatures.PRICE_MIN: np.float32,
    signatures.PRICE_MAX: np.float32,
    signatures.IN_STOCK_ONLY: np.bool_,
    signatures.K: np.int32,
}


def as_arrays(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """Column-format inputs as NumPy arrays of the signature's types."""
    return {n: np.array(v, _TYPES.get(n, object)) for n, v in inputs.items()}


def body(**document: Any) -> bytes:
    return orjson.dumps(document)
