"""TensorFlow Serving's stock stubs against our server."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from serving.model_server.grpc_service import PredictionService
from serving.model_server.metrics import Metrics
from tests.serving.running import (
    RunningServer,
    as_arrays,
    recommend_inputs,
    search_inputs,
)

pytestmark = pytest.mark.slow  # a server is started

Stub = prediction_service_pb2_grpc.PredictionServiceStub


@pytest.fixture(scope="module")
def channel(running: RunningServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(running.grpc_target) as channel:
        yield channel


@pytest.fixture(scope="module")
def stub(channel: grpc.Channel) -> Stub:
    return Stub(channel)


def predict_request(
    inputs: dict[str, Any], signature: str = "recommend"
) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "souk"
    request.model_spec.signature_name = signature
    for name, value in as_arrays(inputs).items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def outputs_of(response: predict_pb2.PredictResponse) -> dict[str, np.ndarray]:
    return {name: tf.make_ndarray(t) for name, t in response.outputs.items()}


def example(item_id: str) -> tf.train.Example:
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[item_id.encode()]))
    return tf.train.Example(features=tf.train.Features(feature={"item_id": feature}))


def refused(call: Any, request: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as error:
        call(request, timeout=10)
    return error.value


def test_predict_answers_as_the_reloaded_model_does(
    stub: Stub, small_models: dict[int, Path]
) -> None:
    inputs = recommend_inputs(history=["item-00003", "item-00007"])
    function = tf.saved_model.load(str(small_models[2])).signatures["recommend"]
    expected = function(**{n: tf.constant(v) for n, v in as_arrays(inputs).items()})

    response = stub.Predict(predict_request(inputs), timeout=10)

    outputs = outputs_of(response)
    assert outputs["item_ids"].tolist() == expected["item_ids"].numpy().tolist()
    np.testing.assert_allclose(outputs["scores"], expected["scores"], atol=1e-6)
    assert response.model_spec.name == "souk"
    assert response.model_spec.version.value == 2
    assert response.model_spec.signature_name == "recommend"


def test_batched_answers_equal_single_ones(stub: Stub) -> None:
    random = np.random.default_rng(0)
    requests = []
    for number in range(60):
        length = int(random.integers(0, 30))
        history = [f"item-{i:05d}" for i in random.integers(0, 200, length)]
        inputs = recommend_inputs(
            history=history, k=int(random.integers(1, 40)), user_id=f"user-{number}"
        )
        inputs["exclude_item_ids"] = [[f"item-{i:05d}" for i in range(number % 5 + 1)]]
        requests.append(predict_request(inputs))
    assert_batched_equal_single(stub, requests)


def test_batched_searches_equal_single_ones(stub: Stub) -> None:
    random = np.random.default_rng(1)
    queries = ("red lamp", "vase", "a rug in green or in blue", "", "保温杯", "White")
    requests = []
    for number in range(48):
        length = int(random.integers(0, 30))
        history = [f"item-{i:05d}" for i in random.integers(0, 200, length)]
        query, k = queries[number % len(queries)], int(random.integers(1, 40))
        inputs = search_inputs(query, history=history, k=k)
        requests.append(predict_request(inputs, "search"))
    answers = assert_batched_equal_single(stub, requests)

    for number, answer in enumerate(answers):
        found = [item for item in answer["item_ids"][0].tolist() if item]
        assert bool(found) == (queries[number % len(queries)] not in ("", "保温杯"))


def assert_batched_equal_single(
    stub: Stub, requests: list[predict_pb2.PredictRequest]
) -> list[dict[str, np.ndarray]]:
    """Asks one by one and all at once; the answers."""
    alone = [outputs_of(stub.Predict(r, timeout=10)) for r in requests]

    with concurrent.futures.ThreadPoolExecutor(30) as threads:
        calls = threads.map(lambda r: stub.Predict(r, timeout=30), requests)
        together = [outputs_of(response) for response in calls]

    for request, single, batched in zip(requests, alone, together, strict=True):
        k = int(tf.make_ndarray(request.inputs["k"]))
        assert batched["item_ids"].shape == (1, k)
        assert batched["item_ids"].tolist() == single["item_ids"].tolist()
        np.testing.assert_allclose(batched["scores"], single["scores"], atol=1e-6)
    return together


def test_output_filter_leaves_what_is_asked_for(stub: Stub) -> None:
    request = predict_request(recommend_inputs(history=[]))
    request.output_filter.append("scores")

    assert list(stub.Predict(request, timeout=10).outputs) == ["scores"]

    request.output_filter[0] = "absent"
    error = refused(stub.Predict, request)
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "output tensor alias not found" in error.details()


def test_errors_carry_tensorflow_servings_codes(stub: Stub) -> None:
    missing = predict_request(recommend_inputs(history=[]))
    del missing.inputs["k"]
    wrong_type = predict_request(recommend_inputs(history=[]))
    wrong_type.inputs["k"].CopyFrom(tf.make_tensor_proto("ten"))
    wrong_shape = predict_request(recommend_inputs(history=[]))
    wrong_shape.inputs["k"].CopyFrom(tf.make_tensor_proto([10], tf.int32))
    no_signature = predict_request({}, signature="absent")
    no_model = predict_request({})
    no_model.model_spec.name = "absent"
    no_version = predict_request({})
    no_version.model_spec.version.value = 99

    invalid, precondition, absent = (
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.NOT_FOUND,
    )
    for request, code, text in [
        (missing, invalid, "Missing but required: {k}"),
        (wrong_type, invalid, "`k` must be int32"),
        (wrong_shape, invalid, "Received: [1]"),
        (no_signature, precondition, 'signature key "absent" not found'),
        (no_model, absent, "Servable not found for request: Latest(absent)"),
        (no_version, absent, "Servable not found for request: Specific(souk, 99)"),
    ]:
        error = refused(stub.Predict, request)
        assert error.code() == code
        assert text in error.details()


def test_an_error_inside_the_graph_is_the_callers_and_spares_others(stub: Stub) -> None:
    good = predict_pb2.PredictRequest()
    good.model_spec.name = "souk"
    good.inputs["examples"].CopyFrom(
        tf.make_tensor_proto([example("item-00004").SerializeToString()])
    )
    bad = predict_pb2.PredictRequest()
    bad.CopyFrom(good)
    bad.inputs["examples"].CopyFrom(tf.make_tensor_proto([b"not an example"]))

    calls = [stub.Predict.future(r, timeout=20) for r in [good, bad] * 10]

    for call in calls[0::2]:
        # prices of the small model are 1, 2, 3, ...: item 4 has 5
        assert outputs_of(call.result())["score"].tolist() == [[5.0]]
    for call in calls[1::2]:
        assert call.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_metadata_lists_the_signatures(stub: Stub) -> None:
    request = get_model_metadata_pb2.GetModelMetadataRequest()
    request.model_spec.name = "souk"
    assert refused(stub.GetModelMetadata, request).code() == (
        grpc.StatusCode.INVALID_ARGUMENT
    )
    request.metadata_field.append("signature_def")

    response = stub.GetModelMetadata(request, timeout=10)

    found = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(found)
    assert {"recommend", "search", "similar", "rank"} <= set(found.signature_def)
    k = found.signature_def["recommend"].inputs["k"]
    assert (k.dtype, list(k.tensor_shape.dim)) == (tf.int32.as_datatype_enum, [])
    assert response.model_spec.version.value == 2


def test_status_says_available(channel: grpc.Channel) -> None:
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "souk"

    (status,) = stub.GetModelStatus(request, timeout=10).model_version_status

    assert status.version == 2
    assert status.state == get_model_status_pb2.ModelVersionStatus.AVAILABLE
    assert status.status.error_code == 0
    request.model_spec.name = "absent"
    assert refused(stub.GetModelStatus, request).code() == grpc.StatusCode.NOT_FOUND


def test_classify_and_regress_where_the_signature_allows(stub: Stub) -> None:
    classify = classification_pb2.ClassificationRequest()
    classify.model_spec.name = "souk"
    classify.model_spec.signature_name = "classify_items"
    classify.input.example_list.examples.extend(map(example, ["item-00000", "x"]))
    regress = regression_pb2.RegressionRequest(
        model_spec=classify.model_spec, input=classify.input
    )
    regress.model_spec.signature_name = "regress_items"

    classes = stub.Classify(classify, timeout=10).result.classifications
    values = stub.Regress(regress, timeout=10).result.regressions

    # item 0 costs 1, an unknown item 0
    assert [[c.score for c in each.classes] for each in classes] == [[1.0], [0.0]]
    assert [each.value for each in values] == [1.0, 0.0]
    classify.model_spec.signature_name = "serving_default"
    error = refused(stub.Classify, classify)
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "Expected classification signature method_name" in error.details()


def test_examples_share_the_features_of_their_context(stub: Stub) -> None:
    request = regression_pb2.RegressionRequest()
    request.model_spec.name = "souk"
    request.model_spec.signature_name = "regress_items"
    both = request.input.example_list_with_context
    both.context.CopyFrom(example("item-00008"))
    both.examples.extend([tf.train.Example(), example("item-00001")])

    values = stub.Regress(request, timeout=10).result.regressions

    assert [each.value for each in values] == [9.0, 2.0]


def test_a_callers_own_deadline_is_no_error_of_the_server(
    running: RunningServer,
) -> None:
    service = PredictionService(running.server._predictor, Metrics())

    async def cancelled(request: Any) -> None:
        raise asyncio.CancelledError

    async def call() -> None:
        with pytest.raises(asyncio.CancelledError):
            await service._counted("Predict", predict_request({}), cancelled)

    asyncio.run(call())

    text = service._metrics.text().decode()
    assert 'request_count{model_name="souk",status="CANCELLED"} 1.0' in text
    assert 'status="INTERNAL"' not in text


def test_a_request_of_nothing_but_wrong_names_is_told_so(stub: Stub) -> None:
    request = predict_request({})
    for number in range(2000):
        request.inputs[f"no_such_input_{number}"].CopyFrom(tf.make_tensor_proto(1))

    with pytest.raises(grpc.RpcError) as caught:
        stub.Predict(request, timeout=10)

    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
