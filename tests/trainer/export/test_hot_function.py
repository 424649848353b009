"""The hot path cut out of the bundle gives the page's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from core import signatures
from core.errors import ConfigError
from serving.inspect.hot_function import HotFunction, hot_function
from tests.trainer.export.conftest import make_bundle, page, person

pytestmark = pytest.mark.slow  # the whole bundle is saved and read again


@pytest.fixture(scope="module")
def request_() -> dict[str, np.ndarray]:
    histories = (["i01", "i05", "i09"], ["i02"], [])
    inputs = {**person(*histories), **page(3, k=6)}
    return {name: value.numpy() for name, value in inputs.items()}


@pytest.fixture(scope="module")
def hot(saved) -> HotFunction:
    return hot_function(saved, signatures.RECOMMEND)


def run(function: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    outputs = function(*(tf.constant(value) for value in inputs))
    return [output.numpy() for output in outputs]


def test_it_takes_and_gives_numbers_only(hot, request_) -> None:
    inputs = hot.look_up(request_)
    assert inputs and all(value.dtype.kind in "ifub" for value in inputs)
    ops = {op.type for op in hot.function.graph.get_operations()}
    assert not ops & {"LookupTableFindV2", "HashTableV2", "StringLower"}
    assert {"MatMul", "TopKV2"} <= ops


def test_its_scores_and_rows_are_the_page_s(hot, loaded, request_) -> None:
    whole = loaded.signatures[signatures.RECOMMEND](
        **{name: tf.constant(value) for name, value in request_.items()}
    )
    outputs = run(hot.function, hot.look_up(request_))
    assert any(
        np.allclose(each, whole[signatures.SCORES].numpy(), atol=1e-6)
        for each in outputs
        if each.shape == (3, 6) and each.dtype == np.float32
    )
    wanted = [
        [int(i.decode()[1:]) if i else 40 for i in row]
        for row in whole[signatures.ITEM_IDS].numpy()
    ]
    assert any(each.tolist() == wanted for each in outputs)


def test_lengths_that_depend_on_values_are_not_compiled(hot) -> None:
    with pytest.raises(ConfigError, match=r"Where.*--static-shapes"):
        hot.compiled()


def test_with_static_shapes_xla_gives_the_same_numbers(tmp_path, request_) -> None:
    make_bundle(static_shapes=True).save(tmp_path)
    hot = hot_function(tmp_path, signatures.RECOMMEND)
    inputs = hot.look_up(request_)
    plain, compiled = run(hot.function, inputs), run(hot.compiled(), inputs)
    for one, other in zip(plain, compiled, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
