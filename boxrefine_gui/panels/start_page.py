"""The start page: recent projects with their progress, and the ways to open another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QHideEvent, QIcon, QImage, QKeyEvent, QPainter, QPixmap, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.operations import opening
from boxrefine_gui.operations.box_verbs import choose_settings
from boxrefine_gui.operations.glances import look_at
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel, in_one_line, set_tooltip
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.store.glance import Glance

_PATH = Qt.ItemDataRole.UserRole
_WIDEST = 720
_ICON = QSize(72, 54)
_PAUSE_MS = 200
_WAYS = ("open_folder", "open_project", "open_sample", "tour")


class StartPage(QFrame):
    """Covers the middle of the window while no project is open, or when the user asks for it."""

    covers = Signal(bool)  # whether it covers the picture now
    left = Signal()  # the user went back to the open project

    def __init__(self, parts: Parts, lane: QueueLane) -> None:
        super().__init__()
        self._parts, self._lane = parts, lane
        self._is_asked = False
        self.setAutoFillBackground(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.recent = _Recent()
        self.buttons = {id: QPushButton() for id in _WAYS}
        self._none = PlainLabel(tr("The folders and projects that you open will stand here."))
        self._arrange()
        self.recent.itemActivated.connect(self._open)
        self.recent.removed.connect(self._forget)
        # Between two steps of opening a project, there is nothing under way for a moment.
        self._pause = timer(_PAUSE_MS, self._show_if_nothing_opens)
        session = parts.session
        session.project_changed.connect(self._project_changed)
        session.activity_changed.connect(self._follow)
        self.hide()

    def connect_to(self, actions: Mapping[str, QAction]) -> None:
        """Let the buttons trigger the actions of the menu File, with their words."""
        for id, button in self.buttons.items():
            button.setText(actions[id].text())
            button.setIcon(actions[id].icon())
            button.clicked.connect(partial(_trigger, actions[id]))

    def show_page(self) -> None:
        """Show the page over the open project."""
        self._is_asked = True
        self._show()

    def _arrange(self) -> None:
        title = PlainLabel(tr("BoxRefine"))
        scale.set_type(title, scale.TITLE_TYPE)
        heading = PlainLabel(tr("Recent projects"))
        scale.set_type(heading, is_bold=True)
        ways = QHBoxLayout()
        for button in self.buttons.values():
            button.setMinimumHeight(scale.LARGE_CONTROL)
            ways.addWidget(button)
        ways.addStretch(1)
        column = QWidget()
        column.setMaximumWidth(_WIDEST)
        layout = QVBoxLayout(column)
        scale.margins(layout, scale.WIDE, scale.HUGE)
        layout.setSpacing(scale.MEDIUM)
        layout.addWidget(title)
        layout.addWidget(
            PlainLabel(tr("Drag a careless box: it snaps to the object. Drop a folder of pictures here to begin."))
        )
        layout.addLayout(ways)
        layout.addSpacing(scale.MEDIUM)
        layout.addWidget(heading)
        layout.addWidget(self._none, 1, Qt.AlignmentFlag.AlignTop)  # else the lines move apart without a list
        layout.addWidget(self.recent, 1)
        across = QHBoxLayout(self)
        scale.margins(across, scale.NONE)
        across.addStretch(1)
        across.addWidget(column, 8)
        across.addStretch(1)
        for label in column.findChildren(PlainLabel):
            label.setWordWrap(True)

    # When it is shown

    def _project_changed(self) -> None:
        self._is_asked = False
        self._follow()

    def _follow(self) -> None:
        """Show the page while no project is open or being opened."""
        if self._is_wanted and self.isHidden():
            self._pause.start()
        elif not self._is_wanted:
            self._pause.stop()
            self.hide()

    @property
    def _is_wanted(self) -> bool:
        session = self._parts.session
        return self._is_asked or (session.project_path is None and session.scan is None)

    def _show_if_nothing_opens(self) -> None:
        if self._is_wanted and self.isHidden():
            self._show()

    def _show(self) -> None:
        self.fill()
        self.show()
        self.raise_()
        (self.recent if self.recent.count() else self.buttons[_WAYS[0]]).setFocus()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.covers.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.covers.emit(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape goes back to the open project."""
        if event.key() == Qt.Key.Key_Escape and self._parts.session.project_path is not None:
            self._is_asked = False
            self.hide()
            self.left.emit()
        else:
            super().keyPressEvent(event)

    # Its rows

    def fill(self) -> None:
        """List the recent projects, and look at each in the background."""
        paths = [Path(entry) for entry in self._parts.session.settings.recent]
        self.recent.clear()
        for path in paths:
            item = QListWidgetItem(_words(path, tr("looking…")))
            item.setData(_PATH, str(path))
            item.setIcon(_framed(None))
            set_tooltip(item, str(path))
            self.recent.addItem(item)
        if paths:
            self.recent.setCurrentRow(0)
        self._none.setVisible(not paths)
        self.recent.setVisible(bool(paths))
        look_at(self._lane, paths, on_seen=self._seen)

    def _seen(self, path: Path, found: Glance | None, preview: QImage | None) -> None:
        for row in range(self.recent.count()):
            item = self.recent.item(row)
            if item.data(_PATH) == str(path):
                item.setText(_words(path, progress_words(found)))
                if preview is not None:
                    item.setIcon(_framed(preview))
                if found is None:
                    item.setForeground(self.palette().placeholderText())

    def _open(self, item: QListWidgetItem) -> None:
        opening.open_path(self._parts, Path(item.data(_PATH)))

    def _forget(self, path: str) -> None:
        """Take a project out of the list; its file stays."""
        settings = self._parts.session.settings
        recent = tuple(entry for entry in settings.recent if entry != path)
        choose_settings(self._parts, replace(settings, recent=recent))
        self.fill()


class _Recent(QListWidget):
    """The list of recent projects; Delete takes one out."""

    removed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Recent projects"))
        self.setIconSize(_ICON)
        self.setSpacing(scale.HAIR)
        self.setUniformItemSizes(True)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        set_tooltip(self, tr("Return opens a project, Delete takes it out of the list"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete and self.currentRow() >= 0 and not event.isAutoRepeat():
            self.removed.emit(self.currentItem().data(_PATH))
        elif event.key() == Qt.Key.Key_Escape:
            event.ignore()  # for the page
        else:
            super().keyPressEvent(event)


def progress_words(found: Glance | None) -> str:
    """The progress of a project in a few words."""
    if found is None:
        return tr("not there now, or not readable")
    images = tr("{done} of {images} done", done=f"{found.done:,}", images=f"{found.images:,}")
    boxes = tr_plural("{number} box", "{number} boxes", found.boxes, number=f"{found.boxes:,}")
    return tr("{images}, {boxes}", images=images, boxes=boxes)


def _words(path: Path, progress: str) -> str:
    from core.files import PROJECT_FILE_NAME

    name = path.parent.name if path.name == PROJECT_FILE_NAME else path.name
    return f"{in_one_line(name)}\n{progress}\n{in_one_line(str(path))}"


def _framed(preview: QImage | None) -> QIcon:
    """An icon of one size for all rows, with the preview in its middle."""
    frame = QPixmap(_ICON * 2)
    frame.fill(Qt.GlobalColor.transparent)
    if preview is not None:
        small = preview.scaled(
            frame.size(), Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        painter = QPainter(frame)
        painter.drawImage((frame.width() - small.width()) // 2, (frame.height() - small.height()) // 2, small)
        painter.end()
    return QIcon(frame)


def _trigger(action: QAction, _: bool = False) -> None:
    action.trigger()
