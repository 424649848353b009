"""A small pipeline with the ids of the real one: items → a bundle, judged and pushed.

Ingest, LastBlessed's resolver and the Pusher are the real ones.
"""

import json
import os
import signal
from pathlib import Path

import pyarrow.parquet as pq
from ml_metadata import MetadataStore
from tfx.components.evaluator import constants
from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.types.channel import Channel
from tfx.types.standard_artifacts import Examples, Model, ModelBlessing

from components.comparable_models import LatestComparableModel
from components.ingest.component import Ingest
from components.pusher.component import AtomicPusher
from components.report.lineage import read_lineage
from core.layout import HomeLayout
from pipeline.local.dag import DagRunner
from tests.components import shop_tables

TEST_START = 1_700_000_000
BUNDLE_BYTES = 3_000_000


@component
def Bundle(
    examples: InputArtifact[Examples],
    model: OutputArtifact[Model],
    event: Parameter[str],
    die: Parameter[int],
):
    """Writes a bundle; where it is to die, half of one."""
    folder = Path(model.uri, "Format-Serving")
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(bytes(BUNDLE_BYTES))
    if die:
        os.kill(os.getpid(), signal.SIGKILL)
    facts = {"as_of": TEST_START, "shop": {"event_types": [event]}}
    (folder / "souk.json").write_text(json.dumps(facts))


@component
def Gates(
    model: InputArtifact[Model],
    blessing: OutputArtifact[ModelBlessing],
    blessed: Parameter[int],
    baseline: InputArtifact[Model] = None,
):
    """Blesses as it is told; reads the last blessed model, as EvaluateFunnel does."""
    if baseline is not None:
        Path(baseline.uri, "Format-Serving", "saved_model.pb").read_bytes()
        Path(blessing.uri, "compared_with").write_text(baseline.uri)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, blessed)
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id
    )
    Path(blessing.uri, "BLESSED" if blessed else "NOT_BLESSED").touch()


def run(
    layout: HomeLayout,
    rows: int,
    *,
    blessed: bool = True,
    event: str = "purchase",
    die: bool = False,
    refit: bool = False,
) -> dict[str, str]:
    """Runs it on so many items; the state of each step.

    Where it is to die, the whole run does, as by a power cut.
    """
    layout.tables.mkdir(parents=True, exist_ok=True)
    pq.write_table(shop_tables.items_table(rows), layout.tables / "items.parquet")
    child = os.fork() if die else 0
    if child:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        return {}
    ingest = Ingest("items", str(layout.tables)).with_id("IngestItems")
    bundle = Bundle(examples=ingest.outputs["examples"], event=event, die=int(die))
    last = Resolver(
        strategy_class=LatestComparableModel,
        config={"target_event": event, "test_start": TEST_START},
        model=Channel(type=Model, producer_component_id="Bundle"),
        model_blessing=Channel(type=ModelBlessing, producer_component_id="Gates"),
    ).with_id("LastBlessed")
    gates = Gates(
        model=bundle.outputs["model"],
        blessed=int(blessed),
        **({} if refit else {"baseline": last.outputs["model"]}),
    )
    pusher = AtomicPusher(
        bundle.outputs["model"], gates.outputs["blessing"], layout.serving
    ).with_id("Pusher")
    pipeline = Pipeline(
        pipeline_name=f"souk-{layout.shop}-refit" if refit else f"souk-{layout.shop}",
        pipeline_root=str(layout.tfx / "refit" if refit else layout.tfx),
        components=[ingest, bundle, *([] if refit else [last]), gates, pusher],
        enable_cache=True,
        metadata_connection_config=sqlite_metadata_connection_config(
            str(layout.metadata)
        ),
    )
    DagRunner(1 if die else 2).run(pipeline)
    return {e.component: e.state for e in read_lineage(layout.metadata)}


def output(layout: HomeLayout, step: str) -> str:
    """The folder that the newest run has for the first output of a step."""
    (found,) = [e for e in read_lineage(layout.metadata) if e.component == step]
    return found.outputs[0].uri


def live(layout: HomeLayout) -> list[str]:
    """Paths that ML Metadata says are there."""
    config = sqlite_metadata_connection_config(str(layout.metadata))
    artifacts = MetadataStore(config).get_artifacts()
    return [a.uri for a in artifacts if a.state == a.LIVE]


def folders(layout: HomeLayout, step: str, key: str) -> list[str]:
    """What is there, by path, oldest first."""
    found = (layout.tfx / step / key).iterdir()
    return [str(path) for path in sorted(found, key=lambda path: int(path.name))]
