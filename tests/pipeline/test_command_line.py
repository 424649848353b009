"""How an error ends a command."""

from __future__ import annotations

import pytest

from core.errors import ConfigError
from pipeline.command_line import fail


def test_an_error_is_printed_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    error = ConfigError(f"`--flink-master` must be [local]. Received: {'x' * 100}.")
    with pytest.raises(SystemExit) as ended:
        fail(error)
    assert ended.value.code == error.exit_code != 0
    # Neither read as markup nor broken at a terminal's width.
    assert capsys.readouterr().err == f"souk: {error}\n"
