"""The name of a picture for the user, with its folder where pictures of several folders may be called the same."""

from __future__ import annotations

from boxrefine_gui.state.session import Session
from core.records import ImageRecord


def picture_name(session: Session, image: ImageRecord) -> str:
    """The file name; in a project of several folders, the path from the folder that holds them all."""
    row, folders = session.row_of(image.id), session.folders
    if row is None or row >= len(folders.numbers) or not folders.are_several:
        return image.path.name
    folder = folders.names[folders.numbers[row]]
    return f"{folder}/{image.path.name}" if folder else image.path.name
