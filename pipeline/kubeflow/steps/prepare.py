"""Prepare: run parameters → the shop's tables on the volume, and the run's settings.

Its outputs are parameters, so that caches are keyed on what the data and the settings
are, not on when they were written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import shops
from components.comparable import is_comparable
from components.curate_schema.schema_file import edited_fingerprint
from components.pusher.push import newest_version
from core import presets
from core.config.choices import RunChoices
from core.config.shop import ShopConfig
from core.config.souk import SoukConfig
from core.config.splits import SplitConfig
from core.errors import ConfigError
from core.layout import METRICS_FILE, HomeLayout
from pipeline import sources
from pipeline.kubeflow import dates, names, run_values
from pipeline.kubeflow.shop_home import layout_of
from pipeline.kubeflow.steps import accepted, command
from pipeline.kubeflow.steps.executor_input import ExecutorInput, Json
from pipeline.kubeflow.steps.tables_as_prepared import TABLES, content
from pipeline.local.step_files import digest_of
from pipeline.settings import differences


def prepare(step: ExecutorInput) -> None:
    """Writes the tables where the source changed, and every output parameter."""
    given = step.parameters
    layout = layout_of(given[names.HOME], given[names.SHOP])
    run = step.run_folder(str(layout.root))
    if json.loads(given[names.REFIT]):
        accepted.mark_refit(run)
    with command.recorded(step, run):
        outputs = _outputs(given, layout)
        folder = step.output_path(names.SETTINGS)
        folder.mkdir(parents=True)
        text = json.dumps(outputs, indent=2, sort_keys=True)
        (folder / "settings.json").write_text(text, encoding="utf-8")
        step.finish(parameters=outputs)


def _outputs(given: Json, layout: HomeLayout) -> Json:
    data = given[names.DATA]
    if not data and given[names.SOURCE] in shops.NEED_DATA:
        raise ConfigError(
            f"`{names.DATA}` must be the shop's own files as the containers see them. "
            f"Received: none for the source `{given[names.SOURCE]}`. Compile with "
            "--cluster-data PATH, or submit with --param data=PATH."
        )
    shop, splits = sources.ensure_tables(
        layout,
        given[names.SOURCE],
        data=Path(data) if data else None,
        seed=int(given[names.SEED]),
    )
    _check_tables(layout, given)
    choices = RunChoices.from_json(given[names.COMPILED_CHOICES])
    test_start = given[names.TEST_START]
    if json.loads(given[names.REFIT]):
        accepted.check(layout)
        # Behind the newest event: all of them are trained on.
        splits = splits.replace(test_start=sources.newest_event(layout) + 1)
    config = settings(shop, splits, test_start, given[names.GATES], choices)
    _check_compiled(config, given)
    return {
        names.ROOT: str(layout.root),
        names.SERVED_VERSION: _compared_version(layout, config),
        **run_values.of(config),
        **{
            names.fingerprint_of(table): content(layout.tables / f"{table}.parquet")
            for table in TABLES
        },
        **{
            names.fingerprint_of(f"{table}_schema"): edited_fingerprint(
                layout.schemas / f"{table}.pbtxt"
            )
            for table in ("items", "events")
        },
        names.fingerprint_of("preset"): digest_of(config.text_encoder.preset),
    }


def _compared_version(layout: HomeLayout, config: SoukConfig) -> str:
    """The served version that the new model is compared with; "" where there is none.

    A refit's was measured on nothing: it is the one before it.
    """
    measured = newest_version(layout.serving, METRICS_FILE)
    version = measured or newest_version(layout.serving)
    event, start = config.shop.target_event, config.splits.test_start
    if version is None or not is_comparable(version, event, start):
        return ""
    return version.name


def settings(
    shop: ShopConfig,
    splits: SplitConfig,
    test_start: str,
    gates: str,
    choices: RunChoices,
) -> SoukConfig:
    """The shop's preset with what was compiled in and a run's own date and bounds.

    Args:
      shop, splits: as the shop's tables have them.
      test_start: T2 as `2025-06-17` or with a time, UTC; "" keeps the shop's.
      gates: JSON of the GatesConfig settings that differ from the preset's.
      choices: what `souk compile` was told beyond the shop.

    Raises:
      ConfigError: a value breaks a rule.
    """
    if test_start:
        splits = splits.replace(test_start=dates.to_seconds(test_start))
    config = presets.with_choices(presets.for_shop(shop, splits), choices)
    try:
        changes = json.loads(gates or "{}")
        if not isinstance(changes, dict):
            raise ValueError("not a mapping")
    except ValueError as error:
        raise ConfigError(
            f"`{names.GATES}` must be a JSON mapping of gate settings. Received: "
            f'{gates!r} ({error}). Example: {{"max_drop_percent": 3}}.'
        ) from error
    return config.replace(gates=config.gates.updated(changes))


def _check_compiled(config: SoukConfig, given: Json) -> None:
    """Tasks hold settings as constants, which a run must not have otherwise."""
    compiled = SoukConfig.from_json(given[names.COMPILED_CONFIG])
    changed = list(differences(compiled, run_values.compiled_in(config)))
    if changed:
        raise ConfigError(
            "The run's settings must be those the pipeline was compiled with, but for "
            f"name, test_start and gates. Received: {'; '.join(changed)}. Compile the "
            "pipeline again for this shop."
        )


def _check_tables(layout: HomeLayout, given: Json) -> None:
    """Whether there are judgments decides which tasks there are."""
    found = [t for t in run_values.TABLES if (layout.tables / f"{t}.parquet").is_file()]
    compiled = json.loads(given[names.COMPILED_TABLES])
    if found != compiled:
        raise ConfigError(
            f"The shop must have the tables the pipeline was compiled for: "
            f"{', '.join(compiled)}. Received: {', '.join(found)}. Compile the "
            "pipeline again for this shop."
        )


if __name__ == "__main__":
    sys.exit(command.run(prepare, sys.argv[1:]))
