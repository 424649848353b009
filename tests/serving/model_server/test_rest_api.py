"""Plain HTTP against our server, as TensorFlow Serving's REST documentation has it."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.serving.model_server.test_grpc_api import example
from tests.serving.running import RunningServer, recommend_inputs, search_inputs

pytestmark = pytest.mark.slow  # a server is started

MODEL = "/v1/models/souk"


@pytest.fixture(scope="module")
def http(running: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.rest_url, timeout=20) as client:
        yield client


def post(http: httpx.Client, document: Any, method: str = "predict") -> httpx.Response:
    return http.post(f"{MODEL}:{method}", json=document)


def encoded(item_id: str) -> dict[str, str]:
    text = base64.b64encode(example(item_id).SerializeToString()).decode()
    return {"b64": text}


def test_column_format(http: httpx.Client) -> None:
    inputs = recommend_inputs(history=["item-00003"], k=3)
    response = post(http, {"signature_name": "recommend", "inputs": inputs})

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    outputs = response.json()["outputs"]
    assert set(outputs) == {"item_ids", "scores", "reasons"}
    assert len(outputs["item_ids"][0]) == 3
    assert outputs["reasons"] == [["similar"] * 3]
    assert sorted(outputs["scores"][0], reverse=True) == outputs["scores"][0]


def test_search_in_column_format(http: httpx.Client) -> None:
    inputs = search_inputs("green vase", history=["item-00003"], k=3)
    empty = search_inputs("", history=[], k=3)

    outputs = [
        post(http, {"signature_name": "search", "inputs": each}).json()["outputs"]
        for each in (inputs, empty)
    ]

    # item i is green if i % 4 == 1 and a vase if i % 3 == 1
    assert all(int(i[5:]) % 12 == 1 for i in outputs[0]["item_ids"][0])
    assert outputs[0]["reasons"] == [["matches your words"] * 3]
    assert outputs[1]["item_ids"] == outputs[1]["reasons"] == [[""] * 3]


def test_row_format_with_base64_and_a_single_output(http: httpx.Client) -> None:
    # prices are 1, 2, 3, ... and 0 for unknown items
    rows = [encoded("item-00001"), encoded("nothing"), encoded("item-00009")]

    by_value = post(http, {"instances": rows})
    by_name = post(http, {"instances": [{"examples": row} for row in rows]})
    by_column = post(http, {"inputs": {"examples": rows}})

    assert by_value.json() == {"predictions": [[2.0], [0.0], [10.0]]}
    assert by_name.json() == by_value.json()
    assert by_column.json() == {"outputs": [[2.0], [0.0], [10.0]]}


def test_row_format_with_several_outputs(http: httpx.Client) -> None:
    columns = recommend_inputs(history=["item-00003"])
    del columns["k"]
    for name in ("exclude_item_ids", "categories", "price_min", "price_max"):
        del columns[name]
    del columns["in_stock_only"]
    row = {name: value[0] for name, value in columns.items()}
    row["candidate_item_ids"] = ["item-00001", "item-00002"]

    response = post(http, {"signature_name": "rank", "instances": [row, row]})

    first, second = response.json()["predictions"]
    assert set(first) == {"score", "p_purchase"}
    assert len(first["score"]) == 2
    assert first == second


def test_scalars_need_the_column_format(http: httpx.Client) -> None:
    inputs = recommend_inputs(history=["item-00003"])
    row = {n: v if n == "k" else v[0] for n, v in inputs.items()}

    response = post(http, {"signature_name": "recommend", "instances": [row]})

    assert response.status_code == 400
    assert "column format" in response.json()["error"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "The document is empty"),
        (b"{", "JSON Parse error"),
        (b"[1]", "Is not object"),
        (b"{}", "Missing 'inputs' or 'instances' key"),
        (b'{"instances": []}', "No values in 'instances' array"),
        (b'{"instances": 1}', "Expecting 'instances' to be an list/array"),
        (b'{"instances": [1], "inputs": 2}', "only one of"),
        (b'{"signature_name": 5, "instances": [1]}', "must be a string value"),
        (b'{"signature_name": "x", "instances": [1]}', '"x" not found in signature'),
        (b'{"instances": [5]}', "is not of expected type: string"),
        (b'{"instances": [{"b64": "%"}]}', "Unable to base64 decode"),
        (b'{"instances": [["a"], "b"]}', "found at incorrect level"),
        (b'{"instances": [{"other": "a"}]}', "keys must be equal to: examples"),
        (b'{"signature_name": "recommend", "inputs": [1]}', "expecting an object"),
        (b'{"signature_name": "recommend", "inputs": {}}', "Missing named input"),
        (b"\xff\xfe\xff", "JSON Parse error"),
        (b'{"instances": ' + b"[" * 100 + b"]" * 100 + b"}", "at most 32 deep"),
        (b'{"instances": [NaN, ' + b"9" * 5000 + b"]}", "JSON Parse error"),
    ],
)
def test_bad_requests_are_explained(
    http: httpx.Client, content: bytes, text: str
) -> None:
    response = http.post(f"{MODEL}:predict", content=content)

    assert response.status_code == 400
    assert list(response.json()) == ["error"]
    assert text in response.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/models/absent:predict", 404),
        ("POST", "/v1/models/souk/versions/99:predict", 404),
        ("POST", "/v1/models/souk/labels/none:predict", 400),
        ("POST", f"/v1/models/souk/versions/{'9' * 5000}:predict", 400),
        ("POST", "/v1/models/souk:explain", 400),
        ("GET", "/v1/models/souk:predict", 400),
        ("GET", "/v1/models/absent", 404),
        ("GET", "/v1/models/absent/metadata", 404),
        ("GET", "/v1/models/souk/versions/99", 404),
        ("GET", "/v1/models", 400),
        ("GET", "/", 400),
        ("DELETE", "/v1/models/souk", 400),
    ],
)
def test_wrong_addresses(
    http: httpx.Client, method: str, path: str, status: int
) -> None:
    response = http.request(method, path, content=b'{"instances": ["a"]}')

    assert response.status_code == status
    assert list(response.json()) == ["error"]


def test_versions_in_the_path(http: httpx.Client) -> None:
    body = {"instances": [encoded("item-00001")]}

    assert http.post(f"{MODEL}/versions/2:predict", json=body).status_code == 200


def test_status_and_metadata(http: httpx.Client) -> None:
    status = http.get(MODEL).json()
    metadata = http.get(f"{MODEL}/metadata").json()

    assert status == {
        "model_version_status": [
            {
                "version": "2",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }
    assert http.get(f"{MODEL}/versions/2").json() == status
    assert metadata["model_spec"] == {
        "name": "souk",
        "signature_name": "",
        "version": "2",
    }
    recommend = metadata["metadata"]["signature_def"]["signature_def"]["recommend"]
    history = recommend["inputs"]["history_item_ids"]
    assert history["dtype"] == "DT_STRING"
    assert [d["size"] for d in history["tensor_shape"]["dim"]] == ["-1", "-1"]
    assert recommend["method_name"] == "tensorflow/serving/predict"


def test_classify_and_regress(http: httpx.Client) -> None:
    document = {
        "signature_name": "classify_items",
        "context": {"item_id": "item-00004"},
        "examples": [{"item_id": "item-00000"}, {}],
    }

    classified = post(http, document, "classify")
    regressed = post(http, {**document, "signature_name": "regress_items"}, "regress")

    assert classified.json() == {"results": [[["", 1.0]], [["", 5.0]]]}
    assert regressed.json() == {"results": [1.0, 5.0]}
    assert post(http, document, "regress").status_code == 400


def test_not_a_number_travels_both_ways(http: httpx.Client) -> None:
    inputs = recommend_inputs(history=["item-00003"], k=2)
    text = json.dumps({"signature_name": "recommend", "inputs": inputs})
    text = text.replace('"price_max": [0.0]', '"price_max": [Infinity]')
    assert "Infinity" in text

    response = http.post(f"{MODEL}:predict", content=text)

    assert response.status_code == 200


def test_gzipped_bodies(http: httpx.Client) -> None:
    body = json.dumps({"instances": [encoded("item-00001")]}).encode()
    headers = {"Content-Encoding": "gzip"}

    good = http.post(f"{MODEL}:predict", content=gzip.compress(body), headers=headers)
    bad = http.post(f"{MODEL}:predict", content=body, headers=headers)

    assert good.json() == {"predictions": [[2.0]]}
    assert bad.status_code == 400


def test_metrics_count_requests_and_batches(http: httpx.Client) -> None:
    post(http, {"instances": [encoded("item-00001")]})

    page = http.get("/monitoring/prometheus/metrics")

    assert page.headers["content-type"].startswith("text/plain")
    lines = page.text.splitlines()
    counted = ':tensorflow:serving:request_count{model_name="souk",status="OK"} '
    assert any(line.startswith(counted) for line in lines)
    assert "# TYPE :tensorflow:serving:request_count counter" in lines
    assert any(
        line.startswith(":tensorflow:serving:request_latency_bucket")
        and 'entrypoint="REST"' in line
        for line in lines
    )
    assert any("processed_batch_size_count" in line for line in lines)


@pytest.mark.parametrize("k", [2**31, 2**32 + 3, -(2**40)])
def test_a_number_beyond_its_type_is_the_callers_fault(
    http: httpx.Client, k: int
) -> None:
    inputs = recommend_inputs(history=[], k=k)

    response = post(http, {"signature_name": "recommend", "inputs": inputs})

    assert response.status_code == 400
    assert "`k`" in response.json()["error"]


def test_half_characters_are_the_callers_fault(http: httpx.Client) -> None:
    body = b'{"instances": ["\\ud800"]}'  # a lone surrogate

    assert http.post(f"{MODEL}:predict", content=body).status_code == 400
