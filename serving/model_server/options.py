"""Settings of the model server: its flags and model_config_file, as TF Serving's."""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from core import signatures
from core.config.base import Config
from core.errors import ConfigError
from serving.model_server.model import ModelConfig
from serving.model_server.status import invalid_argument
from serving.model_server.versions import VersionPolicy

ANY_PORT = -1  # the system chooses; TensorFlow Serving has no such value
NO_PORT = 0  # the protocol is off, as in TensorFlow Serving


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServerConfig(Config):
    """One field per flag of `python -m serving.model_server`."""

    model_base_path: str = ""
    model_name: str = signatures.MODEL_NAME
    model_config_file: str = ""  # instead of the two above
    port: int = 8500  # gRPC; 0 = off, -1 = any free one
    rest_api_port: int = 8501  # the same
    host: str = "127.0.0.1"
    file_system_poll_wait_seconds: float = 1.0
    max_num_load_retries: int = 5
    load_retry_interval_seconds: float = 60.0
    # Rows that run together: 32 is where the funnel's cost per row stops falling.
    max_batch_size: int = 32
    max_enqueued_requests: int = 1000
    num_batch_threads: int = 0  # 0: one per core, at most 4
    tensorflow_intra_op_parallelism: int = 0  # 0: one thread per batch thread
    # When what standard input is connected to has gone away, the server ends.
    stop_at_end_of_input: bool = False
    ready_file: str = ""  # written when serving: {"port": ..., "rest_api_port": ...}

    def __post_init__(self) -> None:
        for name in ("port", "rest_api_port"):
            self.require(-1 <= getattr(self, name) <= 65535, name, "-1 .. 65535")
        self.require(
            self.port != NO_PORT or self.rest_api_port != NO_PORT,
            "port",
            "on where rest_api_port is off",
        )
        self.require(
            bool(self.model_base_path) != bool(self.model_config_file),
            "model_base_path",
            "given, or else model_config_file",
        )
        self.require(self.file_system_poll_wait_seconds > 0, _POLL, "> 0")
        for name in ("max_batch_size", "max_enqueued_requests"):
            self.require(getattr(self, name) >= 1, name, ">= 1")
        for name in ("num_batch_threads", "tensorflow_intra_op_parallelism"):
            self.require(getattr(self, name) >= 0, name, ">= 0")

    @property
    def batch_threads(self) -> int:
        return self.num_batch_threads or min(os.cpu_count() or 1, 4)

    @property
    def intra_op_threads(self) -> int:
        return self.tensorflow_intra_op_parallelism or 1

    def models(self) -> list[ModelConfig]:
        """The models to serve.

        Raises:
          ConfigError: the model_config_file cannot be read.
        """
        if not self.model_config_file:
            base = Path(self.model_base_path)
            return [ModelConfig(name=self.model_name, base_path=base)]
        try:
            text = Path(self.model_config_file).read_text()
            proto = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
            return models_of(proto)
        except (OSError, text_format.ParseError, ValueError) as error:
            raise ConfigError(
                f"`{self.model_config_file}` must hold a ModelServerConfig in "
                f"protobuf's text format: {error}"
            ) from error


_POLL = "file_system_poll_wait_seconds"


def models_of(proto: Any) -> list[ModelConfig]:
    """The models of a ModelServerConfig.

    Raises:
      StatusError: there is no model_config_list, or an entry lacks name or base_path.
    """
    if proto.WhichOneof("config") != "model_config_list":
        raise invalid_argument("The config must hold a model_config_list.")
    return [_model_of(entry) for entry in proto.model_config_list.config]


def _model_of(entry: Any) -> ModelConfig:
    if not entry.name or not entry.base_path:
        raise invalid_argument("A model config needs `name` and `base_path`.")
    policy = entry.model_version_policy
    kind = policy.WhichOneof("policy_choice")
    return ModelConfig(
        name=entry.name,
        base_path=Path(entry.base_path),
        policy=VersionPolicy(
            latest=max(policy.latest.num_versions, 1),
            specific=tuple(policy.specific.versions) if kind == "specific" else (),
            serve_all=kind == "all",
        ),
        labels=dict(entry.version_labels),
    )


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"true or false, not {text!r}")
    return text.lower() == "true"


def parse(arguments: Sequence[str] | None = None) -> ServerConfig:
    """Settings from command-line flags, `--port=8500` and the like."""
    parser = argparse.ArgumentParser(
        prog="python -m serving.model_server",
        description="TensorFlow Serving's gRPC and REST APIs over a SavedModel folder.",
    )
    for field in dataclasses.fields(ServerConfig):
        kind: Any = _truth if isinstance(field.default, bool) else type(field.default)
        parser.add_argument(f"--{field.name}", type=kind, default=field.default)
    return ServerConfig(**vars(parser.parse_args(arguments)))
