"""Saturation and latency of the model server, beside a plain signature call a request.

    python -m benchmarks.bench_serving [--model var/demo/serving/souk] [--seconds 30]

Everything runs on this machine: server, then load generator, in processes of their own.
With a model of `souk run`, latency at shares of the saturation rate is left for the
next report, in `HOME/SHOP/benchmarks`.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

import numpy as np
import orjson

from core import features, signatures
from core.layout import LOAD_CURVE
from serving import load
from serving.embedded import EmbeddedServer
from serving.transports import GrpcTransport, InputSpec, Specs

DEFAULT_MODEL = Path("var/demo/serving") / signatures.MODEL_NAME
P99_LIMIT_MS = {"rest": 10.0, "grpc": 15.0}
SEARCH_S = 4.0  # length of each run of the saturation search
# Shares of the saturation rate that the curve is drawn at, beside the half.
CURVE_SHARES = (0.1, 0.25, 0.7, 0.85)
CURVE_S = 10.0


def item_ids_of(transport: GrpcTransport, specs: Specs) -> list[str]:
    """Items that the model knows, asked from a few pages of people without history."""
    inputs = {n: neutral(spec) for n, spec in specs.items()}
    inputs[signatures.K] = np.array(signatures.MAX_K, np.int32)
    page = transport.predict(signatures.RECOMMEND, inputs)[signatures.ITEM_IDS]
    return [item_id for item_id in page[0].tolist() if item_id]


def neutral(spec: InputSpec) -> np.ndarray:
    kinds = {"DT_STRING": object, "DT_INT32": np.int32, "DT_INT64": np.int64}
    kinds |= {"DT_FLOAT": np.float32, "DT_BOOL": np.bool_}
    dtype = kinds[spec.dtype]
    return np.full((1,) * spec.rank, b"" if dtype is object else 0, dtype)


def requests(specs: Specs, item_ids: list[str], count: int) -> list[dict]:
    """Requests for `recommend`: histories of 1 to 40 events, k = 10, some filters."""
    random = np.random.default_rng(7)
    made = []
    for number in range(count):
        length = int(random.integers(1, 41))
        inputs = {name: neutral(spec) for name, spec in specs.items()}
        now = 1_700_000_000
        history = [i.encode() for i in random.choice(item_ids, length)]
        times = now - np.sort(random.integers(1, 90 * 86_400, length))[::-1]
        inputs |= {
            features.USER_ID: _strings([b"user-%d" % number]),
            features.HISTORY_ITEM_IDS: _strings(history)[np.newaxis],
            features.HISTORY_EVENTS: _strings([b"purchase"] * length)[np.newaxis],
            features.HISTORY_TIMESTAMPS: times.astype(np.int64)[np.newaxis],
            features.TIMESTAMP: np.array([now], np.int64),
            signatures.K: np.array(10, np.int32),
        }
        if number % 4 == 0:
            inputs[signatures.IN_STOCK_ONLY] = np.array([True])
            inputs[signatures.EXCLUDE_ITEM_IDS] = _strings(history[:1])[np.newaxis]
        made.append(inputs)
    return made


def _strings(values: list[bytes]) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def rest_payload(inputs: dict) -> bytes:
    def plain(array: np.ndarray) -> object:
        if array.dtype.kind != "O":
            return array.tolist()
        flat = np.array([v.decode() for v in array.ravel()], object)
        return flat.reshape(array.shape).tolist()

    columns = {name: plain(value) for name, value in inputs.items()}
    return orjson.dumps({"signature_name": "recommend", "inputs": columns})


def grpc_payload(inputs: dict) -> bytes:
    from tensorflow_serving.apis import predict_pb2

    from serving.model_server import tensor_codec

    request = predict_pb2.PredictRequest()
    request.model_spec.name = signatures.MODEL_NAME
    request.model_spec.signature_name = signatures.RECOMMEND
    for name, value in inputs.items():
        tensor_codec.encode(value, request.inputs[name])
    return request.SerializeToString()


def payloads_for(server: EmbeddedServer) -> dict[str, list[bytes]]:
    transport = GrpcTransport(server.grpc_target, signatures.MODEL_NAME, 30.0)
    specs = transport.specs()[signatures.RECOMMEND]
    made = requests(specs, item_ids_of(transport, specs), 200)
    transport.close()
    return {
        "rest": [rest_payload(inputs) for inputs in made],
        "grpc": [grpc_payload(inputs) for inputs in made],
    }


def bench(model: Path, seconds: float, curve_path: Path | None = None) -> bool:
    """Prints the table and writes the curve; returns whether all bars are met."""
    rows, met, curves = [], True, {}
    for protocol in ("rest", "grpc"):
        rates = {}
        for kind, module in (("souk", None), ("plain", "benchmarks.plain_server")):
            flags = {} if module is None else {"num_batch_threads": 2}
            with EmbeddedServer(model, module=module, flags=flags) as server:
                payloads = payloads_for(server)[protocol]
                port = server.rest_api_port if protocol == "rest" else server.port
                config = load.LoadConfig(
                    protocol=protocol, port=port, duration_s=SEARCH_S
                )
                rates[kind] = load.saturation(config, payloads)
                half = config.replace(rate=rates[kind] / 2, duration_s=seconds)
                result = load.measure(half, payloads)
                if kind == "souk" and curve_path:
                    curves[protocol] = _curve(rates[kind], half, result, payloads)
            rows.append((protocol, kind, rates[kind], result))
            _print_row(*rows[-1])
            if kind == "souk":
                met &= result.p99_ms < P99_LIMIT_MS[protocol] and not result.errors
        ratio = rates["souk"] / rates["plain"]
        print(f"{protocol}: {ratio:.2f} x the plain call's saturation (bar 2)")
        met &= ratio >= 2
    if curve_path:
        version = max((p.name for p in model.iterdir() if p.name.isdigit()), key=int)
        found = {"version": version, "cores": os.cpu_count(), "curves": curves}
        curve_path.parent.mkdir(parents=True, exist_ok=True)
        curve_path.write_text(json.dumps(found, indent=1), "utf-8")
        print(f"latency by rate, for the next report: {curve_path}")
    return met


def _curve(
    saturation: float,
    half: load.LoadConfig,
    at_half: load.LoadResult,
    payloads: list[bytes],
) -> dict:
    """Latencies by rate, open loop; the half was measured already."""
    results = {half.rate: at_half}
    for share in CURVE_SHARES:
        config = half.replace(rate=share * saturation, duration_s=CURVE_S)
        results[config.rate] = load.measure(config, payloads)
    points = [
        {"rate": rate, "p50_ms": r.p50_ms, "p99_ms": r.p99_ms, "errors": r.errors}
        for rate, r in sorted(results.items())
    ]
    return {"saturation": saturation, "points": points}


def _print_row(protocol: str, kind: str, rate: float, result: load.LoadResult) -> None:
    limit = f"< {P99_LIMIT_MS[protocol]:.0f}" if kind == "souk" else ""
    print(
        f"{protocol:5} {kind:6} {rate:>12.0f} {rate / 2:>10.0f} {result.p50_ms:>8.2f} "
        f"{result.p90_ms:>8.2f} {result.p99_ms:>8.2f} {result.max_ms:>8.2f} "
        f"{result.errors:>7} {limit:>10}",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    print(f"cores: {os.cpu_count()}, load before: {os.getloadavg()[0]:.1f}")
    print(
        "api   server  saturation/s  at rate/s   p50 ms   p90 ms   p99 ms   max ms"
        "  errors   p99 bar"
    )
    if options.model.is_dir():
        curve_path = options.model.parent.parent / "benchmarks" / LOAD_CURVE
        return 0 if bench(options.model, options.seconds, curve_path) else 1
    from serving.small_bundle import save_small_bundle

    print(f"(no model under {options.model}: a small one of 4,000 items)")
    with tempfile.TemporaryDirectory() as folder:
        save_small_bundle(Path(folder) / "1", num_items=4000)
        return 0 if bench(Path(folder), options.seconds) else 1


if __name__ == "__main__":
    raise SystemExit(main())
