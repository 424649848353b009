"""Frozen settings that check themselves and survive a round trip through JSON."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Iterable
from typing import Any, TypeVar

from core.errors import ConfigError

ConfigT = TypeVar("ConfigT", bound="Config")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Base of all settings: to and from dictionaries and JSON, checked copies."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-able dictionary; nested settings become dictionaries."""
        return {
            field.name: _plain(getattr(self, field.name))
            for field in dataclasses.fields(self)
        }

    @classmethod
    def from_dict(cls: type[ConfigT], values: dict[str, Any]) -> ConfigT:
        """Settings from a dictionary.

        Raises:
          ConfigError: a key is unknown or a value is out of its range.
        """
        hints = typing.get_type_hints(cls)
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(str(name) for name in set(values) - known)
        if unknown:
            raise ConfigError(
                f"`{cls.__name__}` has no setting {', '.join(unknown)}. "
                f"Known settings: {', '.join(sorted(known))}."
            )
        typed = {}
        for name, value in values.items():
            try:
                typed[name] = _typed(hints[name], value)
            except _WrongTypeError as error:
                raise ConfigError(
                    f"`{cls.__name__}.{name}` must be {error}. Received: {value!r}."
                ) from error
        return cls(**typed)

    def to_json(self) -> str:
        """Canonical JSON: equal settings give equal strings."""
        return json.dumps(self.to_dict(), sort_keys=True)

    @classmethod
    def from_json(cls: type[ConfigT], text: str) -> ConfigT:
        return cls.from_dict(json.loads(text))

    def replace(self: ConfigT, **changes: Any) -> ConfigT:
        """A copy with some settings changed, checked again."""
        return dataclasses.replace(self, **changes)

    def updated(self: ConfigT, changes: dict[str, Any]) -> ConfigT:
        """A copy with what a dictionary says changed, in nested settings too.

        Raises:
          ConfigError: a key is unknown or a value is out of its range.
        """
        inner = {
            name: current.updated(value)
            for name, value in changes.items()
            if isinstance(value, dict)
            and isinstance(current := getattr(self, name, None), Config)
        }
        return self.from_dict({**self.to_dict(), **changes, **inner})

    def require(self, holds: bool, name: str, rule: str, remedy: str = "") -> None:
        """Raises ConfigError, naming the setting, the rule and the value received."""
        if not holds:
            value = getattr(self, name)
            text = (
                f"`{type(self).__name__}.{name}` must be {rule}. Received: {value!r}."
            )
            raise ConfigError(f"{text} {remedy}".rstrip())


class _WrongTypeError(Exception):
    """Its text is what the value should have been."""


# What a value of JSON or YAML must be for a field of the type.
_SCALARS: dict[Any, tuple[str, tuple[type, ...]]] = {
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
    str: ("text", (str,)),
    bool: ("true or false", (bool,)),
}


def _plain(value: Any) -> Any:
    if isinstance(value, Config):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value


def _typed(hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [a for a in typing.get_args(hint) if a is not type(None)]
        if value is None:
            return None
        return _typed(inner[0], value) if len(inner) == 1 else value
    if origin is tuple:
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise _WrongTypeError("a list")
        inner_hint = typing.get_args(hint)[0]
        return tuple(_typed(inner_hint, v) for v in value)
    if origin is dict:
        if not isinstance(value, dict):
            raise _WrongTypeError("names with values")
        # YAML reads yes, on and dates as other than text, and None where there is none.
        odd = [
            key
            for key in value
            if isinstance(key, bool) or not isinstance(key, (str, int, float))
        ]
        if odd:
            raise _WrongTypeError(
                f"names with values, where {odd[0]!r} is no name: put it in quotes as "
                "it should be read"
            )
        _, inner_hint = typing.get_args(hint)
        return {str(key): _typed(inner_hint, v) for key, v in value.items()}
    if isinstance(hint, type) and issubclass(hint, Config):
        if isinstance(value, Config):
            return value
        if not isinstance(value, dict):
            raise _WrongTypeError("settings with values")
        return hint.from_dict(value)
    return _scalar(hint, value) if hint in _SCALARS else value


def _scalar(hint: Any, value: Any) -> Any:
    wanted, allowed = _SCALARS[hint]
    # JSON from elsewhere may have 5.0 for 5.
    if hint is int and isinstance(value, float) and value.is_integer():
        return int(value)
    fits = isinstance(value, allowed) and isinstance(value, bool) == (hint is bool)
    if not fits:
        raise _WrongTypeError(wanted)
    return float(value) if hint is float else value
