"""Run parameters become tables on the volume and settings of the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from components.report.step_records import COMPLETE, StepRecord, write_record
from core import presets
from core.config.choices import RunChoices
from core.config.gates import GatesConfig
from core.config.souk import SoukConfig
from core.config.splits import SplitConfig
from core.errors import ConfigError, NotBlessedError
from pipeline.kubeflow import run_values
from pipeline.kubeflow.steps import command, prepare
from tests.pipeline.kubeflow.messages import message

DAY = 24 * 3600


class Prepared:
    """Runs Prepare in a home; `parameters` differ from the compiled defaults."""

    def __init__(self, home: Path, config: SoukConfig) -> None:
        self.home, self.config, self.runs = home, config, 0

    def __call__(self, **parameters: Any) -> tuple[int, dict[str, Any]]:
        self.runs += 1
        out = self.home.parent / f"out{self.runs}"
        text = message(
            "Prepare",
            parameters={
                "home": str(self.home),
                "shop": "tiny",
                "source": "tiny",
                "data": "",
                "seed": 0.0,  # JSON knows no integers
                "test_start": "",
                "gates": "{}",
                "compiled_config": run_values.compiled_in(self.config).to_json(),
                "compiled_tables": json.dumps(["items", "events", "judgments"]),
                "compiled_choices": "{}",
                "refit": "false",
                **parameters,
            },
            outputs={"settings": "system.Artifact"},
            out=str(out),
        )
        flags = ["--task", "Prepare", "--json_serialized_invocation_args", text]
        code = command.run(prepare.prepare, flags)
        if code:
            return code, {}
        return 0, json.loads((out / "output_metadata.json").read_text())[
            "parameterValues"
        ]


@pytest.fixture
def prepared(tmp_path: Path, mounts: Path, config: SoukConfig) -> Prepared:
    return Prepared(tmp_path / "home", config)


def test_the_defaults_are_what_the_compiler_replaced(prepared, config) -> None:
    code, values = prepared()
    assert code == 0
    for name, value in run_values.of(config).items():
        assert values[name] == value
    assert (prepared.home / "tiny" / "tables" / "events.parquet").is_file()
    assert values["souk_root"] == str(prepared.home / "tiny")
    assert values["served_version"] == ""


def test_an_unchanged_shop_changes_no_cache_key(prepared) -> None:
    assert prepared() == prepared()


def test_dates_and_gates_of_the_run_reach_the_settings(prepared, config) -> None:
    earlier = config.splits.test_start - 7 * DAY  # 2025-06-10
    _, values = prepared(test_start="2025-06-10", gates='{"max_size_mb": 1.5}')
    splits = SplitConfig.from_json(values["splits"])
    assert splits == config.splits.replace(test_start=earlier)
    assert values["before"] == earlier - 14 * DAY
    gates = GatesConfig.from_json(values["gate_settings"])
    assert gates == config.gates.replace(max_size_mb=1.5)


def test_what_was_chosen_at_compile_time_reaches_the_settings(prepared, config) -> None:
    choices = {
        "compress": True,
        "text_encoder_preset": "/souk/presets/minilm",
        "settings": {"ranker": {"epochs": 2}},
    }
    compiled = presets.with_choices(config, RunChoices.from_dict(choices))
    _, values = prepared(
        compiled_choices=json.dumps(choices),
        compiled_config=run_values.compiled_in(compiled).to_json(),
    )
    config = SoukConfig.from_json(values["config"])
    assert config.compress.enabled
    assert config.text_encoder.preset == "/souk/presets/minilm"
    assert config.ranker.epochs == 2


def started(root: Path, run: str, at: float) -> Path:
    """A run of the whole DAG that has come as far as Prepare; returns its folder."""
    folder = root / "runs" / run
    state = StepRecord(component="Prepare", state=COMPLETE, started=at)
    write_record(folder, state)
    return folder


def served_version(root: Path, name: str, as_of: int = 0) -> Path:
    version = root / "serving" / "souk" / name
    version.mkdir(parents=True)
    (version / "saved_model.pb").touch()
    facts = {"as_of": as_of, "shop": {"event_types": ["view", "purchase"]}}
    (version / "souk.json").write_text(json.dumps(facts))
    return version


def pushed_by(root: Path, run: str, *, pushed: bool, at: float) -> None:
    path = started(root, run, at) / "kept" / "pushed_model" / "pushed.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"pushed": pushed}))


def test_a_refit_trains_up_to_the_newest_event_once_a_run_was_pushed(
    prepared, capsys
) -> None:
    code, _ = prepared(refit="true")
    assert code == NotBlessedError.exit_code
    assert "without --refit first" in capsys.readouterr().err
    root = prepared.home / "tiny"
    pushed_by(root, "monday", pushed=True, at=1_000)
    _, values = prepared(refit="true")
    times = pq.read_table(root / "tables" / "events.parquet")["timestamp"].to_pylist()
    assert SplitConfig.from_json(values["splits"]).test_start == max(times) + 1
    pushed_by(root, "tuesday", pushed=False, at=2_000)
    code, _ = prepared(refit="true")
    assert code == NotBlessedError.exit_code
    assert "run tuesday, where nothing was pushed" in capsys.readouterr().err


def test_a_refit_waits_for_a_newer_run_than_the_one_that_pushed(
    prepared, capsys
) -> None:
    """As files are copied or restored, their times say nothing: the records do."""
    root = prepared.home / "tiny"
    # Failed in Gates, or is still on its way there: no verdict either way.
    started(root, "tuesday", at=2_000)
    pushed_by(root, "monday", pushed=True, at=1_000)
    code, _ = prepared(refit="true")
    assert code == NotBlessedError.exit_code
    assert "run tuesday, which has not come to its Pusher" in capsys.readouterr().err
    pushed_by(root, "wednesday", pushed=True, at=3_000)
    assert prepared(refit="true")[0] == 0
    # The refit itself has left a record by now, and is no run of the whole DAG.
    assert prepared(refit="true")[0] == 0


def test_an_edited_schema_and_a_pushed_version_change_what_depends_on_them(
    prepared,
) -> None:
    _, before = prepared()
    root = prepared.home / "tiny"
    (root / "schemas").mkdir()
    (root / "schemas" / "items.pbtxt").write_text("# mine\n")
    served_version(root, "1700000000")
    _, after = prepared()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"items_schema_fingerprint", "served_version"}
    assert after["served_version"] == "1700000000"


def test_another_content_of_the_preset_changes_its_fingerprint(
    prepared, config, tmp_path
) -> None:
    preset = tmp_path / "preset"
    (preset / "assets").mkdir(parents=True)
    weights = preset / "assets" / "model.weights.h5"
    choices = RunChoices(text_encoder_preset=str(preset))
    compiled = presets.with_choices(config, choices)
    given = {
        "compiled_choices": choices.to_json(),
        "compiled_config": run_values.compiled_in(compiled).to_json(),
    }
    weights.write_bytes(b"one")
    _, before = prepared(**given)
    assert prepared(**given)[1] == before
    weights.write_bytes(b"two")
    _, after = prepared(**given)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"preset_fingerprint"}
    assert prepared()[1]["preset_fingerprint"] == ""


def test_a_refit_is_not_what_the_next_model_is_compared_with(prepared) -> None:
    """It was measured on nothing, so the gates would have nothing to hold."""
    prepared()
    root = prepared.home / "tiny"
    for name in ("1700000000", "1700000100"):
        version = served_version(root, name)
    (version.parent / "1700000000" / "metrics.json").write_text("{}")

    assert prepared()[1]["served_version"] == "1700000000"


def test_a_version_that_saw_the_test_period_is_compared_with_nothing(
    prepared, config
) -> None:
    prepared()
    served_version(
        prepared.home / "tiny", "1700000000", as_of=config.splits.test_start + 1
    )
    assert prepared()[1]["served_version"] == ""


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        ({"gates": "[1]"}, "JSON mapping of gate settings"),
        ({"gates": '{"max_drop": 1}'}, "has no setting max_drop"),
        ({"test_start": "soon"}, "2025-06-17"),
        ({"compiled_tables": '["items", "events"]'}, "Compile the pipeline again"),
        ({"source": "no-such-shop"}, "no-such-shop"),
        ({"source": "tables"}, "--cluster-data PATH, or submit with --param data="),
        ({"source": "wands"}, "--cluster-data PATH, or submit with --param data="),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_rule(
    prepared, capsys, parameters, rule
) -> None:
    code, _ = prepared(**parameters)
    assert code == ConfigError.exit_code
    assert rule in capsys.readouterr().err


@pytest.mark.parametrize("shop", ["", ".", "..", "../elsewhere", "a/b", "/a"])
def test_a_shop_that_is_no_folders_name_writes_nothing(prepared, capsys, shop) -> None:
    code, _ = prepared(shop=shop)
    assert code == ConfigError.exit_code
    assert "`shop` must be the name of a folder" in capsys.readouterr().err
    assert not prepared.home.exists()


def test_a_shop_with_other_events_needs_another_compile(
    prepared, capsys, config
) -> None:
    shop = config.shop.replace(context_features=("country",))
    other = run_values.compiled_in(presets.for_shop(shop, config.splits))
    code, _ = prepared(compiled_config=other.to_json())
    assert code == ConfigError.exit_code
    said = capsys.readouterr().err
    assert "features: ('country',) -> ('country', 'device')" in said
    assert "Compile the pipeline again" in said


def test_a_shop_with_other_periods_needs_another_compile(
    prepared, capsys, config
) -> None:
    """The simulated shop's periods are of 14 days; the pipeline's were of 7."""
    weekly = presets.for_shop(config.shop, config.splits.replace(horizon_days=7))
    other = run_values.compiled_in(weekly)
    code, _ = prepared(compiled_config=other.to_json())
    assert code == ConfigError.exit_code
    said = capsys.readouterr().err
    assert "splits.horizon_days: 7 -> 14" in said
    assert "neighbours.forecast_days: 7.0 -> 14.0" in said


def test_a_shop_with_another_preset_needs_another_compile(
    prepared, capsys, config
) -> None:
    """`tiny` has towers 16 wide; every other simulated shop has `local`'s."""
    shop = config.shop.replace(name="demo")
    other = run_values.compiled_in(presets.for_shop(shop, config.splits))
    code, _ = prepared(compiled_config=other.to_json())
    assert code == ConfigError.exit_code
    assert "retriever.embedding_dim: 64 -> 16; " in capsys.readouterr().err
