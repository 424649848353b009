"""Versions that do not load are tried again, so often."""

from __future__ import annotations

import asyncio
import time

from serving.model_server.manager import ModelManager
from serving.model_server.model import ModelConfig


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
