"""YAML configuration of the training commands: a frozen dataclass, checked key by key."""

from __future__ import annotations

import difflib
import math
from dataclasses import fields
from pathlib import Path
from typing import Protocol, TypeVar

from core.errors import BadFileError, BadInputError, reason
from core.plain_yaml import read_yaml
from core.text import name_of
from core.translation import tr

_LONGEST_BITS = 1000


class Config(Protocol):
    """A dataclass whose values can be checked together."""

    def validate(self) -> None: ...


T = TypeVar("T", bound=Config)


def read_config(path: Path | None, kind: type[T]) -> T:
    """Read a configuration from a YAML file; missing keys keep their defaults, and `path` None gives all defaults.

    Raises BadFileError if the file is missing or not a YAML mapping, BadInputError for an unknown key (it names the
    nearest known one), a value of the wrong type, or a value out of its range.
    """
    if path is None:
        return kind()
    try:
        values = read_yaml(path)
    except OSError as error:
        raise BadFileError(
            tr("The configuration {path} cannot be read ({why}): check the path.", path=path, why=reason(error))
        ) from error
    except ValueError as error:
        raise BadFileError(
            tr("The configuration {path} is not YAML ({why}): fix it.", path=path, why=reason(error))
        ) from error
    if values is None:
        return kind()
    if not isinstance(values, dict):
        raise BadFileError(tr("The configuration {path} must be a list of `key: value` lines: fix it.", path=path))
    defaults = {entry.name: getattr(kind(), entry.name) for entry in fields(kind)}  # type: ignore[arg-type]
    config = kind(**{str(key): _check(path, key, value, defaults) for key, value in values.items()})
    try:
        config.validate()
    except ValueError as error:
        raise BadInputError(
            tr("In the configuration {path}, {error}: correct that line.", path=path, error=error)
        ) from error
    return config


def _check(path: Path, key: object, value: object, defaults: dict[str, object]) -> object:
    if not isinstance(key, str) or key not in defaults:
        raise BadInputError(_unknown_key(path, (name_of(key) or "")[:100], defaults))
    wanted = type(defaults[key])
    if wanted is float and isinstance(value, str):
        # YAML 1.1 reads 1e-4 as text.
        try:
            return float(value)
        except ValueError:
            pass
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if value.bit_length() <= _LONGEST_BITS else math.inf
    if type(value) is not wanted:
        has_short_text = isinstance(value, str | float | bool)
        shown = f"{value!r:.60}" if has_short_text else tr("a {type}", type=type(value).__name__)
        raise BadInputError(
            tr(
                "In the configuration {path}, {key} must be of type {type}, not {value}.",
                path=path,
                key=key,
                type=wanted.__name__,
                value=shown,
            )
        )
    return value


def _unknown_key(path: Path, key: str, defaults: dict[str, object]) -> str:
    if not key:
        return tr(
            "The configuration {path} has a key that is no word: known keys are {keys}.",
            path=path,
            keys=", ".join(defaults),
        )
    near = difflib.get_close_matches(key, defaults, n=1)
    if near:
        return tr(
            "The configuration {path} has an unknown key {key}: did you mean {near}?", path=path, key=key, near=near[0]
        )
    return tr(
        "The configuration {path} has an unknown key {key}: known keys are {keys}.",
        path=path,
        key=key,
        keys=", ".join(defaults),
    )
