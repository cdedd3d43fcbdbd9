"""Operations on files of keys; the files lane reads and writes them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from boxrefine_gui.operations.parts import Parts
from core.key_file import KeyFile, read_keys, write_keys


def export_keys(
    parts: Parts, path: Path, *, on_done: Callable[[], None], on_error: Callable[[Exception], None]
) -> None:
    """Write the user's keys to a file."""
    file = KeyFile(parts.session.settings.key_set, dict(parts.session.settings.keys))
    parts.files.run(lambda: write_keys(file, path), on_done=lambda _: on_done(), on_error=on_error)


def import_keys(
    parts: Parts,
    path: Path,
    *,
    key_sets: Collection[str],
    on_done: Callable[[KeyFile], None],
    on_error: Callable[[Exception], None],
) -> None:
    """Read keys from a file; the caller makes them the user's."""
    parts.files.run(lambda: read_keys(path, key_sets=key_sets), on_done=on_done, on_error=on_error)
