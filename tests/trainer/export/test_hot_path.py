"""Every op between the look-ups and the page has a GPU kernel."""

from __future__ import annotations

import dataclasses

import pytest
import tensorflow as tf

from core import signatures
from serving.inspect import flat_graph
from serving.inspect.gpus import GPUS
from serving.inspect.hot_path import Part
from serving.inspect.inspection import Inspection, inspect_model
from tests.trainer.export import conftest as world
from trainer.search.lexical import LexicalIndex

pytestmark = pytest.mark.slow  # a whole bundle is read

PERSONAL = (
    signatures.RECOMMEND,
    signatures.SIMILAR,
    signatures.RANK,
    signatures.EMBED_QUERY,
)
# Faster on the CPU (docs/search.md); `LexicalConfig.form` = segment does without.
RAGGED_POSTINGS = {"RaggedBincount", "RaggedRange"}


@pytest.fixture(scope="module", params=["whole", "shelf"])
def inspection(request, tmp_path_factory) -> Inspection:
    config = world.SHELF if request.param == "shelf" else None
    path = tmp_path_factory.mktemp(request.param)
    world.make_bundle(config=config).save(path)
    return inspect_model(path, GPUS["l4"], measure=False)


def fallbacks(found: Inspection, name: str) -> set[str]:
    report = {each.name: each for each in found.signatures}[name]
    return {row.op for row in report.fallbacks}


@pytest.mark.parametrize("name", PERSONAL)
def test_no_op_of_a_personal_page_falls_back_to_the_host(inspection, name) -> None:
    assert fallbacks(inspection, name) == set()


def test_only_the_ragged_postings_of_search_fall_back(inspection) -> None:
    assert fallbacks(inspection, signatures.SEARCH) == RAGGED_POSTINGS


def test_the_hot_path_holds_the_work(inspection) -> None:
    for report in inspection.signatures:
        hot = {row.op for row in report.ops if row.part == Part.HOT.value}
        if report.name in (signatures.RECOMMEND, signatures.SIMILAR, signatures.SEARCH):
            assert {"MatMul", "TopKV2", "GatherV2", "UnsortedSegmentSum"} <= hot


def test_an_op_that_loses_its_gpu_kernel_is_seen(tmp_path) -> None:
    class Lost(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.ids = tf.Variable([3, 1, 2], dtype=tf.int32)  # no GPU kernel reads it

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="rows")])
        def page(self, rows: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"ids": tf.gather(self.ids, rows)}

    lost = Lost()
    tf.saved_model.save(lost, str(tmp_path), signatures={"page": lost.page})
    found = inspect_model(tmp_path, GPUS["l4"], measure=False)
    assert "ResourceGather" in fallbacks(found, "page")


def test_segment_postings_have_gpu_kernels_throughout(tmp_path) -> None:
    bundle = world.make_bundle()
    index = bundle.search_funnel.lexical
    analyzer = index._term_ids._analyzer
    config = dataclasses.replace(index._term_ids._config, form="segment")
    inverted = world.build_inverted_index(world.items(), config, analyzer)
    lexical = LexicalIndex(inverted, config, analyzer)
    module = tf.Module()
    module.lexical = lexical

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="query")])
    def page(query: tf.Tensor) -> dict[str, tf.Tensor]:
        values, rows = lexical.best(lexical.terms(query), 5)
        return {"values": values, "rows": rows}

    module.page = page
    tf.saved_model.save(module, str(tmp_path), signatures={"page": page})
    assert flat_graph.load_meta_graph(tmp_path).signature_def["page"].outputs
    found = inspect_model(tmp_path, GPUS["l4"], measure=False)
    assert fallbacks(found, "page") == set()
