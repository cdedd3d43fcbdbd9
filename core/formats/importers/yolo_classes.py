"""The names of YOLO's classes: which file lists them, and what it lists."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import BadFileError, reason
from core.formats.defects import Defects
from core.formats.importers.text_files import read_any_text
from core.plain_yaml import LARGEST_YAML, parse_yaml_texts
from core.text import name_of
from core.translation import tr

MOST_CLASSES = 1_000_000
YAML_SUFFIXES = (".yaml", ".yml")
LIST_NAMES = (
    *("classes.txt", "_classes.txt", "obj.names", "coco.names", "_darknet.labels", "labels.txt"),
    *("predefined_classes.txt", "class_names.txt"),
)
LIST_SUFFIXES = (".names", ".labels")
_FOLDERS_UP = 2


@dataclass
class YoloClasses:
    """What a list of classes has: number -> name, the layout of poses, and unusable names.

    `pose` is the number of points of a pose and of the numbers of each, (0, 0) without poses.
    """

    names: dict[int, str] = field(default_factory=dict)
    pose: tuple[int, int] = (0, 0)
    defects: Defects = field(default_factory=Defects)

    def listed(self) -> list[str]:
        """The names in the order of their numbers."""
        return [self.names[number] for number in sorted(self.names)]


def is_class_list(name: str) -> bool:
    """Whether a file of this name lists classes line by line."""
    return name.casefold() in LIST_NAMES or name.casefold().endswith(LIST_SUFFIXES)


def read_classes(path: Path) -> YoloClasses:
    """Read the list of classes `path`, or the one that belongs to the folder `path`; without one there are no names.

    Raises BadFileError if the list cannot be read.
    """
    file = path if path.is_file() else find_class_list(path, path)
    found = _read(file) if file is not None else YoloClasses()
    if found is None:
        raise BadFileError(tr("{file} has no list of names: give YOLO's data.yaml with names in it.", file=path))
    return found


def find_class_list(folder: Path, root: Path) -> Path | None:
    """The list of classes that is nearest to a folder: in it, above it up to `root`, or two folders further up.

    A YAML file without names is another program's. Raises BadFileError if a list cannot be read.
    """
    root = root.absolute()
    last = list(root.parents)[:_FOLDERS_UP]
    above = [here for here in folder.absolute().parents if here.is_relative_to(root)]
    for here in (folder.absolute(), *above, *last):
        for file in _lists_in(here):
            if _read(file) is not None:
                return file
    return None


def _lists_in(folder: Path) -> Iterator[Path]:
    """The files of a folder that may list classes, the most probable one first."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if not entry.name.startswith("."))
    except OSError:
        return
    yamls = [name for name in names if name.lower().endswith(YAML_SUFFIXES)]
    lists = sorted((name for name in names if is_class_list(name)), key=_rank)
    yield from (folder / name for name in sorted(yamls, key=lambda name: name != "data.yaml"))
    yield from (folder / name for name in lists)


def _rank(name: str) -> int:
    return LIST_NAMES.index(name.casefold()) if name.casefold() in LIST_NAMES else len(LIST_NAMES)


def _read(file: Path) -> YoloClasses | None:
    """The classes of a file; None if it is a YAML file without names, or a list of something else."""
    try:
        text = read_any_text(file, limit=LARGEST_YAML)
        is_yaml = file.suffix.lower() in YAML_SUFFIXES
        content: Any = parse_yaml_texts(text) if is_yaml else text.rstrip("\n").split("\n")
    except (OSError, ValueError) as error:
        raise BadFileError(
            tr("The classes in {file} cannot be read ({why}): correct the file.", file=file, why=reason(error))
        ) from error
    if is_yaml:
        if not isinstance(content, dict) or "names" not in content:
            return None
        names, pose = content["names"], _pose(content.get("kpt_shape"))
    else:
        names, pose = content, (0, 0)
    if isinstance(names, list):
        names = {_listed_at(entry, place): entry for place, entry in enumerate(names)}
    if not isinstance(names, dict):
        raise BadFileError(tr("{file} has no list of names: give YOLO's data.yaml with names in it.", file=file))
    return _named(file, names, pose)


def _named(file: Path, names: Mapping[Any, Any], pose: tuple[int, int]) -> YoloClasses:
    classes = YoloClasses(pose=pose)
    if names and all(_number(key) is None and _number(value) is not None for key, value in names.items()):
        names = {value: key for key, value in names.items()}  # some files have name: number
    for key, value in names.items():
        number = _number(key)
        if number is None:
            continue
        value = value.get("name") if isinstance(value, dict) else value
        name = name_of(value)
        if name is not None:
            classes.names[number] = name
        elif value:
            classes.defects.add(
                tr(
                    "In {file}, the class {number} has a name that cannot be used: its boxes are labelled class "
                    "{number}."
                ),
                file=file,
                number=number,
            )
    return classes


def _listed_at(entry: object, place: int) -> int:
    """The number of an entry of a list: its own `id`, as some programs write, else its place."""
    number = _number(entry.get("id")) if isinstance(entry, dict) else None
    return place if number is None else number


def _pose(shape: object) -> tuple[int, int]:
    """The number of points of a pose and of the numbers of each, from `kpt_shape`."""
    numbers = [_number(part) for part in shape] if isinstance(shape, list) else []
    if len(numbers) == 2 and numbers[0] and numbers[1] in (2, 3):
        return numbers[0], numbers[1]
    return 0, 0


def _number(key: object) -> int | None:
    """The number of a class, which may be text in YAML; None if it is none."""
    if isinstance(key, int) and not isinstance(key, bool):
        return key if 0 <= key < MOST_CLASSES else None
    return int(key) if isinstance(key, str) and key.isdecimal() and len(key) < len(str(MOST_CLASSES)) else None
