"""The process: both protocols on one event loop, from start to a clean end."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import socket
import sys
import time
from typing import Any

import grpc
import grpc.aio
import tensorflow as tf
import uvloop

from core.errors import ServingError
from core.whole_file import whole_file
from serving.model_server import grpc_service
from serving.model_server.executor import BatchExecutor
from serving.model_server.http_protocol import HttpProtocol
from serving.model_server.manager import Load, ModelManager
from serving.model_server.metrics import Metrics
from serving.model_server.options import ANY_PORT, NO_PORT, ServerConfig
from serving.model_server.predictor import Predictor
from serving.model_server.rest_api import RestApi
from serving.transports import MAX_MESSAGE_BYTES

GRACE_S = 10.0  # how long requests under way may take at the end
LAST_WRITES_S = 0.05  # for answers on their way to the sockets
# A thread that waits for the interpreter gets it after this long, not after 5 ms.
SWITCH_INTERVAL_S = 0.0005
# Containers made, less those freed, between two searches for garbage in cycles. Those
# of the requests under way alone are more than Python's 700.
COLLECT_AFTER = 2_000

logger = logging.getLogger(__name__)


class ModelServer:
    """Listens and serves; `port` and `rest_api_port` are known after `start`."""

    def __init__(self, config: ServerConfig, load: Load | None = None) -> None:
        """Args:
        load: makes a version's model in place of `LoadedModel` (benchmarks do).
        """
        self._config = config
        self._load = load
        self.port = 0
        self.rest_api_port = 0
        self._connections: set[HttpProtocol] = set()

    async def start(self) -> None:
        """Opens the ports and begins to load; returns before a model is ready.

        Raises:
          ServingError: a port is taken.
        """
        config = self._config
        session_config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=config.intra_op_threads,
            inter_op_parallelism_threads=config.batch_threads,
        )
        session_config.gpu_options.allow_growth = True
        self.manager = ModelManager(
            poll_s=config.file_system_poll_wait_seconds,
            retry_s=config.load_retry_interval_seconds,
            max_retries=config.max_num_load_retries,
            session_config=session_config,
            load=self._load,
        )
        self.manager.configure(config.models())
        self.metrics = Metrics(queued=lambda: self._executor.queued)
        self._executor = BatchExecutor(
            loop=asyncio.get_running_loop(),
            num_threads=config.batch_threads,
            max_rows=config.max_batch_size,
            max_queued=config.max_enqueued_requests,
            observe=self.metrics.batch,
        )
        self._predictor = Predictor(self.manager, self._executor)
        self._grpc = await self._start_grpc()
        self._rest = await self._start_rest()
        self.manager.start()

    async def _start_grpc(self) -> Any:
        if self._config.port == NO_PORT:
            return None
        server = grpc.aio.server(
            options=[
                ("grpc.so_reuseport", 0),  # a second server must fail, not share
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            ]
        )
        grpc_service.add_services(server, self._predictor, self.metrics)
        wanted = max(self._config.port, 0)
        _require_free(self._config.host, wanted, "port")
        try:
            self.port = server.add_insecure_port(_address(self._config.host, wanted))
        except RuntimeError as error:
            raise _port_taken(self._config.host, wanted, "port") from error
        await server.start()
        return server

    async def _start_rest(self) -> Any:
        if self._config.rest_api_port == NO_PORT:
            return None
        api = RestApi(self._predictor, self.metrics)
        wanted = max(self._config.rest_api_port, 0)
        try:
            server = await asyncio.get_running_loop().create_server(
                lambda: HttpProtocol(api, self._connections),
                self._config.host,
                wanted,
                backlog=1024,
            )
        except OSError as error:
            raise _port_taken(self._config.host, wanted, "rest_api_port") from error
        self.rest_api_port = server.sockets[0].getsockname()[1]
        return server

    async def _stop_grpc(self) -> None:
        # gRPC alone waits until every idle client notices; requests are what counts.
        stopping = asyncio.ensure_future(self._grpc.stop(GRACE_S))
        deadline = time.monotonic() + GRACE_S
        while self._predictor.in_flight and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        await asyncio.sleep(LAST_WRITES_S)
        await self._grpc.stop(0)
        await stopping

    async def stop(self) -> None:
        """Refuses new requests, answers those under way, frees the models."""
        if self._rest is not None:
            self._rest.close()
            for connection in list(self._connections):
                connection.drain()
        if self._grpc is not None:
            await self._stop_grpc()
        await asyncio.get_running_loop().run_in_executor(None, self._executor.close)
        await asyncio.sleep(0)  # what the executor delivered last
        await self.manager.close()


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _require_free(host: str, port: int, flag: str) -> None:
    """gRPC names no cause when it cannot bind, so a plain socket tries first."""
    if port == 0:
        return
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ServingError(
            f"Cannot listen on {host}: {error}. Give an address of this machine."
        ) from error
    family, kind, _, _, address = found[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise _port_taken(host, port, flag) from error


def _port_taken(host: str, port: int, flag: str) -> ServingError:
    return ServingError(
        f"Cannot listen on {_address(host, port)}: the port is taken or not allowed. "
        f"Stop what uses it, or choose another with --{flag}=PORT ({ANY_PORT}: any)."
    )


def say(text: str) -> None:
    """Prints a line; a reader that has gone away is no reason to fail."""
    try:
        print(text, flush=True)
    except (OSError, ValueError):
        # What the interpreter flushes at exit must not fail either.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115


async def _serve(config: ServerConfig, load: Load | None) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = ModelServer(config, load)
    await server.start()
    if config.stop_at_end_of_input:
        await loop.connect_read_pipe(lambda: _UntilEnd(stopping), sys.stdin)
    say(_addresses(config, server))
    ready = loop.create_task(_announce(config, server))
    await stopping.wait()
    ready.cancel()
    say("Stopping: answering the requests under way.")
    await server.stop()


class _UntilEnd(asyncio.Protocol):
    """Sets the event when the other end of a pipe is closed, by whatever end."""

    def __init__(self, ended: asyncio.Event) -> None:
        self._ended = ended

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended.set()


def _addresses(config: ServerConfig, server: ModelServer) -> str:
    parts = []
    if server.port:
        parts.append(f"gRPC on {config.host}:{server.port}")
    if server.rest_api_port:
        parts.append(f"REST on http://{config.host}:{server.rest_api_port}/v1/models/")
    return "Listening: " + ", ".join(parts)


async def _announce(config: ServerConfig, server: ModelServer) -> None:
    """Says when the models are ready, and meanwhile what is missing."""
    noticed = False
    while not server.manager.ready:
        await asyncio.sleep(0.05)
        if not noticed and server.manager.is_waiting:
            where = config.model_config_file or config.model_base_path
            say(f"No version of the model found yet under {where}; still watching.")
            noticed = True
    names = ", ".join(model.name for model in config.models())
    say(f"Ready: {names}")
    if config.ready_file:
        text = json.dumps({"port": server.port, "rest_api_port": server.rest_api_port})
        with whole_file(config.ready_file) as hidden:
            hidden.write_text(text)


def serve(config: ServerConfig, load: Load | None = None) -> None:
    """Serves until SIGTERM or SIGINT; `load` as in `ModelServer`.

    Raises:
      ServingError: a port is taken.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.set_threshold(COLLECT_AFTER)
    gc.freeze()  # modules: a search of TensorFlow's alone stops everything for .2 s
    uvloop.install()
    asyncio.run(_serve(config, load))
