"""Read YAML files of plain values, lists and mappings, limited in size and depth and without references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from core.bounded import MEGA, read_text
from core.translation import tr

LARGEST_YAML = MEGA // 2
"""In bytes. The names of ten thousand classes take 200 kB, and a second to parse."""

_DEEPEST = 50
_MOST_NODES = 50_000


class _PlainLoader(yaml.SafeLoader):
    """PyYAML's safe loader without aliases, because a few lines of aliases can expand to billions of entries."""

    def fetch_flow_collection_start(self, token: type[yaml.Token]) -> None:
        if self.flow_level >= _DEEPEST:  # parsing time is quadratic in the depth
            raise yaml.YAMLError(tr("it is nested too deep"))
        super().fetch_flow_collection_start(token)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.composed = getattr(self, "composed", 0) + 1
        if self.composed > _MOST_NODES:
            raise yaml.YAMLError(tr("it has too many entries"))
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(tr("it has references (*name), which are not read"))
        return super().compose_node(parent, index)


class _TextLoader(_PlainLoader):
    """The plain loader with every value as the text that it is written with: no, 01 and null are names of classes."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401 - what a file holds
        if isinstance(node, yaml.ScalarNode):
            return node.value
        return super().construct_object(node, deep=deep)


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - what a file holds
    """Parse a YAML file. Raises OSError if it cannot be read or is too large, and ValueError as `parse_yaml`."""
    return parse_yaml(read_text(path, limit=LARGEST_YAML, encoding="utf-8-sig"))


def parse_yaml(text: str) -> Any:  # noqa: ANN401 - what a file holds
    """Parse a YAML text. Raises ValueError if it is invalid, nested too deep, or has invalid values."""
    return _parse(text, _PlainLoader)


def parse_yaml_texts(text: str) -> Any:  # noqa: ANN401 - what a file holds
    """Parse a YAML text whose values and keys all stay texts. Raises ValueError as `parse_yaml`."""
    return _parse(text, _TextLoader)


def _parse(text: str, loader: type[yaml.SafeLoader]) -> Any:  # noqa: ANN401 - what a file holds
    try:
        return yaml.load(text, Loader=loader)  # noqa: S506 - both loaders are safe ones
    except Exception as error:  # PyYAML passes on errors of its constructors: invalid dates, keys that are lists
        raise ValueError(_words(error)) from error


def _words(error: Exception) -> str:
    """Describe the problem in one line; PyYAML's own messages have several and begin with the position."""
    if isinstance(error, RecursionError):
        return tr("it is nested too deep")
    if isinstance(error, yaml.MarkedYAMLError):
        problem = error.problem or tr("it is no YAML")
        if error.problem_mark is None:
            return problem
        return tr("{problem} in line {line}", problem=problem, line=error.problem_mark.line + 1)
    return str(error).strip().splitlines()[0] if str(error).strip() else tr("it is no YAML")
