"""The load generator stays on this machine, within bounds, and counts what it sends."""

from __future__ import annotations

import pytest

from core.errors import ConfigError
from serving.load import LoadConfig, measure
from tests.serving.model_server.test_grpc_api import predict_request
from tests.serving.running import RunningServer, body, recommend_inputs


def test_other_machines_are_refused() -> None:
    with pytest.raises(ConfigError, match="this machine"):
        LoadConfig(protocol="rest", host="example.org", port=80)


def test_requests_are_bounded() -> None:
    with pytest.raises(ConfigError, match="500000"):
        LoadConfig(protocol="rest", port=80, rate=100_000, duration_s=60)
    with pytest.raises(ConfigError, match="duration_s"):
        LoadConfig(protocol="rest", port=80, duration_s=3600)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_an_open_loop_sends_what_is_due(running: RunningServer, protocol: str) -> None:
    inputs = recommend_inputs(history=["item-00001"])
    payloads = {
        "rest": body(signature_name="recommend", inputs=inputs),
        "grpc": predict_request(inputs).SerializeToString(),
    }
    server = running.server
    config = LoadConfig(
        protocol=protocol,  # type: ignore[arg-type]
        port=server.rest_api_port if protocol == "rest" else server.port,
        rate=50,
        duration_s=1.0,
        warmup_s=0.2,
        connections=8,
    )

    result = measure(config, [payloads[protocol]])

    # Poisson with mean 50: outside 20..80 once in 40,000 runs; the seed is fixed anyway
    assert 20 <= result.sent <= 80
    assert result.errors == 0
    assert 0 < result.p50_ms <= result.p99_ms <= result.max_ms


def test_wrong_answers_are_errors(running: RunningServer) -> None:
    config = LoadConfig(
        protocol="rest",
        port=running.server.rest_api_port,
        rate=0,
        duration_s=0.2,
        warmup_s=0,
        connections=1,
    )

    result = measure(config, [b"{}"])

    assert result.errors == result.sent > 0
