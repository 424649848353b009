"""Against a calculation by hand."""

from __future__ import annotations

import re

import pytest

from core.errors import ConfigError
from serving.batching_parameters import batching_parameters, main

# Requests per second: 1,000; 4,000; 6,400; 5,333.
MEASURED = {1: 0.001, 8: 0.002, 32: 0.005, 64: 0.012}


def test_hand_calculation() -> None:
    # 64: 2 x 12 ms > 20 ms. 32: 2 x 5 ms fits, 1.6 times as many as 8 a second.
    # Left of the budget: 10 ms; a lone request takes 1 ms, so a batch waits 1 ms.
    # In one second 200 batches of 5 ms run.
    found = batching_parameters(MEASURED, budget_s=0.020)
    assert found.max_batch_size == 32
    assert found.batch_timeout_micros == 1000
    assert found.max_enqueued_batches == 200
    assert found.allowed_batch_sizes == (1, 8, 32)


def test_the_budget_limits_size_and_wait() -> None:
    # 2 x 5 ms > 9 ms: size 8 remains, and of 9 ms 5 are left: still 1 ms.
    found = batching_parameters(MEASURED, budget_s=0.009)
    assert (found.max_batch_size, found.batch_timeout_micros) == (8, 1000)
    # 4.5 ms leave 0.5 ms to wait.
    assert batching_parameters(MEASURED, budget_s=0.0045).batch_timeout_micros == 500


def test_a_size_that_brings_no_throughput_is_not_taken() -> None:
    found = batching_parameters({1: 0.001, 2: 0.002, 4: 0.004}, budget_s=1)
    assert (found.max_batch_size, found.batch_timeout_micros) == (1, 0)
    # 64 fits a second, but 32 answers more requests.
    assert batching_parameters(MEASURED, budget_s=1).max_batch_size == 32


def test_the_file_has_tensorflow_serving_s_fields(capsys) -> None:
    main(["--budget-ms", "20", "1=1", "8=2", "32=5", "64=12"])
    # session_bundle_config.proto: numbers are wrapped, allowed sizes are repeated.
    assert capsys.readouterr().out.splitlines() == [
        "max_batch_size { value: 32 }",
        "batch_timeout_micros { value: 1000 }",
        "num_batch_threads { value: 1 }",
        "max_enqueued_batches { value: 200 }",
        "allowed_batch_sizes: 1",
        "allowed_batch_sizes: 8",
        "allowed_batch_sizes: 32",
    ]


def test_impossible_budgets_and_missing_measurements_say_so() -> None:
    with pytest.raises(ConfigError, match="twice a lone request"):
        batching_parameters(MEASURED, budget_s=0.001)
    with pytest.raises(ConfigError, match="size 1 among them"):
        batching_parameters({8: 0.002}, budget_s=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["1=abc"], "SIZE=MILLISECONDS.*Received: '1=abc'"),
        (["1:5.2"], "SIZE=MILLISECONDS.*Received: '1:5.2'"),
        (["1=1", "2.5=2"], "a whole number. Received: '2.5=2'"),
        (["1=1=2"], "SIZE=MILLISECONDS.*Received: '1=1=2'"),
        (["1=nan"], "a finite time > 0. Received: nan"),
        (["1=inf"], "a finite time > 0. Received: inf"),
        (["1=1", "8=-2"], "a finite time > 0. Received: -0.002"),
        (["0=3", "1=1"], "sizes >= 1, size 1 among them. Received"),
        (["1=1", "8=2", "8=3"], "Received: 8 twice, again as '8=3'"),
        (["--budget-ms", "nan", "1=1"], "`budget_s` must be a finite time > 0"),
        (["--queue-ms", "inf", "1=1"], "`queue_s` must be a finite time > 0"),
    ],
)
def test_what_is_no_measurement_is_refused_by_name(arguments, said, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--budget-ms", "20", *arguments])
    captured = capsys.readouterr()
    assert (ended.value.code, captured.out) == (2, "")
    assert re.search(said, captured.err)
