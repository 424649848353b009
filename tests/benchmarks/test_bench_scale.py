"""The growth table: exponents, the projection, and what a stopped run leaves."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import bench_scale

GIB = 2.0**30


def took(cpu_s: float, peak_gib: float = 1.0) -> dict[str, float]:
    return {"wall_s": cpu_s, "cpu_s": cpu_s, "peak_bytes": peak_gib * GIB}


def test_the_exponent_is_that_of_the_last_two_sizes() -> None:
    times = {10: took(5.0), 100: took(1.0), 1_000: took(100.0)}
    assert bench_scale.exponent(times) == pytest.approx(2.0)  # 100 = 10 ^ 2


def test_a_billion_events_are_projected_and_never_below_linear() -> None:
    # 36 s at 10^6 events; exponent 2: x 10^6; below 1, x 10^3.
    square = {10**5: took(0.36), 10**6: took(36.0)}
    assert bench_scale.projection(square) == pytest.approx(0.01 * 10**6)
    flat = {10**5: took(36.0), 10**6: took(36.0)}
    assert bench_scale.projection(flat) == pytest.approx(0.01 * 10**3)


def test_what_misses_a_bar_is_named() -> None:
    measured = {
        "Fine": {10: took(1.0), 100: took(10.0)},
        "Steep": {10: took(1.0), 100: took(100.0)},
        "Large": {10: took(1.0), 100: took(1.0, 9.0)},
    }
    steep, large = bench_scale.missed_bars(measured)
    assert steep.startswith("Steep grows as n^2.00")
    assert large.startswith("Large takes 9.0 GiB")


def test_a_stopped_run_shows_what_it_has_and_can_go_on(tmp_path: Path) -> None:
    measured = {"Clean": {10: took(1.0), 100: took(2.0)}, "Join": {10: took(1.0)}}
    path = tmp_path / "scale.json"
    path.write_text(json.dumps(measured))
    assert bench_scale.read(path) == measured
    assert bench_scale.read(tmp_path / "none.json") == {}
    screen = io.StringIO()
    Console(file=screen, width=200).print(bench_scale.report(measured))
    assert screen.getvalue().count("not measured") == 1
