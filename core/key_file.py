"""Files of keys, which carry the keys of one user to another computer or person."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from core.bounded import read_text
from core.errors import BadFileError, StorageError, reason
from core.files import written_whole
from core.plain_yaml import parse_yaml
from core.settings_check import find_error
from core.text import escaped, is_name
from core.translation import tr

VERSION = 1
_TITLE = "# Keys of BoxRefine. Import: Help, Choose other keys.\n"  # untranslated: for every reader of the file
_LARGEST = 64 * 1024
_LONGEST = 100


@dataclass(frozen=True)
class KeyFile:
    """The name of a key set, and the keys that replace those of single actions: action id -> keys."""

    key_set: str
    keys: Mapping[str, tuple[str, ...]]


def write_keys(file: KeyFile, path: Path) -> None:
    """Write a file of keys atomically. Raises StorageError."""
    keys = {action: list(held) for action, held in file.keys.items()}
    content = {"version": VERSION, "key_set": file.key_set, "keys": keys}
    try:
        with written_whole(path) as beside:
            beside.write_text(_TITLE + yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")
    except OSError as error:
        raise StorageError(
            tr("The keys could not be written to {path} ({why}): check the disk.", path=path, why=reason(error))
        ) from error


def read_keys(path: Path, *, key_sets: Collection[str]) -> KeyFile:
    """Read a file of keys; `key_sets` are the names of the key sets that there are.

    Whether its actions and keys exist is not checked. Raises BadFileError if it is unreadable, no file of keys, of a
    newer version, or of an unknown key set.
    """
    try:
        content = parse_yaml(read_text(path, limit=_LARGEST, encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise _unusable(path, reason(error)) from error
    version = content.get("version") if isinstance(content, dict) else None
    if not isinstance(content, dict) or type(version) is not int or version < 1:
        raise _unusable(path, tr("it is no file of keys"))
    if version > VERSION:
        raise BadFileError(
            tr(
                "The keys in {path} are of a newer BoxRefine (version {found}, this one reads {known}): "
                "update BoxRefine, and import them again.",
                path=path,
                found=version,
                known=VERSION,
            )
        )
    key_set, keys = content.get("key_set", ""), content.get("keys") or {}
    if not isinstance(key_set, str) or key_set not in key_sets:
        raise _unusable(path, tr("it has no key set of {names}", names=", ".join(key_sets)))
    return KeyFile(key_set, _checked(path, keys))


def _checked(path: Path, keys: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(keys, dict) or not all(isinstance(action, str) and is_name(action) for action in keys):
        raise _unusable(path, tr("keys must be a table of actions"))
    plain = {action: _with_digits(held) for action, held in keys.items()}
    if (wrong := find_error("keys", plain, {})) is not None:
        raise _unusable(path, wrong)
    checked = {action: tuple(map(str, held)) for action, held in plain.items() if isinstance(held, list)}
    if not all(is_name(key) for held in checked.values() for key in held):
        raise _unusable(path, tr("a key is no plain text"))
    return checked


def _with_digits(held: object) -> object:
    """A digit without quotes is a number in YAML, and a key here."""
    if not isinstance(held, list):
        return held
    return [str(key) if type(key) is int and 0 <= key <= 9 else key for key in held]


def _unusable(path: Path, why: str) -> BadFileError:
    return BadFileError(
        tr(
            "The keys in {path} cannot be used ({why}): choose a file that BoxRefine has exported. Your keys stay.",
            path=path,
            why=escaped(why)[:_LONGEST],
        )
    )
