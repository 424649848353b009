"""Versions that do not load are tried again, so often."""

from __future__ import annotations

import asyncio
import time

import pytest

from serving.model_server.manager import ModelManager
from serving.model_server.model import ModelConfig, State
from serving.model_server.status import StatusError


def test_a_broken_version_is_tried_so_often_and_no_more(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_text("not a model")
    tried = []

    def load(name, version, path):
        tried.append(version)
        raise ValueError("broken")

    async def scenario():
        manager = ModelManager(retry_s=0.05, max_retries=2, load=load)
        manager.configure([ModelConfig(name="souk", base_path=tmp_path)])
        for _ in range(8):
            await manager.refresh()
            time.sleep(0.1)
        before = len(tried)
        (tmp_path / "1" / "saved_model.pb").write_text("another one")
        await manager.refresh()
        await manager.close()
        return before

    assert asyncio.run(scenario()) == 3  # once, and two retries
    assert len(tried) > 3  # a changed file is a new chance


class Loaded:
    """What the manager keeps of a version."""

    def __init__(self, name, version, path):
        self.name, self.version, self.path = name, version, path
        self.in_flight = 0
        self.closed = False

    def close(self):
        self.closed = True


def _version(folder):
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "saved_model.pb").touch()
    return folder


def test_another_folder_takes_the_place_of_the_same_version(tmp_path):
    here, there = _version(tmp_path / "a"), _version(tmp_path / "b")

    async def scenario():
        manager = ModelManager(load=Loaded)
        manager.configure([ModelConfig(name="souk", base_path=here)])
        await manager.refresh()
        old = manager.acquire("souk")  # a request that is under way
        await manager.reload([ModelConfig(name="souk", base_path=there)])
        new = manager.acquire("souk")
        assert (old.path, new.path) == (here / "1", there / "1")
        assert not old.closed
        manager.release(old)
        manager.release(new)
        await asyncio.sleep(0.05)
        assert old.closed and not new.closed
        assert manager.status("souk")[0][1].state == State.AVAILABLE

        with pytest.raises(StatusError, match="No version of souk found under"):
            await manager.reload([ModelConfig(name="souk", base_path=tmp_path / "c")])
        assert manager.acquire("souk") is new  # what is in service stays
        manager.release(new)
        await manager.close()

    asyncio.run(scenario())


def test_reloads_at_once_take_turns(tmp_path):
    folders = {name: _version(tmp_path / name) for name in ("souk", "a", "b")}

    def configs(*names):
        return [ModelConfig(name=name, base_path=folders[name]) for name in names]

    async def scenario():
        manager = ModelManager(load=Loaded)
        await manager.reload(configs("souk"))
        await asyncio.gather(
            manager.reload(configs("souk", "a")), manager.reload(configs("souk", "b"))
        )
        for name in ("souk", "b"):
            manager.release(manager.acquire(name))
        with pytest.raises(StatusError, match=r"Servable not found.*Latest\(a\)"):
            manager.acquire("a")
        await manager.close()

    asyncio.run(scenario())
