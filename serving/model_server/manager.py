"""The models in service: watches folders, swaps versions, counts who uses what."""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from serving.model_server import versions, warmup
from serving.model_server.model import Model, ModelConfig, State, VersionStatus
from serving.model_server.saved_model import LoadedModel
from serving.model_server.status import (
    Code,
    StatusError,
    from_exception,
    invalid_argument,
    not_found,
)

logger = logging.getLogger(__name__)

Load = Callable[[str, int, Path], LoadedModel]


class ModelManager:
    """Keeps the loaded versions equal to what folders and policies ask for.

    All methods run on the event loop's thread; only loading, warming and closing happen
    in another one. A new version is in service before the old one leaves it.
    """

    def __init__(
        self,
        *,
        poll_s: float = 1.0,
        retry_s: float = 60.0,
        max_retries: int = 5,
        session_config: Any = None,
        load: Load | None = None,
    ) -> None:
        self._poll_s = poll_s
        self._retry_s = retry_s
        self._max_retries = max_retries
        self._session_config = session_config
        self._load = load or self._load_and_warm
        self._models: dict[str, Model] = {}
        self._threads = concurrent.futures.ThreadPoolExecutor(1, "loader")
        self._lock = asyncio.Lock()
        self._reloading = asyncio.Lock()  # beside `_lock`, which `refresh` takes
        self._closing: set[asyncio.Future[None]] = set()
        self._looked = False
        self._watcher: asyncio.Task[None] | None = None

    def configure(self, configs: Sequence[ModelConfig]) -> None:
        """Sets the models to serve; `refresh` acts on it."""
        wanted = {config.name: config for config in configs}
        if len(wanted) != len(configs):
            raise invalid_argument("Two models have the same name.")
        for name, model in self._models.items():
            model.config = wanted.pop(name, None)
        for name, config in wanted.items():
            self._models[name] = Model(name, config)

    def start(self) -> None:
        """Begins to watch the folders."""
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            try:
                await self.refresh()
            except Exception:
                logger.exception("Watching the model folders failed; trying again.")
            await asyncio.sleep(self._poll_s)

    async def refresh(self) -> None:
        """Looks at every folder once, and loads and retires what has to be."""
        async with self._lock:
            for model in list(self._models.values()):
                await self._refresh(model)
                if not (model.config or model.loaded or model.retiring):
                    del self._models[model.name]
            self._looked = True

    async def _refresh(self, model: Model) -> None:
        if model.config is None:
            wanted: list[int] = []
        else:
            found = await self._in_thread(
                versions.find_versions, model.config.base_path
            )
            model.forget_failures_but(found)
            wanted = await self._load_wanted(model, found)
            if not found or not any(v in model.loaded for v in wanted):
                return  # nothing better: what is in service stays
        for version in [v for v in model.loaded if v not in wanted]:
            self._retire(model, version)

    async def _load_wanted(self, model: Model, found: dict[int, Path]) -> list[int]:
        """Loads until the chosen versions are in service, passing over broken ones."""
        while model.config is not None:
            usable = []
            for version, path in found.items():
                if model.serves(version, path) or not await self._is_broken(
                    model, version, path
                ):
                    usable.append(version)
            wanted = model.config.policy.choose(usable)
            missing = [v for v in reversed(wanted) if not model.serves(v, found[v])]
            if not missing:
                return wanted
            await self._bring_up(model, missing[0], found[missing[0]])
        return []

    async def _is_broken(self, model: Model, version: int, path: Path) -> bool:
        failure = model.failures.get(version)
        if failure is None:
            return False
        due = time.monotonic() - failure.at > self._retry_s
        if due and failure.count <= self._max_retries:
            return False
        marks = await self._in_thread(versions.fingerprint, path)
        return marks == failure.fingerprint

    async def _bring_up(self, model: Model, version: int, path: Path) -> None:
        model.status[version] = VersionStatus(State.LOADING)
        marks = await self._in_thread(versions.fingerprint, path)
        started = time.perf_counter()
        try:
            loaded = await self._in_thread(self._load, model.name, version, path)
        except Exception as error:
            status = from_exception(error)
            model.fail(version, marks, status)
            logger.error(
                "%s version %d cannot be loaded: %s",
                model.name,
                version,
                status.message,
            )
            return
        replaced = model.put(version, loaded)
        if replaced is not None and not replaced.in_flight:
            self._close(model, replaced)
        seconds = time.perf_counter() - started
        logger.info("%s version %d in service (%.1f s)", model.name, version, seconds)

    def _load_and_warm(self, name: str, version: int, path: Path) -> LoadedModel:
        loaded = LoadedModel(
            name=name, version=version, path=path, session_config=self._session_config
        )
        try:
            warmup.warm(loaded)
        except BaseException:
            loaded.close()
            raise
        return loaded

    def _retire(self, model: Model, version: int) -> None:
        loaded = model.take_out(version)
        logger.info("%s version %d leaves service", model.name, version)
        if loaded.in_flight == 0:
            self._close(model, loaded)

    def _close(self, model: Model, loaded: LoadedModel) -> None:
        if loaded.version not in model.loaded:  # else another folder's took its place
            model.status[loaded.version] = VersionStatus(State.END)
        future = asyncio.ensure_future(self._in_thread(loaded.close))
        self._closing.add(future)
        future.add_done_callback(self._closing.discard)

    def acquire(
        self, name: str, *, version: int | None = None, label: str = ""
    ) -> LoadedModel:
        """The version to use for a request; give it back with `release`.

        Raises:
          StatusError: NOT_FOUND, or INVALID_ARGUMENT for an unknown label.
        """
        model = self._models.get(name)
        if not name:
            raise invalid_argument("Model name must not be empty.")
        if label:
            version = self._labelled(model, label)
        if model is not None:
            found = model.latest if version is None else model.loaded.get(version)
            if found is not None:
                found.in_flight += 1
                return found
        which = f"Latest({name})" if version is None else f"Specific({name}, {version})"
        raise not_found(f"Servable not found for request: {which}")

    def release(self, loaded: LoadedModel) -> None:
        """Ends a use; the last one of a retired version closes it."""
        loaded.in_flight -= 1
        if loaded.in_flight == 0:
            model = self._models.get(loaded.name)
            if model is not None and loaded in model.retiring:
                model.retiring.remove(loaded)
                self._close(model, loaded)

    def _labelled(self, model: Model | None, label: str) -> int:
        labels = model.config.labels if model and model.config else {}
        if label not in labels:
            raise invalid_argument(f"Unrecognized servable version label: {label}")
        return labels[label]

    def status(
        self, name: str, *, version: int | None = None, label: str = ""
    ) -> list[tuple[int, VersionStatus]]:
        """(version, status) of a model's versions, newest first.

        Raises:
          StatusError: NOT_FOUND where there is no such model or version.
        """
        model = self._models.get(name)
        if label:
            version = self._labelled(model, label)
        known = {} if model is None else model.status
        if version is not None:
            if version not in known:
                raise not_found(f"Could not find version {version} of model {name}")
            return [(version, known[version])]
        if not known:
            raise not_found(f"Could not find any versions of model {name}")
        return sorted(known.items(), reverse=True)

    async def reload(self, configs: Sequence[ModelConfig]) -> None:
        """Changes to these models and returns when they are in service.

        Calls at once take turns; the last one's models stay.

        Raises:
          StatusError: a model has no version in service, or a label names none.
        """
        async with self._reloading:
            await self._reload(configs)

    async def _reload(self, configs: Sequence[ModelConfig]) -> None:
        before = {name: m.config.labels for name, m in self._models.items() if m.config}
        # Labels stay where they are until all of the new ones name what is in service.
        kept = [dataclasses.replace(c, labels=before.get(c.name, {})) for c in configs]
        self.configure(kept)
        await self.refresh()
        for config in configs:
            model = self._models[config.name]
            folders = {loaded.path.parent for loaded in model.loaded.values()}
            if config.base_path not in folders:
                raise StatusError(
                    Code.NOT_FOUND,
                    f"No version of {config.name} found under {config.base_path}",
                )
            for label, version in config.labels.items():
                if version not in model.loaded:
                    raise StatusError(
                        Code.FAILED_PRECONDITION,
                        f"Request to assign label {label} to version {version} of "
                        f"model {config.name}, which is not currently available for "
                        "inference",
                    )
        self.configure(configs)

    @property
    def ready(self) -> bool:
        """Whether every configured model has a version in service."""
        wanted = [m for m in self._models.values() if m.config is not None]
        return bool(wanted) and all(m.loaded for m in wanted)

    @property
    def is_waiting(self) -> bool:
        """Whether the folders were looked at and some model has nothing to load."""
        return self._looked and any(not m.status for m in self._models.values())

    async def close(self) -> None:
        """Stops watching and closes every version that nobody uses."""
        if self._watcher is not None:
            self._watcher.cancel()
        async with self._lock:
            for model in self._models.values():
                for version in list(model.loaded):
                    self._retire(model, version)
        await asyncio.gather(*self._closing, return_exceptions=True)
        self._threads.shutdown(wait=True)

    async def _in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *args)
