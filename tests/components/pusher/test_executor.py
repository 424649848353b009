from __future__ import annotations

import json
import shutil
from pathlib import Path

from tfx.proto import pusher_pb2
from tfx.types import channel_utils, standard_artifacts
from tfx.utils import proto_utils

from components.pusher.component import AtomicPusher
from components.pusher.executor import AtomicExecutor


def _do(tmp_path: Path, *, blessed: bool, config: str = "null"):
    model = standard_artifacts.Model()
    model.uri = str(tmp_path / "model")
    serving_model = tmp_path / "model" / "Format-Serving"
    serving_model.mkdir(parents=True)
    (serving_model / "saved_model.pb").write_text("graph")
    blessing = standard_artifacts.ModelBlessing()
    blessing.uri = str(tmp_path / "blessing")
    blessing.set_int_custom_property("blessed", int(blessed))
    (tmp_path / "blessing").mkdir()
    metrics = {"systems": {"bundle": {"all": {"ndcg@20": {"value": 0.4}}}}}
    (tmp_path / "blessing" / "metrics.json").write_text(json.dumps(metrics))
    pushed = standard_artifacts.PushedModel()
    pushed.uri = str(tmp_path / "pushed")
    destination = pusher_pb2.PushDestination(
        filesystem=pusher_pb2.PushDestination.Filesystem(
            base_directory=str(tmp_path / "serving")
        )
    )
    AtomicExecutor().Do(
        {"model": [model], "model_blessing": [blessing]},
        {"pushed_model": [pushed]},
        {
            "push_destination": proto_utils.proto_to_json(destination),
            "custom_config": config,
        },
    )
    return pushed


def test_a_blessed_bundle_becomes_a_version_with_its_metrics(tmp_path):
    pushed = _do(tmp_path, blessed=True)
    version = Path(pushed.get_string_custom_property("pushed_destination"))
    assert pushed.get_int_custom_property("pushed") == 1
    assert version.parent == tmp_path / "serving"
    assert (version / "saved_model.pb").read_text() == "graph"
    metadata = json.loads((version / "souk.json").read_text())
    assert metadata["metrics"]["all"]["ndcg@20"]["value"] == 0.4


def test_an_unblessed_bundle_leaves_the_served_folder_alone(tmp_path):
    pushed = _do(tmp_path, blessed=False)
    assert pushed.get_int_custom_property("pushed") == 0
    assert not (tmp_path / "serving").exists()


def test_an_unblessed_bundle_notes_the_version_that_stays(tmp_path, caplog):
    caplog.set_level("INFO", "souk")
    first = _do(tmp_path, blessed=False)
    noted = json.loads((Path(first.uri) / "pushed.json").read_text())
    assert noted["served"] is None
    assert "no version is served yet" in caplog.text
    shutil.rmtree(tmp_path / "model")
    shutil.rmtree(tmp_path / "blessing")
    (tmp_path / "serving" / "17").mkdir(parents=True)
    (tmp_path / "serving" / "17" / "saved_model.pb").touch()
    second = _do(tmp_path, blessed=False)
    noted = json.loads((Path(second.uri) / "pushed.json").read_text())
    assert noted["served"] == "17"
    assert "version 17 stays served" in caplog.text


def test_a_held_bundle_is_accepted_and_not_pushed(tmp_path):
    pushed = _do(tmp_path, blessed=True, config='{"hold": true}')
    assert pushed.get_int_custom_property("pushed") == 0
    assert not (tmp_path / "serving").exists()
    noted = json.loads((tmp_path / "pushed" / "pushed.json").read_text())
    assert noted == {"pushed": False, "held": True}
    unblessed = _do(tmp_path / "other", blessed=False, config='{"hold": true}')
    noted = json.loads((Path(unblessed.uri) / "pushed.json").read_text())
    assert noted == {"pushed": False, "served": None}


def test_component_names_its_destination():
    model, blessing = standard_artifacts.Model(), standard_artifacts.ModelBlessing()
    pusher = AtomicPusher(
        model=channel_utils.as_channel([model]),
        model_blessing=channel_utils.as_channel([blessing]),
        serving_dir="serving/souk",
    )
    assert "serving/souk" in pusher.exec_properties["push_destination"]
    assert set(pusher.outputs) == {"pushed_model"}
    assert pusher.exec_properties["custom_config"] == "null"


def test_the_metrics_travel_with_the_version(tmp_path):
    pushed = _do(tmp_path, blessed=True)
    version = Path(pushed.get_string_custom_property("pushed_destination"))
    metrics = json.loads((version / "metrics.json").read_text())
    assert metrics["systems"]["bundle"]["all"]["ndcg@20"]["value"] == 0.4
