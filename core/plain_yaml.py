"""YAML as people write it by hand: plain values, lists and tables, bounded in size and without references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from core.bounded import MEGA, read_text

LARGEST_YAML = MEGA // 2
"""The names of ten thousand classes take 200 kB, and a second."""

_DEEPEST = 50
_MOST_NODES = 50_000


class _PlainLoader(yaml.SafeLoader):
    """PyYAML's safe loader without aliases, of which a few lines make billions of entries."""

    def fetch_flow_collection_start(self, token: type[yaml.Token]) -> None:
        if self.flow_level >= _DEEPEST:  # its time goes with the square of the depth
            raise yaml.YAMLError("it is nested too deep")
        super().fetch_flow_collection_start(token)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.composed = getattr(self, "composed", 0) + 1
        if self.composed > _MOST_NODES:
            raise yaml.YAMLError("it has too many entries")
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it has references (*name), which are not read")
        return super().compose_node(parent, index)


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - what a file holds
    """What a YAML file holds. Raises OSError where it cannot be read or is too large, ValueError as `parse_yaml`."""
    return parse_yaml(read_text(path, limit=LARGEST_YAML, encoding="utf-8-sig"))


def parse_yaml(text: str) -> Any:  # noqa: ANN401 - what a file holds
    """What a YAML text holds. Raises ValueError where it is none, nested too deep, or has values that are none."""
    try:
        return yaml.load(text, Loader=_PlainLoader)
    except Exception as error:  # PyYAML raises whatever its constructors do: dates that are none, keys that are lists
        raise ValueError(_words(error)) from error


def _words(error: Exception) -> str:
    """One line: PyYAML's own begin with where it was, and what is wrong comes after."""
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if isinstance(error, yaml.MarkedYAMLError):
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        return f"{error.problem or 'it is no YAML'}{line}"
    return str(error).strip().splitlines()[0] if str(error).strip() else "it is no YAML"
