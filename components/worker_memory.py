"""What workers share within a process, where the process is this one."""

from __future__ import annotations

from apache_beam.utils.shared import Shared


class _Nothing:
    """Takes the place of a model."""


def release() -> None:
    """Drops the model that the workers of a finished pipeline left in this process.

    Beam keeps the newest shared object of a process for a next bundle of work; on the
    direct runner the process goes on to other steps, which need the memory.
    """
    Shared().acquire(_Nothing)
