"""Artifact URIs and where a container finds them, as KFP's launcher lays them out.

The launcher downloads `gs://bucket/key` to `/gcs/bucket/key` before the command and
uploads from there after it (Vertex AI mounts the same path). Steps therefore read and
write plain files, whatever the store, and need no client library of it.
"""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import ConfigError

MOUNTS = {"gs": "gcs", "s3": "s3", "minio": "minio"}
# Where the mounts are looked for; a machine without a cluster has them elsewhere.
ROOT_VARIABLE = "SOUK_MOUNT_ROOT"


def mount_root() -> Path:
    """The folder above `gcs/`, `s3/` and `minio/`."""
    return Path(os.environ.get(ROOT_VARIABLE, "/"))


def check_remote(uri: str, name: str) -> None:
    """Raises ConfigError unless `uri` lies in a store that KFP can mount."""
    scheme, found, rest = uri.partition("://")
    if not found or scheme not in MOUNTS or not rest.strip("/"):
        schemes = ", ".join(f"{each}://" for each in MOUNTS)
        raise ConfigError(
            f"`{name}` must be a bucket and a folder below one of {schemes}. "
            f"Received: {uri!r}. Name the store that the cluster's pipelines use."
        )


def local_path(uri: str, root: Path) -> str:
    """Where the launcher puts `uri`; a plain path stays as it is."""
    scheme, found, rest = uri.partition("://")
    if not found:
        return uri
    check_remote(uri, "artifact URI")
    return str(root / MOUNTS[scheme] / rest)


def remote_uri(path: str, root: Path) -> str:
    """The inverse of `local_path`."""
    for scheme, mount in MOUNTS.items():
        prefix = f"{root / mount}/"
        if path.startswith(prefix):
            return f"{scheme}://{path[len(prefix) :]}"
    return path
