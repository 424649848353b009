"""A large catalogue's bundle in 8 bits: nearly the same pages, the same kernels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from core import signatures
from core.config.compress import CompressConfig
from serving.inspect.gpus import GPUS
from serving.inspect.inspection import inspect_model
from tests.trainer.export.conftest import SHELF, make_bundle, page, person
from trainer.compression.bundle_plan import bundle_plan
from trainer.compression.compact_model import CompactModel

pytestmark = pytest.mark.slow  # bundles are saved and loaded


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    bundle = make_bundle(config=SHELF)
    plain, compact = (tmp_path_factory.mktemp(n) for n in ("plain", "compact"))
    bundle.save(plain)
    plan = bundle_plan(bundle.funnel, CompressConfig(expand_mb=0))
    CompactModel(tf.saved_model.load(str(plain)), plan).save(compact)
    return plain, compact


def test_pages_are_nearly_those_of_the_plain_bundle(folders) -> None:
    asked = {**person(["i00", "i04"], ["i07"], []), **page(3)}
    found = []
    for folder in folders:
        recommend = tf.saved_model.load(str(folder)).signatures[signatures.RECOMMEND]
        found.append({k: v.numpy() for k, v in recommend(**asked).items()})
    plain, compact = found
    np.testing.assert_allclose(plain["scores"], compact["scores"], atol=0.02)
    for a, b in zip(plain["item_ids"], compact["item_ids"], strict=True):
        assert len(set(a) & set(b)) >= 8


def test_what_is_gathered_is_gathered_on_the_gpu(folders) -> None:
    found = inspect_model(folders[1], GPUS["l4"], measure=False)
    report = {each.name: each for each in found.signatures}
    for name in (signatures.RECOMMEND, signatures.RANK):
        assert {(row.op, *row.types) for row in report[name].fallbacks} == set()
