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

_LONGEST_BITS = 1000


class Config(Protocol):
    """A dataclass whose values can be checked together."""

    def validate(self) -> None: ...


T = TypeVar("T", bound=Config)


def read_config(path: Path | None, kind: type[T]) -> T:
    """The configuration in a YAML file; keys that it leaves out keep their defaults, None gives all defaults.

    Raises BadFileError where the file is missing or no YAML mapping, BadInputError on a key that does not exist
    (naming the nearest one that does), a value of the wrong type or one out of its range.
    """
    if path is None:
        return kind()
    try:
        values = read_yaml(path)
    except OSError as error:
        raise BadFileError(f"The configuration {path} cannot be read ({reason(error)}): check the path.") from error
    except ValueError as error:
        raise BadFileError(f"The configuration {path} is not YAML ({reason(error)}): mend it.") from error
    if values is None:
        return kind()
    if not isinstance(values, dict):
        raise BadFileError(f"The configuration {path} must be a list of `key: value` lines: mend it.")
    defaults = {entry.name: getattr(kind(), entry.name) for entry in fields(kind)}  # type: ignore[arg-type]
    config = kind(**{str(key): _checked(path, key, value, defaults) for key, value in values.items()})
    try:
        config.validate()
    except ValueError as error:
        raise BadInputError(f"In the configuration {path}, {error}: correct that line.") from error
    return config


def _checked(path: Path, key: object, value: object, defaults: dict[str, object]) -> object:
    if not isinstance(key, str) or key not in defaults:
        key = name_of(key) or "that is no word"
        near = difflib.get_close_matches(key[:100], defaults, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known keys are {', '.join(defaults)}."
        raise BadInputError(f"The configuration {path} has an unknown key {key[:100]}: {hint}")
    wanted = type(defaults[key])
    if wanted is float and isinstance(value, str):
        # YAML 1.1 reads 1e-4 as text, which people write all the time.
        try:
            return float(value)
        except ValueError:
            pass
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if value.bit_length() <= _LONGEST_BITS else math.inf
    if type(value) is not wanted:
        shown = f"{value!r:.60}" if isinstance(value, str | float | bool) else f"a {type(value).__name__}"
        raise BadInputError(f"In the configuration {path}, {key} must be of type {wanted.__name__}, not {shown}.")
    return value
