"""The question before a folder gets a project although one above or below it has one already."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QWidget

from boxrefine_gui.dialogs.question import Question
from boxrefine_gui.state.doing import SecondProject
from core.translation import tr, tr_plural


def ask_second_project(window: QWidget, question: SecondProject) -> None:
    """Ask whether to open the other project, to make a second one, or neither; Return and Escape do neither."""
    Question(
        window,
        title=tr("There is a project already"),
        text=_what_is_there(question),
        more=_what_follows(question),
        yes=tr("&Open that project"),
        no=tr("Cancel"),
        other=(tr("&Make a new one"), question.make_new),
        on_yes=question.open_other,
    ).setObjectName("second_project")


def _what_is_there(question: SecondProject) -> str:
    other = question.others[0].parent
    if question.is_above:
        return tr("The folder {folder} is part of {other}, which has a project.", folder=question.folder, other=other)
    return tr_plural(
        "The folder {folder} has no project, but {other} in it has one.",
        "The folder {folder} has no project, but {count} folders in it have one, as {other}.",
        len(question.others),
        folder=question.folder,
        other=_within(other, question.folder),
    )


def _what_follows(question: SecondProject) -> str:
    if question.is_above:
        return tr("A new project has none of its boxes, and each of the two keeps its own from then on.")
    return tr("A new project of the whole folder has none of those boxes: export them there, and import them here.")


def _within(folder: Path, above: Path) -> Path:
    return folder.relative_to(above) if folder.is_relative_to(above) else folder
