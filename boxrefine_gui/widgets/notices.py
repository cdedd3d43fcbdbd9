"""Notices: sentences for the user in a strip below the picture; an unexpected exception is shown as a bug report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from boxrefine_gui.state.level import Level
from boxrefine_gui.state.loaded_models import in_words
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets import scale, theme
from boxrefine_gui.widgets.bug_report import BugReport, report_of
from boxrefine_gui.widgets.plain_text import set_title, shown
from boxrefine_gui.widgets.two_lines import TwoLines
from core import log
from core.errors import BadWeightsError, KnownError, ProjectGoneError, ProjectUnwritableError
from core.translation import tr

_TOLD_MS = 12_000
"""How long an informative sentence stays, in milliseconds; an error stays until the user closes it."""

_MOST = 50
"""Older notices are dropped, so that a failing disk does not fill the memory."""

_EDGE = 4
_LIST_SIZE = QSize(620, 320)


@dataclass(frozen=True)
class Notice:
    """One sentence: its level, its error if there is one, and the project that was open."""

    sentence: str
    level: Level
    error: KnownError | None = None
    told_in: Path | None = None


class Notices(QFrame):
    """A strip below the picture; it always has the same height, so that nothing moves when a notice comes or goes.

    It never takes the keyboard focus by itself. The newest notice is shown; the error of a project that is gone comes
    back once another one is closed, because it names the file that has the work.
    """

    was_empty = Signal()  # there was no notice to close
    left = Signal()  # the keyboard was in the strip when its last notice went

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._bug: BugReport | None = None
        self.kept: list[Notice] = []
        """All that are not closed yet, the oldest first."""
        self._shown: Notice | None = None
        self._is_under_page = False
        self.sentence = TwoLines()
        self.save_elsewhere = _button(tr("Save project elsewhere…"))
        """Visible beside errors of a project that cannot be written in its place; the window connects it."""
        self.more = _button("")
        """Shows the next older notice, and the number of all."""
        self.whole = _button(tr("Read it all"))
        """Visible beside a sentence that is cut."""
        self.close_button = _button(tr("Close"))
        self._bar = self._make_bar()
        layout = QVBoxLayout(self)
        scale.margins(layout, scale.NONE)
        layout.addWidget(self._bar)
        self.setFixedHeight(self._bar.sizeHint().height())
        self._bar.hide()
        self._until = QTimer(self)
        self._until.setSingleShot(True)
        self._until.timeout.connect(self._info_is_over)
        session.problem.connect(self.show_problem)
        session.told.connect(self.tell)
        session.models_changed.connect(self._models_came)
        session.project_changed.connect(self._project_changed)

    @property
    def shown(self) -> Notice | None:
        """The notice that can be read now."""
        return self._shown

    def show_problem(self, error: Exception) -> None:
        """Show a KnownError as a notice, and any other exception as a bug report."""
        if isinstance(error, KnownError):
            self._add(Notice(str(error), Level.ERROR, error, self._session.project_path))
        elif self._bug is None or not self._bug.isVisible():
            models = in_words(self._session.models, self._session.models_state)
            self._bug = BugReport(self, report_of(error), about_models=models, log_lines=log.last_lines())
            self._bug.open()
        else:
            self._bug.add(report_of(error))

    def tell(self, sentence: str, level: Level = Level.INFO) -> None:
        """Show a sentence: an informative one for some seconds, any other until the user closes it."""
        self._add(Notice(sentence, level, told_in=self._session.project_path))

    def dismiss(self) -> None:
        """Close the notice that is shown; the error of a project that is gone comes next, else the newest one."""
        if self._shown is None:
            self.was_empty.emit()
        self._keep([notice for notice in self.kept if notice is not self._shown])

    def dismiss_all(self) -> None:
        """Close all notices."""
        self._keep([])

    def show_older(self) -> None:
        """Show the next older notice; the newest one follows the oldest."""
        if self._shown is not None:
            self._show(self.kept[self.kept.index(self._shown) - 1])

    def set_under_page(self, is_under_page: bool) -> None:
        """Look like a part of the page above it instead of the canvas, while there is no notice."""
        self._is_under_page = is_under_page
        self.update()

    def read_all(self) -> None:
        """Show all notices with their whole sentences, the newest first."""
        sentences = [notice.sentence for notice in reversed(self.kept)]
        NoticeList(self, sentences, on_close_all=self.dismiss_all).open()

    def _add(self, notice: Notice) -> None:
        """Show a notice as the newest one; it replaces an equal one, and an informative one replaces the one before."""
        is_info = not notice.level.stays
        kept = [
            entry
            for entry in self.kept
            if entry.sentence != notice.sentence and not (is_info and not entry.level.stays)
        ]
        self.kept = [*kept[1 - _MOST :], notice]
        if is_info:
            self._until.start(_TOLD_MS)
        elif all(entry.level.stays for entry in self.kept):
            self._until.stop()
        self._show(notice)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.sentence, notice.sentence))

    def _keep(self, kept: list[Notice]) -> None:
        self.kept = kept
        if self._shown not in kept:
            gone = [notice for notice in kept if isinstance(notice.error, ProjectGoneError)]
            self._show(next(iter([*gone[-1:], *kept[-1:]]), None))
        else:
            self._show(self._shown)

    def _show(self, notice: Notice | None) -> None:
        had_focus = self.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False
        self._shown = notice
        if notice is None:
            self._until.stop()
            self._bar.hide()
            self.sentence.setText("")
            if had_focus:
                self.left.emit()
            return
        self.save_elsewhere.setVisible(isinstance(notice.error, ProjectUnwritableError))
        count = len(self.kept)
        number = count - self.kept.index(notice)
        self.more.setText(tr("{number} of {count}", number=number, count=count))
        self.more.setVisible(count > 1)
        self.sentence.setText(notice.sentence)
        self._color()
        self._bar.show()

    def _info_is_over(self) -> None:
        self._keep([notice for notice in self.kept if notice.level.stays])

    def _models_came(self) -> None:
        """Close errors about weights once the models are loaded."""
        if self._session.models is not None:
            self._keep([notice for notice in self.kept if not isinstance(notice.error, BadWeightsError)])

    def _project_changed(self) -> None:
        """Close notices about another project; those from before any was open stay."""
        here = (None, self._session.project_path)
        self._keep([notice for notice in self.kept if notice.told_in in here])

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if not self._is_under_page:  # while it is empty, it looks like a part of what is above it
            painter.fillRect(self.rect(), theme.canvas_ground())
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._color()

    def _color(self) -> None:
        if self._shown is None:
            return
        colors = theme.notice_colors(stays=self._shown.level.stays)
        style = (
            f"#sentence {{ background: {colors.ground}; "  # untranslated: CSS
            f"border-left: {_EDGE}px solid {colors.edge}; }}"  # untranslated: CSS
            f"#sentence QLabel, #sentence QPushButton {{ color: {colors.ink}; }}"  # untranslated: CSS
        )
        if style != self._bar.styleSheet():
            self._bar.setStyleSheet(style)

    def _make_bar(self) -> QFrame:
        bar = QFrame()
        bar.setObjectName("sentence")
        self.sentence.setAccessibleName(tr("Notice"))
        self.close_button.setAccessibleName(tr("Close the notice"))
        self.more.setAccessibleName(tr("Next older notice"))
        self.whole.hide()
        self.more.hide()
        self.save_elsewhere.hide()
        self.sentence.cut_changed.connect(self.whole.setVisible)
        self.close_button.clicked.connect(self.dismiss)
        self.more.clicked.connect(self.show_older)
        self.whole.clicked.connect(self.read_all)
        row = QHBoxLayout(bar)
        scale.margins(row, scale.SMALL, scale.TIGHT)
        row.setSpacing(scale.TIGHT)
        row.addWidget(self.sentence, 1)
        for button in (self.whole, self.save_elsewhere, self.more, self.close_button):
            row.addWidget(button)
        return bar


def _button(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setFlat(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keyboard with the canvas
    return button


class NoticeList(QDialog):
    """All notices that are not closed yet, for reading and copying."""

    def __init__(self, parent: QWidget, sentences: list[str], *, on_close_all: Callable[[], None]) -> None:
        super().__init__(parent)
        set_title(self, tr("Notices"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(_LIST_SIZE)
        self.text = QPlainTextEdit(shown("\n\n".join(sentences)))
        self.text.setReadOnly(True)
        self.text.setAccessibleName(tr("Notices"))
        buttons = QDialogButtonBox()
        back = buttons.addButton(tr("Back"), QDialogButtonBox.ButtonRole.RejectRole)
        self.close_all = buttons.addButton(tr("Close all notices"), QDialogButtonBox.ButtonRole.ActionRole)
        self.close_all.setAutoDefault(False)
        back.setDefault(True)
        buttons.rejected.connect(self.reject)
        self.close_all.clicked.connect(self.accept)
        self.accepted.connect(on_close_all)
        layout = QVBoxLayout(self)
        scale.around_dialog(layout)
        layout.addWidget(self.text)
        layout.addWidget(buttons)
