"""TensorFlow Serving's gRPC services."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import numpy as np
from google.protobuf import any_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from serving.model_server import examples, options, predict_request, tensor_codec
from serving.model_server.metrics import Metrics
from serving.model_server.predictor import Outputs, Predictor
from serving.model_server.saved_model import LoadedModel, Signature
from serving.model_server.status import (
    Code,
    StatusError,
    from_exception,
    invalid_argument,
)

SIGNATURE_DEF = "signature_def"
PREDICTION_SERVICE = "tensorflow.serving.PredictionService"

_GRPC_CODES = {code.value[0]: code for code in grpc.StatusCode}


def add_services(server: Any, predictor: Predictor, metrics: Metrics) -> None:
    """Registers PredictionService and ModelService with a grpc.aio server."""
    service = PredictionService(predictor, metrics)
    predict = grpc.unary_unary_rpc_method_handler(
        service.Predict,
        request_deserializer=predict_request.ShallowPredictRequest.FromString,
        response_serializer=predict_pb2.PredictResponse.SerializeToString,
    )
    # The first handler of a name counts.
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(
                PREDICTION_SERVICE, {"Predict": predict}
            ),
        )
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(
        ModelService(predictor), server
    )


async def _answer(work: Awaitable[Any], context: Any) -> Any:
    """The work's result; its error becomes the call's status."""
    try:
        return await work
    except Exception as error:
        status = from_exception(error)
        await context.abort(_GRPC_CODES[int(status.code)], status.message)


class PredictionService:
    """Predict, Classify, Regress and GetModelMetadata."""

    def __init__(self, predictor: Predictor, metrics: Metrics) -> None:
        self._predictor = predictor
        self._manager = predictor.manager
        self._metrics = metrics

    async def Predict(self, request: Any, context: Any) -> Any:
        return await _answer(self._counted("Predict", request, self._predict), context)

    async def Classify(self, request: Any, context: Any) -> Any:
        return await _answer(
            self._counted("Classify", request, self._classify), context
        )

    async def Regress(self, request: Any, context: Any) -> Any:
        return await _answer(self._counted("Regress", request, self._regress), context)

    async def GetModelMetadata(self, request: Any, context: Any) -> Any:
        return await _answer(self._metadata(request), context)

    async def MultiInference(self, request: Any, context: Any) -> Any:
        await context.abort(
            grpc.StatusCode.UNIMPLEMENTED, "MultiInference: send Classify and Regress."
        )

    async def _counted(
        self, api: str, request: Any, work: Callable[[Any], Awaitable[Any]]
    ) -> Any:
        started = time.perf_counter()
        status = "OK"
        try:
            return await work(request)
        except BaseException as error:
            status = from_exception(error).code.name
            raise
        finally:
            self._metrics.request(
                model=request.model_spec.name,
                api=api,
                entrypoint="GRPC",
                status=status,
                seconds=time.perf_counter() - started,
            )

    def _acquire(self, spec: model_pb2.ModelSpec) -> LoadedModel:
        version = spec.version.value if spec.HasField("version") else None
        return self._manager.acquire(
            spec.name, version=version, label=spec.version_label
        )

    async def _run(
        self,
        request: Any,
        feeds_of: Callable[[Signature], list[np.ndarray]],
    ) -> tuple[LoadedModel, Signature, Outputs]:
        loaded = self._acquire(request.model_spec)
        try:
            signature = loaded.signature(request.model_spec.signature_name)
            feeds = feeds_of(signature)
        except BaseException:
            self._manager.release(loaded)
            raise
        outputs = await self._predictor.run(loaded, signature, feeds)
        return loaded, signature, outputs

    async def _predict(self, request: Any) -> predict_pb2.PredictResponse:
        def feeds_of(signature: Signature) -> list[np.ndarray]:
            _check_filter(request.output_filter, signature)
            return signature.order(predict_request.tensors(request.inputs))

        loaded, signature, outputs = await self._run(request, feeds_of)
        response = predict_pb2.PredictResponse()
        _fill_spec(response.model_spec, loaded, signature)
        for alias in request.output_filter or outputs:
            tensor_codec.encode(outputs[alias], response.outputs[alias])
        return response

    async def _classify(
        self, request: Any
    ) -> classification_pb2.ClassificationResponse:
        outputs, rows, response = await self._run_examples(
            request, examples.CLASSIFY, classification_pb2.ClassificationResponse()
        )
        response.result.CopyFrom(examples.classifications(outputs, rows))
        return response

    async def _regress(self, request: Any) -> regression_pb2.RegressionResponse:
        outputs, rows, response = await self._run_examples(
            request, examples.REGRESS, regression_pb2.RegressionResponse()
        )
        response.result.CopyFrom(examples.regressions(outputs, rows))
        return response

    async def _run_examples(
        self, request: Any, method_name: str, response: Any
    ) -> tuple[Outputs, int, Any]:
        feed = examples.serialized(request.input)

        def feeds_of(signature: Signature) -> list[np.ndarray]:
            examples.require_method(signature, method_name)
            return [feed]

        loaded, signature, outputs = await self._run(request, feeds_of)
        _fill_spec(response.model_spec, loaded, signature)
        return outputs, feed.shape[0], response

    async def _metadata(self, request: Any) -> Any:
        if not request.metadata_field:
            raise invalid_argument(
                "GetModelMetadataRequest must specify at least one metadata_field"
            )
        for field in request.metadata_field:
            if field != SIGNATURE_DEF:
                raise invalid_argument(f"Metadata field {field} is not supported")
        loaded = self._acquire(request.model_spec)
        try:
            return metadata_of(loaded)
        finally:
            self._manager.release(loaded)


class ModelService:
    """GetModelStatus and HandleReloadConfigRequest."""

    def __init__(self, predictor: Predictor) -> None:
        self._manager = predictor.manager

    async def GetModelStatus(self, request: Any, context: Any) -> Any:
        return await _answer(self._status(request), context)

    async def _status(self, request: Any) -> Any:
        spec = request.model_spec
        version = spec.version.value if spec.HasField("version") else None
        response = get_model_status_pb2.GetModelStatusResponse()
        found = self._manager.status(
            spec.name, version=version, label=spec.version_label
        )
        for number, status in found:
            entry = response.model_version_status.add(
                version=number, state=int(status.state)
            )
            entry.status.error_code = int(status.code)
            entry.status.error_message = status.message
        return response

    async def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:
        response = model_management_pb2.ReloadConfigResponse()
        try:
            await self._manager.reload(options.models_of(request.config))
        except Exception as error:
            status = from_exception(error)
            response.status.error_code = int(status.code)
            response.status.error_message = status.message
        return response


def metadata_of(loaded: LoadedModel) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """The signatures of a version, as GetModelMetadata answers."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, definition in loaded.definitions.items():
        signatures.signature_def[name].CopyFrom(definition)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = loaded.name
    response.model_spec.version.value = loaded.version
    packed = any_pb2.Any()
    packed.Pack(signatures)
    response.metadata[SIGNATURE_DEF].CopyFrom(packed)
    return response


def _fill_spec(spec: Any, loaded: LoadedModel, signature: Signature) -> None:
    spec.name = loaded.name
    spec.signature_name = signature.name
    spec.version.value = loaded.version


def _check_filter(wanted: Any, signature: Signature) -> None:
    if not wanted:
        return
    for alias in wanted:
        if alias not in signature.outputs:
            raise invalid_argument(
                f"output tensor alias not found in signature: {alias} Outputs expected "
                "to be in the set {" + ",".join(sorted(signature.outputs)) + "}."
            )
    if len(set(wanted)) != len(wanted):
        raise StatusError(Code.INVALID_ARGUMENT, "duplicate output tensor alias")
