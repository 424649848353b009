"""Files written by the format's specification."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigError
from tests.trainer.text_encoder.bert_oracle import safetensors
from trainer.text_encoder.safetensors_file import read_safetensors


def test_tensors_come_back_as_float32(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    half = np.array([[1.5, -2.0]], np.float16)
    # bfloat16 is the upper half of a float32: 1.0 is 0x3f80, -2.5 is 0xc020.
    brain = np.array([0x3F80, 0xC020], np.uint16)
    path.write_bytes(safetensors({"a": half, "b": brain, "n": np.array([7])}))
    found = read_safetensors(path)
    assert found["a"].tolist() == [[1.5, -2.0]] and found["a"].dtype == np.float32
    assert found["b"].tolist() == [1.0, -2.5]
    assert found["n"].tolist() == [7]


@pytest.mark.parametrize("cut", [4, 30, -2])
def test_a_cut_file_is_named(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors({"a": np.ones(3, np.float32)})[:cut])
    with pytest.raises(ConfigError, match=r"x\.safetensors"):
        read_safetensors(path)
