"""What the manager knows of one model: its settings and its versions' states."""

from __future__ import annotations

import dataclasses
import enum
import time
from pathlib import Path

from serving.model_server.saved_model import LoadedModel
from serving.model_server.status import Code, StatusError
from serving.model_server.versions import VersionPolicy


class State(enum.IntEnum):
    """TensorFlow Serving's ModelVersionStatus.State."""

    UNKNOWN = 0
    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclasses.dataclass(frozen=True)
class VersionStatus:
    """State of a version, with the error that ended it where there was one."""

    state: State
    code: Code = Code.OK
    message: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """A model to serve: name, folder, which versions, and their labels."""

    name: str
    base_path: Path
    policy: VersionPolicy = dataclasses.field(default_factory=VersionPolicy)
    labels: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Failure:
    """A version that did not load."""

    at: float  # time.monotonic
    count: int
    fingerprint: tuple[tuple[str, int, int], ...]


class Model:
    """Versions of one model, in service, retiring and failed."""

    def __init__(self, name: str, config: ModelConfig | None) -> None:
        self.name = name
        self.config = config
        self.loaded: dict[int, LoadedModel] = {}
        self.retiring: list[LoadedModel] = []
        self.status: dict[int, VersionStatus] = {}
        self.failures: dict[int, Failure] = {}
        self.latest: LoadedModel | None = None

    def serves(self, version: int, path: Path) -> bool:
        """Whether a version is in service from this folder, not from another one."""
        loaded = self.loaded.get(version)
        return loaded is not None and loaded.path == path

    def put(self, version: int, loaded: LoadedModel) -> LoadedModel | None:
        """Puts a loaded version into service; returns the one whose place it takes."""
        replaced = self.loaded.get(version)
        if replaced is not None and replaced.in_flight:
            self.retiring.append(replaced)
        self.loaded[version] = loaded
        self.failures.pop(version, None)
        self.status[version] = VersionStatus(State.AVAILABLE)
        self.latest = self.loaded[max(self.loaded)]
        return replaced

    def take_out(self, version: int) -> LoadedModel:
        """Takes a version out of service; requests under way keep it."""
        loaded = self.loaded.pop(version)
        self.latest = self.loaded[max(self.loaded)] if self.loaded else None
        self.status[version] = VersionStatus(State.UNLOADING)
        if loaded.in_flight:
            self.retiring.append(loaded)
        return loaded

    def fail(
        self,
        version: int,
        fingerprint: tuple[tuple[str, int, int], ...],
        error: StatusError,
    ) -> None:
        """Notes that a version did not load, and why."""
        before = self.failures.get(version)
        changed = before is None or before.fingerprint != fingerprint
        self.failures[version] = Failure(
            at=time.monotonic(),
            count=1 if before is None or changed else before.count + 1,
            fingerprint=fingerprint,
        )
        self.status[version] = VersionStatus(State.END, error.code, error.message)

    def forget_failures_but(self, found: dict[int, Path]) -> None:
        """Drops what is noted of broken versions whose folders are gone."""
        for version in [v for v in self.failures if v not in found]:
            del self.failures[version]
            self.status.pop(version, None)
