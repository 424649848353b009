"""The stock client of docs/serving.md works as it is printed."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from serving.model_server.options import ServerConfig
from tests.serving.running import RunningServer

REPOSITORY = Path(__file__).resolve().parents[2]
COMPOSE = REPOSITORY / "deploy" / "compose"


def test_the_stock_client_prints_a_page(
    running: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (REPOSITORY / "docs" / "serving.md").read_text()
    marked = text.partition("<!-- tested by tests/serving/test_docs.py -->")[2]
    script = marked.partition("```python\n")[2].partition("```")[0]
    assert len(script.splitlines()) <= 10
    assert "localhost:8500" in script

    exec(script.replace("localhost:8500", running.grpc_target), {})

    assert capsys.readouterr().out.count("item-") == 10


def test_the_search_by_curl_is_answered(running: RunningServer) -> None:
    text = (REPOSITORY / "docs" / "serving.md").read_text()
    example = next(part for part in text.split("```") if '"search"' in part)
    command, _, body = example.partition(" -d ")
    path = command.strip().removeprefix("curl localhost:8501")
    document = json.loads(body.strip().strip("'"))
    # the small model has lamps, no jugs
    document["inputs"]["query"] = ["lamp"]

    response = httpx.post(running.rest_url + path, json=document, timeout=20)

    assert response.status_code == 200, response.text
    assert len(response.json()["outputs"]["item_ids"][0]) == document["inputs"]["k"]


def test_the_compose_files_are_what_both_servers_read() -> None:
    config = ServerConfig(model_config_file=str(COMPOSE / "models.config"))
    (model,) = config.models()

    assert (model.name, str(model.base_path)) == ("souk", "/models/souk")
    path = 'path: "/monitoring/prometheus/metrics"'
    assert path in (COMPOSE / "monitoring.config").read_text()
