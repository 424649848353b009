"""TextEncoder run by TFX on small real artifacts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.dsl.components.common import importer
from tfx.types import channel, standard_artifacts
from tfx.utils import path_utils

from components import data_artifacts
from components.text_encoder.artifacts import ItemVectorsArtifact
from components.text_encoder.component import TextEncoder
from components.text_encoder.embed_items import gather_parts, text_batches
from core.config.text_encoder import TextEncoderConfig
from tests.components import runs
from tests.trainer.text_encoder import worlds
from trainer.data.examples import write_split
from trainer.text_encoder.item_text import item_texts

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("run")
    nodes = {}
    for name, splits in (
        ("items", {"train": worlds.items()}),
        ("events", {"train": worlds.events(), "test": worlds.events().slice(0, 0)}),
    ):
        artifact = standard_artifacts.Examples()
        artifact.uri = str(root / name)
        for split, table in splits.items():
            write_split(artifact.uri, split, table)
        data_artifacts.mark_as_parquet(artifact, list(splits))
        nodes[name] = importer.Importer(
            source_uri=artifact.uri,
            artifact_type=standard_artifacts.Examples,
            properties={"split_names": artifact.split_names},
        ).with_id(name)
    step = TextEncoder(
        nodes["items"].outputs["result"],
        events=nodes["events"].outputs["result"],
        before=worlds.BEFORE,
        config=TextEncoderConfig.tiny().replace(
            encode_batch=7, hard_negatives=1, title_pairs=0
        ),
    )
    runs.run_nodes(root, [*nodes.values(), step])
    return root


def test_item_vectors_are_those_of_the_saved_encoder(run: Path) -> None:
    vectors = np.load(
        Path(runs.output_uri(run, "TextEncoder", "item_vectors")) / "item_vectors.npy"
    )
    model = tf.saved_model.load(
        path_utils.serving_model_dir(runs.output_uri(run, "TextEncoder", "model"))
    )
    texts = item_texts(worlds.items())
    assert vectors.shape == (32, 32) and vectors.dtype == np.float32
    for row in (0, 7, 31):  # batches of 7, sorted by length, come back in order
        alone = model.embed_items(tf.constant([texts[row]]))[0]
        np.testing.assert_allclose(vectors[row], alone, atol=1e-5)


def test_the_report_counts_parameters_pairs_and_seconds(run: Path) -> None:
    folder = Path(runs.output_uri(run, "TextEncoder", "model"))
    report = json.loads((folder / "text_encoder.json").read_text())
    assert report["mode"] == "scratch"
    assert report["parameters"]["trainable"] == report["parameters"]["total"] > 0
    assert report["pairs"]["queries"] == 28
    assert report["contrastive"]["losses"] and report["pretrain"]["losses"]
    assert set(report["seconds"]) == {"vocabulary", "total", "item_vectors"}
    assert TextEncoderConfig.from_dict(report["config"]).encode_batch == 7


def test_nothing_but_the_vectors_is_left_behind(run: Path) -> None:
    folder = Path(runs.output_uri(run, "TextEncoder", "item_vectors"))
    assert [path.name for path in folder.iterdir()] == ["item_vectors.npy"]


def test_events_are_optional() -> None:
    items = channel.Channel(type=standard_artifacts.Examples)
    step = TextEncoder(items, before=0)
    assert step.outputs["item_vectors"].type is ItemVectorsArtifact
    assert step.outputs["model"].type is standard_artifacts.Model


def test_batches_hold_every_text_once_short_ones_together() -> None:
    batches = text_batches(["ccc", "a", "bb", "dddd", ""], 2)
    assert batches == [([4, 1], ["", "a"]), ([2, 0], ["bb", "ccc"]), ([3], ["dddd"])]


def test_a_lost_part_is_noticed(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", rows=[0, 2], vectors=np.ones((2, 4), np.float32))
    with pytest.raises(ValueError, match="1 of 3"):
        gather_parts([tmp_path / "a.npz"], 3)
