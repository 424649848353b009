"""Sends a compiled pipeline to Kubeflow Pipelines and starts a run."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kfp
import urllib3
import yaml
from kfp_server_api.exceptions import ApiException
from urllib3.exceptions import HTTPError

from core.errors import ConfigError, ServingError
from pipeline.kubeflow import names
from pipeline.kubeflow.shop_home import check_shop

_INTEGER = "NUMBER_INTEGER"
_PROBE_TIMEOUT_S = 10.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Submission:
    """What to run, and the parameters that differ from the specification's defaults."""

    specification: Path
    parameters: dict[str, str] = dataclasses.field(default_factory=dict)
    experiment: str = "souk"
    namespace: str | None = None
    run_name: str | None = None


def submit(submission: Submission, endpoint: str, *, token: str | None = None) -> str:
    """Uploads the pipeline (a new version, if there is one) and starts a run.

    Args:
      submission: the specification of `souk compile` and its parameters.
      endpoint: URL of the API, such as http://localhost:8080.
      token: bearer token, where the endpoint asks for one.

    Returns:
      The run's id.

    Raises:
      ConfigError: the file is no specification, or has no such parameter.
      ServingError: the endpoint cannot be reached, or refuses.
    """
    spec = read_spec(submission.specification)
    arguments = typed(spec, submission.parameters)
    name = spec["pipelineInfo"]["name"]
    version = f"{name}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
    try:
        # The client itself asks five times, 5 s apart, before it gives up.
        pool = urllib3.PoolManager(timeout=_PROBE_TIMEOUT_S, retries=False)
        pool.request("GET", endpoint)
        with _quiet():
            client = kfp.Client(
                host=endpoint, namespace=submission.namespace, existing_token=token
            )
            pipeline_id, version_id = _upload(client, submission, name, version)
            experiment = client.create_experiment(
                submission.experiment, namespace=submission.namespace
            )
            run = client.run_pipeline(
                experiment_id=experiment.experiment_id,
                job_name=submission.run_name or version,
                pipeline_id=pipeline_id,
                version_id=version_id,
                params=arguments,
            )
    except (ApiException, HTTPError, OSError) as error:
        reason = getattr(error, "body", None) or error
        raise ServingError(
            f"`{endpoint}` must be the API of Kubeflow Pipelines. Received: {reason}. "
            "Check the URL, --token-file where it asks for a login, and --namespace "
            "of a multi-user installation."
        ) from error
    return str(run.run_id)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the client's links and its remarks on its own version."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _upload(
    client: kfp.Client, submission: Submission, name: str, version: str
) -> tuple[str, str | None]:
    """Pipeline id and version id; the first upload of a name has no version to name."""
    path = str(submission.specification)
    known = _known(client, name, submission.namespace)
    if known is None:
        made = client.upload_pipeline(
            path, pipeline_name=name, namespace=submission.namespace
        )
        versions = client.list_pipeline_versions(made.pipeline_id).pipeline_versions
        newest = versions[0].pipeline_version_id if versions else None
        return str(made.pipeline_id), newest
    added = client.upload_pipeline_version(
        path, pipeline_version_name=version, pipeline_id=known
    )
    return known, str(added.pipeline_version_id)


def _known(client: kfp.Client, name: str, namespace: str | None) -> str | None:
    """Id of the namespace's pipeline of that name; None where there is none.

    The client's `get_pipeline_id` asks for the pipelines shared by all namespaces.
    """
    predicate = {"operation": "EQUALS", "key": "display_name", "stringValue": name}
    found = client.list_pipelines(
        filter=json.dumps({"predicates": [predicate]}), namespace=namespace
    )
    return str(found.pipelines[0].pipeline_id) if found.pipelines else None


def read_spec(path: Path) -> dict[str, Any]:
    """The PipelineSpec in a file.

    Raises:
      ConfigError: it is none.
    """
    try:
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(
            f"`{path}` must be a pipeline specification. Received: {error}. "
            "Write one with `souk compile`."
        ) from error
    for document in documents:
        if isinstance(document, dict) and _is_spec(document):
            return document
    raise ConfigError(
        f"`{path}` must hold a `pipelineInfo` with a name and a `root`. Received: "
        f"none in {len(documents)} documents. Write a specification with "
        "`souk compile`."
    )


def _is_spec(document: dict[str, Any]) -> bool:
    info, root = document.get("pipelineInfo"), document.get("root")
    return isinstance(info, dict) and "name" in info and isinstance(root, dict)


def typed(spec: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    """Run parameters with the types that the specification declares.

    Raises:
      ConfigError: there is no such parameter, or its value has another type or is no
        name of a shop's folder.
    """
    declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise ConfigError(
            f"`--param` must name a run parameter: {', '.join(sorted(declared))}. "
            f"Received: {', '.join(unknown)}."
        )
    if names.SHOP in given:
        check_shop(given[names.SHOP])
    arguments: dict[str, Any] = {}
    for name, text in given.items():
        if declared[name]["parameterType"] != _INTEGER:
            arguments[name] = text
            continue
        try:
            arguments[name] = int(text)
        except ValueError as error:
            raise ConfigError(
                f"`{name}` must be a whole number. Received: {text!r}."
            ) from error
    return arguments
