"""Operations on files of keys; the files lane reads and writes them, and loads the YAML reader for that."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.operations.parts import Parts

if TYPE_CHECKING:
    from core.key_file import KeyFile


def export_keys(
    parts: Parts, path: Path, *, on_done: Callable[[], None], on_error: Callable[[Exception], None]
) -> None:
    """Write the user's keys to a file."""
    key_set, keys = parts.session.settings.key_set, dict(parts.session.settings.keys)

    def write() -> None:
        from core.key_file import KeyFile, write_keys

        write_keys(KeyFile(key_set, keys), path)

    parts.files.run(write, on_done=lambda _: on_done(), on_error=on_error)


def import_keys(
    parts: Parts,
    path: Path,
    *,
    key_sets: Collection[str],
    on_done: Callable[[KeyFile], None],
    on_error: Callable[[Exception], None],
) -> None:
    """Read keys from a file; the caller makes them the user's."""

    def read() -> KeyFile:
        from core.key_file import read_keys

        return read_keys(path, key_sets=key_sets)

    parts.files.run(read, on_done=on_done, on_error=on_error)
