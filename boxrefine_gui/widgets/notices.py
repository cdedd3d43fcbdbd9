"""Notices: a KnownError is a sentence above the canvas, a bug is a report to copy."""

from __future__ import annotations

import platform
import sys
import traceback

from PySide6.QtCore import QTimer, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from boxrefine_gui.state.level import Level
from boxrefine_gui.state.loaded_models import in_words
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.plain_text import PlainLabel
from core import log
from core.errors import BadWeightsError, KnownError, ProjectGoneError, ProjectUnwritableError
from core.text import escaped

_TOLD_MS = 12_000
"""How long a sentence that asks for nothing stays, in milliseconds; a fault stays until it is closed."""

# By whether it stays. The same in light and dark: a label takes its colour from the palette unless it is named here.
_STYLES = {
    True: (
        "#sentence { background: #FCE8D5; border-left: 4px solid #D55E00; }"
        "#sentence QLabel, #sentence QPushButton { color: #4A2508; }"
    ),
    False: (
        "#sentence { background: #DDF0E9; border-left: 4px solid #009E73; }"
        "#sentence QLabel, #sentence QPushButton { color: #08352A; }"
    ),
}


class Notices(QWidget):
    """A bar above the canvas; it never takes the keyboard away from the work."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._bug: BugReport | None = None
        self._shown: KnownError | None = None
        self._gone: ProjectGoneError | None = None
        """Comes back after whatever else is said, until it is closed: it tells where the work is."""
        self.sentence = PlainLabel()
        self.save_elsewhere = QPushButton("Save project elsewhere…")
        """Shown with what says that the project cannot be written where it is; the window connects it."""
        self._bar = self._make_bar()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._bar)
        self._until = QTimer(self)
        self._until.setSingleShot(True)
        self._until.timeout.connect(self.dismiss)
        session.problem.connect(self.show_problem)
        session.told.connect(self.tell)
        session.models_changed.connect(self._models_came)
        session.project_changed.connect(self._project_changed)
        self._told_in = session.project_path

    def show_problem(self, error: Exception) -> None:
        """Sort an error: the world's fault is told in its sentence, ours in a report."""
        if isinstance(error, KnownError):
            self.tell(str(error), Level.ERROR)
            self.save_elsewhere.setVisible(isinstance(error, ProjectUnwritableError))
            self._shown = error
            self._gone = error if isinstance(error, ProjectGoneError) else self._gone
        elif self._bug is None or not self._bug.isVisible():
            models = in_words(self._session.models, self._session.models_state)
            self._bug = BugReport(self, report_of(error), about_models=models, log_lines=log.last_lines())
            self._bug.open()
        else:
            self._bug.add(report_of(error))

    def tell(self, sentence: str, level: Level = Level.INFO) -> None:
        """Show a sentence: what needs no answer for a while, all else until it is closed."""
        self._shown, self._told_in = None, self._session.project_path
        self.sentence.setText(sentence)
        self.save_elsewhere.hide()
        self._bar.setStyleSheet(_STYLES[level.stays])
        self._bar.show()
        if level.stays:
            self._until.stop()
        else:
            self._until.start(_TOLD_MS)

    def dismiss(self) -> None:
        """Take the sentence away; one that tells of a project that is gone comes back from under another."""
        under = self._gone if self._gone is not self._shown else None
        self._shown = self._gone = None
        if under is None:
            self._bar.hide()
        else:
            self.show_problem(under)

    def _models_came(self) -> None:
        """What was said of weights is settled once there are models."""
        if isinstance(self._shown, BadWeightsError) and self._session.models is not None:
            self.dismiss()

    def _project_changed(self) -> None:
        """What was said of one project means nothing in another; what was said before any was open stays."""
        if self._told_in is not None and self._told_in != self._session.project_path:
            self._gone = None
            self.dismiss()

    def _make_bar(self) -> QFrame:
        bar = QFrame()
        bar.setObjectName("sentence")
        self.sentence.setWordWrap(True)
        self.sentence.setAccessibleName("Notice")
        self.sentence.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        close = QPushButton("Close")
        close.setFlat(True)
        close.setStyleSheet("padding: 2px 10px;")
        close.setAccessibleName("Close the notice")
        close.clicked.connect(self.dismiss)
        row = QHBoxLayout(bar)
        row.setContentsMargins(10, 6, 6, 6)
        row.addWidget(self.sentence, 1)
        self.save_elsewhere.setFlat(True)
        self.save_elsewhere.setStyleSheet("padding: 2px 10px; text-decoration: underline;")
        self.save_elsewhere.hide()
        row.addWidget(self.save_elsewhere)
        row.addWidget(close)
        bar.hide()
        return bar


class BugReport(QDialog):
    """Something that is our fault: what happened, ready to be copied. What was accepted before is stored."""

    def __init__(self, parent: QWidget, report: str, *, about_models: str, log_lines: list[str]) -> None:
        super().__init__(parent)
        self._faults, self._about_models, self._log_lines = [report], about_models, log_lines
        self.setWindowTitle("A fault in BoxRefine")
        self.resize(680, 420)
        label = PlainLabel("Something went wrong that should not. Every accepted box is stored; you can go on working.")
        label.setWordWrap(True)
        self.report = QPlainTextEdit(self._text())
        self.report.setReadOnly(True)
        self.report.setAccessibleName("Report")
        buttons = QDialogButtonBox()
        buttons.addButton(QPushButton("Close"), QDialogButtonBox.ButtonRole.RejectRole)
        copy = buttons.addButton("Copy the report", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self.copy)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (label, self.report, buttons):
            layout.addWidget(widget)

    def add(self, report: str) -> None:
        """Another fault while this one is being looked at; a repeated one is not told again."""
        if report not in self._faults:
            self._faults.append(report)
            self.report.setPlainText(self._text())

    def copy(self) -> None:
        """Put the report on the clipboard."""
        QGuiApplication.clipboard().setText(self.report.toPlainText())

    def _text(self) -> str:
        """The faults, the models, and what the log said last, when the first of the faults came."""
        lines = self._log_lines or ["No log is kept."]
        trouble = [f"It cannot be written: {log.trouble()}."] if log.trouble() else []
        heading = f"The end of the log {escaped(str(log.log_path()))}:"
        return "\n".join([*self._faults, f"Models: {escaped(self._about_models)}", "", heading, *trouble, *lines])


def report_of(error: Exception) -> str:
    """What we need to know of a bug, as text."""
    where = f"Python {sys.version.split()[0]}, Qt {qVersion()}, {platform.platform()}"
    return f"{where}\n" + "".join(traceback.format_exception(error))
