"""TensorFlow Serving's gRPC and REST APIs over a SavedModel folder.

protocols   grpc_service, http_protocol ▸ rest_api
wire        predict_request ▸ tensor_codec (TensorProto), json_tensors (JSON)
serving     predictor ▸ executor ▸ batching
models      manager ▸ versions, saved_model, warmup
process     options, server, metrics, status
"""
