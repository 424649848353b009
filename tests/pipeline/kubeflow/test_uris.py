"""URIs become the launcher's paths, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigError
from pipeline.kubeflow import uris

# KFP's LocalPathForURI (backend/src/v2/component/launcher_v2.go).
KNOWN = {
    "gs://bucket/a/b": "/gcs/bucket/a/b",
    "s3://bucket/a": "/s3/bucket/a",
    "minio://bucket/a": "/minio/bucket/a",
}


@pytest.mark.parametrize(("uri", "path"), KNOWN.items())
def test_paths_are_those_of_kfps_launcher(uri: str, path: str) -> None:
    assert uris.local_path(uri, Path("/")) == path
    assert uris.remote_uri(path, Path("/")) == uri


def test_plain_paths_stay() -> None:
    assert uris.local_path("/tmp/out.json", Path("/")) == "/tmp/out.json"
    assert uris.remote_uri("/tmp/out.json", Path("/")) == "/tmp/out.json"


def test_another_root_moves_the_mounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(uris.ROOT_VARIABLE, "/x")
    root = uris.mount_root()
    assert uris.local_path("gs://b/k", root) == "/x/gcs/b/k"
    assert uris.remote_uri("/x/gcs/b/k", root) == "gs://b/k"


def test_an_unknown_store_is_named_with_those_known() -> None:
    with pytest.raises(ConfigError, match=r"hdfs://n/a.*|gs://, s3://, minio://"):
        uris.local_path("hdfs://n/a", Path("/"))
