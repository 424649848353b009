"""What the report says of the model server under load."""

from __future__ import annotations

from components.report.data import ReportData
from components.report.load import load
from components.report.write import render

CURVE = {
    "version": "1795593870",
    "cores": 2,
    "curves": {
        "rest": {
            "saturation": 1000.0,
            "points": [
                {"rate": 100.0, "p50_ms": 2.5, "p99_ms": 4.25, "errors": 0},
                {"rate": 500.0, "p50_ms": 3.5, "p99_ms": 8.75, "errors": 3},
            ],
        }
    },
}


def test_the_page_draws_latency_by_rate() -> None:
    page = render(ReportData(shop="s", created=0, load=CURVE))
    for said in ("1795593870", "2 cores", "1000 pages/s", "4.25", "8.75", "REST"):
        assert said in page
    found = load(CURVE)
    assert found is not None
    chart = str(found["cards"][0]["chart"])
    assert chart.count("<polyline") == 2  # median and p99
    assert ">100<" in chart and ">500<" in chart  # both ends of the rates


def test_without_the_benchmark_nothing_is_said() -> None:
    assert load(None) is None
    assert load({"version": "1", "cores": 2, "curves": {}}) is None
    assert "Under load" not in render(ReportData(shop="s", created=0))
