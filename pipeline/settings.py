"""Settings of one's own: a YAML file of what differs from the shop's preset."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from core import presets
from core.config import Config
from core.config.souk import SoukConfig
from core.errors import ConfigError

FILE_NAME = "settings.yaml"

Settings = dict[str, dict[str, Any]]


def settings_file(option: Path | None, data: Path | None) -> Path | None:
    """The file that counts: the option's, else one beside the shop's own tables.

    Args:
      option: of `--settings`.
      data: the folder or the mapping file of one's own tables, where there is one.
    """
    if option is not None or data is None:
        return option
    if data.is_file() and data.suffix not in (".yaml", ".yml"):
        return None
    beside = (data if data.is_dir() else data.parent) / FILE_NAME
    return beside if beside.is_file() else None


def read_settings(path: Path | None) -> Settings:
    """Part of SoukConfig -> its changed settings; none without a file.

    Raises:
      ConfigError: the file is missing, no YAML of parts with settings, or names what
        there is not. Values are checked when they meet the preset.
    """
    if path is None:
        return {}
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} must be a YAML file. Received: {error}") from error
    parts = {} if found is None else found
    _check_form(path, parts)
    classes = typing.get_type_hints(SoukConfig)
    for part, changes in parts.items():
        _check_known(path, "part", [part], presets.PARTS)
        known = [field.name for field in dataclasses.fields(classes[part])]
        _check_known(path, f"setting of `{part}`", changes, known)
    return dict(parts)


def settings_text(config: SoukConfig) -> str:
    """The settings as YAML, in the form that `read_settings` takes."""
    values = config.to_dict()
    parts = {part: values[part] for part in presets.PARTS}
    return yaml.safe_dump(parts, sort_keys=False, allow_unicode=True)


def differences(before: Config, after: Config, prefix: str = "") -> Iterator[str]:
    """`ranker.epochs: 5 -> 8` for each setting that differs."""
    for name, old in vars(before).items():
        new = getattr(after, name)
        if isinstance(old, Config) and isinstance(new, Config):
            yield from differences(old, new, f"{prefix}{name}.")
        elif old != new:
            yield f"{prefix}{name}: {old} -> {new}"


def _check_form(path: Path, parts: object) -> None:
    items = parts.items() if isinstance(parts, dict) else [(None, parts)]
    wrong = [found for part, found in items if part is None or type(found) is not dict]
    if wrong:
        raise ConfigError(
            f"{path} must name parts and, in each, settings, such as `ranker: "
            f"{{epochs: 8}}` (`souk settings` prints all). Received: {wrong[0]!r}."
        )


def _check_known(
    path: Path, what: str, names: Iterable[object], known: Sequence[str]
) -> None:
    unknown = sorted({str(name) for name in names} - set(known))
    if unknown:
        raise ConfigError(
            f"{path}: no {what} is named {', '.join(unknown)}. "
            f"Known: {', '.join(sorted(known))}."
        )
