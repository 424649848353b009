"""One step of the data half in a process of its own, measured; `bench_scale` calls it.

    python -m benchmarks.scale_step FOLDER STEP

Runs the pipeline up to STEP; what earlier calls made comes from ML Metadata's cache.
Prints one JSON line: wall seconds and CPU seconds of the step's executor, and the
largest resident memory of the whole process, libraries included.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from core import presets
from core.config import ShopConfig, SplitConfig
from core.layout import HomeLayout
from pipeline import beam_options

STEPS = (
    "IngestEvents",
    "Clean",
    "StatisticsEvents",
    "JoinHistory",
    "Transform",
    "ItemNeighbours",
    "MineNegatives",
    "RankExamples",
)


def main() -> None:
    """Runs and measures."""
    folder, step = Path(sys.argv[1]), sys.argv[2]
    from tfx.orchestration import metadata, pipeline
    from tfx.orchestration.local import local_dag_runner
    from tfx.orchestration.portable import launcher

    measured: dict[str, float] = {}

    class MeasuredLauncher(launcher.Launcher):  # type: ignore[misc]
        """Measures the executor of STEP."""

        def _run_executor(self, execution_info: Any) -> Any:
            wall, cpu = time.monotonic(), time.process_time()
            result = super()._run_executor(execution_info)
            if self._pipeline_node.node_info.id == step:
                measured["wall_s"] = time.monotonic() - wall
                measured["cpu_s"] = time.process_time() - cpu
            return result

    local_dag_runner.launcher.Launcher = MeasuredLauncher
    root = HomeLayout(folder, "scale")
    local_dag_runner.LocalDagRunner().run(
        pipeline.Pipeline(
            pipeline_name="scale",
            pipeline_root=str(root.tfx),
            components=_nodes(root, step),
            enable_cache=True,
            metadata_connection_config=metadata.sqlite_metadata_connection_config(
                str(root.metadata)
            ),
            beam_pipeline_args=beam_options.direct(),
        )
    )
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(measured | {"peak_bytes": peak_kib * 1024}))


def _nodes(layout: HomeLayout, step: str) -> list[Any]:
    """The pipeline's own nodes up to `step`; candidates are mined without towers."""
    from components.mine_negatives.component import MineNegatives
    from components.rank_examples.component import RankExamples
    from pipeline.stages.data import data_stage
    from pipeline.stages.models import item_neighbours, transform

    settings = json.loads((layout.tables / "scale.json").read_text("utf-8"))
    shop = ShopConfig.from_json(settings["shop"])
    splits = SplitConfig.from_json(settings["splits"])
    config = presets.for_shop(shop, splits)
    # The clock must not tell one call's settings from the next one's.
    config = config.replace(
        clean=config.clean.replace(latest_timestamp=splits.test_end * 2)
    )
    data = data_stage(config, layout)
    # Only what the step needs: a channel that an absent node reads is an error of TFX.
    nodes = list(data.nodes)
    if step == "Transform":
        nodes.append(transform(config, data))
    if step in ("ItemNeighbours", "MineNegatives"):
        nodes.append(item_neighbours(config, data))
    if step == "MineNegatives":
        mine = MineNegatives(
            moments=data.moments,
            tables=nodes[-1].outputs["tables"],
            shop=shop,
            config=config.funnel,
        )
        nodes.append(mine)
    if step == "RankExamples":
        examples = RankExamples(
            moments=data.moments,
            items=data.items,
            events=data.events,
            shop=shop.to_json(),
            config=config.evaluation.to_json(),
        )
        nodes.append(examples)
    wanted = {step}
    for node in reversed(nodes):  # what the step waits for, directly or not
        if node.id in wanted:
            wanted |= {upstream.id for upstream in node.upstream_nodes}
            wanted |= {
                channel.producer_component_id for channel in node.inputs.values()
            }
    return [node for node in nodes if node.id in wanted]


if __name__ == "__main__":
    main()
