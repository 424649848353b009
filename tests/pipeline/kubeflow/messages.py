"""KFP's messages to a step, as its driver and launcher write them."""

from __future__ import annotations

import json
from typing import Any

RUN = "gs://bucket/root/souk-tiny/run-7"

Json = dict[str, Any]


def output_uri(task: str, key: str) -> str:
    return f"{RUN}/{task}/5f0c/{key}"


def message(
    task: str,
    *,
    parameters: Json | None = None,
    inputs: dict[str, Json] | None = None,
    outputs: dict[str, str] | None = None,
    output_parameters: tuple[str, ...] = (),
    out: str = "/tmp/none",
) -> str:
    """An ExecutorInput.

    Args:
      task: name.
      parameters: input parameters.
      inputs: `uri` and `metadata` of input artifacts; KFP gives no type.
      outputs: artifact type titles by output.
      output_parameters: names.
      out: folder of what is no artifact.
    """
    return json.dumps(
        {
            "inputs": {
                "parameterValues": parameters or {},
                "artifacts": {
                    key: {"artifacts": [{"name": "17", **artifact}]}
                    for key, artifact in (inputs or {}).items()
                },
            },
            "outputs": {
                "artifacts": {
                    key: {
                        "artifacts": [
                            {
                                "name": key,
                                "uri": output_uri(task, key),
                                "type": schema(title),
                                "metadata": {},
                            }
                        ]
                    }
                    for key, title in (outputs or {}).items()
                },
                "parameters": {
                    name: {"outputFile": f"{out}/{name}"} for name in output_parameters
                },
                "outputFile": f"{out}/output_metadata.json",
            },
        }
    )


def schema(title: str) -> Json:
    return {"instanceSchema": f"title: {title}\ntype: object\n"}
