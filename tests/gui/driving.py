"""Driving the real window by mouse and key, and waiting for what it says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.canvas.canvas import Canvas
from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.state.doing import ActivityKind
from core.geometry import Box
from core.records import Correction
from core.settings import Settings
from core.store.project_store import ProjectStore

NO_MODIFIER = Qt.KeyboardModifier.NoModifier
Point = tuple[float, float]


class ScriptedAsk(Ask):
    """Answers the file dialogs with what the test says."""

    def __init__(self) -> None:
        self.answer: Path | None = None
        self.answers: list[Path] = []  # of a dialog for several files
        self.shown: list[Path] = []
        self.can_show = True

    def show(self, path: Path) -> bool:
        self.shown.append(path)
        return self.can_show

    def folder(self, parent: QWidget, *, title: str, start: Path | None) -> Path | None:
        return self.answer

    def weights(self, parent: QWidget, *, name: str) -> Path | None:
        return self.answer

    def annotations(self, parent: QWidget, *, start: Path | None) -> Path | None:
        return self.answer

    def new_project(self, parent: QWidget, *, start: Path | None) -> Path | None:
        return self.answer

    def new_file(self, parent: QWidget, *, title: str, start: Path, kind: str) -> Path | None:
        return self.answer

    def keys(self, parent: QWidget) -> Path | None:
        return self.answer

    def configuration(self, parent: QWidget, *, title: str) -> Path | None:
        return self.answer

    def new_keys(self, parent: QWidget) -> Path | None:
        return self.answer

    def project(self, parent: QWidget, *, start: Path | None) -> Path | None:
        return self.answer

    def projects(self, parent: QWidget, *, start: Path | None) -> list[Path]:
        return self.answers or ([] if self.answer is None else [self.answer])


def mouse(
    canvas: Canvas,
    kind: QEvent.Type,
    at: Point,
    *,
    button: Qt.MouseButton = Qt.MouseButton.LeftButton,
    modifiers: Qt.KeyboardModifier = NO_MODIFIER,
) -> None:
    """One mouse event on the canvas at a point in image pixels."""
    view = canvas.view
    point = QPointF(at[0] * view.scale + view.left, at[1] * view.scale + view.top)
    is_move = kind == QEvent.Type.MouseMove
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else button
    pressed = Qt.MouseButton.NoButton if is_move else button
    event = QMouseEvent(kind, point, canvas.mapToGlobal(point), pressed, held, modifiers)
    QCoreApplication.sendEvent(canvas, event)


def press(canvas: Canvas, at: Point, modifiers: Qt.KeyboardModifier = NO_MODIFIER) -> None:
    mouse(canvas, QEvent.Type.MouseButtonPress, at, modifiers=modifiers)


def move(canvas: Canvas, at: Point, modifiers: Qt.KeyboardModifier = NO_MODIFIER) -> None:
    mouse(canvas, QEvent.Type.MouseMove, at, modifiers=modifiers)


def hover(canvas: Canvas, at: Point) -> None:
    """Move the pointer without a button, to a point in image pixels."""
    mouse(canvas, QEvent.Type.MouseMove, at, button=Qt.MouseButton.NoButton)


def leave(canvas: Canvas) -> None:
    """Move the pointer off the canvas."""
    QCoreApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))


def release(canvas: Canvas, at: Point, modifiers: Qt.KeyboardModifier = NO_MODIFIER) -> None:
    mouse(canvas, QEvent.Type.MouseButtonRelease, at, modifiers=modifiers)


def drag(canvas: Canvas, points: Iterable[Point], modifiers: Qt.KeyboardModifier = NO_MODIFIER) -> None:
    """Press at the first point, go through the others, release at the last."""
    first, *rest = points
    press(canvas, first, modifiers)
    for point in rest:
        move(canvas, point, modifiers)
    release(canvas, rest[-1], modifiers)


def click(canvas: Canvas, at: Point) -> None:
    press(canvas, at)
    release(canvas, at)


def draw(qtbot: QtBot, app: App, box: Box) -> None:
    """Draw a box and wait for its refinement."""
    middle = ((box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2)
    drag(app.window.canvas, [(box.x1, box.y1), middle, (box.x2, box.y2)])
    qtbot.waitUntil(lambda: app.session.draft is not None and app.session.draft.is_current)


def accept(qtbot: QtBot, app: App) -> None:
    """Press Return and wait until everything is stored."""
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Return)
    settled(qtbot, app)


def settled(qtbot: QtBot, app: App) -> None:
    """Wait until nothing is on its way to the store."""
    qtbot.waitUntil(lambda: not app.session.waiting and app.store.is_idle and not app.session.storing)


def ready(qtbot: QtBot, app: App) -> None:
    """Wait until the picture is shown and its features are there."""
    qtbot.waitUntil(lambda: app.session.picture is not None and app.session.features is not None)
    settled(qtbot, app)


def is_doing(app: App, kind: ActivityKind) -> bool:
    """Whether the encode lane is busy with that."""
    return app.session.activity is not None and app.session.activity.kind is kind


def close_to(first: Box, second: Box) -> bool:
    """Equal but for the rounding on the way through the screen."""
    return all(abs(a - b) < 0.01 for a, b in zip(first, second, strict=True))


def stored(app: App) -> list[Correction]:
    """All corrections in the project's file, read by a connection of its own."""
    assert app.session.project_path is not None
    project = ProjectStore.open(app.session.project_path)
    try:
        return list(project.dataset().corrections)
    finally:
        project.close()


def chosen(app: App) -> Settings:
    """The settings without the places of the window and its panels, which are noted some time after it is shown."""
    return replace(app.session.settings, window="", panel_widths=(), panel_heights=(), places={})
