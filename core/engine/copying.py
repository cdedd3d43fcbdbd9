"""CopyPictures: the callable that copies pictures on workers to a folder that all machines have."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from core.engine.rows import DONE, FAILED, Rows, columns, numbers_of
from core.errors import reason
from core.translation import tr


class CopyPictures:
    """Rows have `picture`, a path, and `target`, the path of the copy; they come back with `state` and `note`."""

    def __call__(self, rows: Rows) -> Rows:
        """Copy the pictures of a batch; a copy is whole or not there."""
        pairs = zip(rows["picture"], rows["target"], strict=True)
        notes = [_copied(Path(str(picture)), Path(str(target))) for picture, target in pairs]
        return columns(number=numbers_of(rows), state=[FAILED if note else DONE for note in notes], note=notes)


def _copied(picture: Path, target: Path) -> str:
    """Copy one picture; return why it could not be, or nothing."""
    beside = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    try:
        shutil.copyfile(picture, beside)
        os.replace(beside, target)  # noqa: PTH105 - the whole line is one step of the file system
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        return tr(
            "The picture {path} cannot be copied to {target} ({why}): its worker needs both folders.",
            path=picture,
            target=target.parent,
            why=reason(error),
        )
    return ""
