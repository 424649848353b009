"""How an error ends a command."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from core.config.compress import CompressConfig
from core.errors import ConfigError
from pipeline.cli import main
from pipeline.command_line import compress_settings_option, fail


def test_an_error_is_printed_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    error = ConfigError(f"`--flink-master` must be [local]. Received: {'x' * 100}.")
    with pytest.raises(SystemExit) as ended:
        fail(error)
    assert ended.value.code == error.exit_code != 0
    # Neither read as markup nor broken at a terminal's width.
    assert capsys.readouterr().err == f"souk: {error}\n"


@click.command()
@compress_settings_option
def neighbours(compress_settings: CompressConfig | None) -> None:
    click.echo(compress_settings.num_neighbours if compress_settings else "none")


def test_settings_of_compression_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "compress.json"
    path.write_text(CompressConfig(num_neighbours=360).to_json())
    given = CliRunner().invoke(neighbours, ["--compress-settings", str(path)])
    assert given.output == "360\n"
    assert CliRunner().invoke(neighbours).output == "none\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Expecting"),
        ("[1]", "JSON object"),
        ('{"neighbors": 1}', "no setting neighbors"),
        ('{"block": 0}', "CompressConfig.block"),
    ],
)
def test_a_file_of_no_settings_ends_the_command_with_its_name(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    path = tmp_path / "compress.json"
    path.write_text(text)
    with pytest.raises(SystemExit) as ended:
        neighbours.main(["--compress-settings", str(path)], standalone_mode=False)
    assert ended.value.code == ConfigError.exit_code
    message = capfd.readouterr().err
    assert str(path) in message
    assert said in message


def test_serve_takes_the_flag_that_the_servers_message_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[str] = []

    def serve(flags: list[str]) -> int:
        given.extend(flags)
        return 0

    monkeypatch.setattr("serving.main.serve", serve)
    with pytest.raises(SystemExit) as ended:
        main(["serve", "corner", "--rest_api_port=-1"])
    assert ended.value.code == 0
    assert "--rest_api_port=-1" in given
