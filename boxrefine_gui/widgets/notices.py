"""Notices: a KnownError is shown as a sentence above the canvas, any other exception as a bug report."""

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
from boxrefine_gui.widgets.plain_text import PlainLabel, set_title
from core import log
from core.errors import BadWeightsError, KnownError, ProjectGoneError, ProjectUnwritableError
from core.text import escaped
from core.translation import tr

_TOLD_MS = 12_000
"""How long an informative sentence stays, in milliseconds; an error stays until the user closes it."""

# By whether the notice stays. Light and dark schemes share them: labels would take their color from the palette.
_STYLES = {
    True: (
        "#sentence { background: #FCE8D5; border-left: 4px solid #D55E00; }"
        "#sentence QLabel, #sentence QPushButton { color: #4A2508; }"  # untranslated: CSS
    ),
    False: (
        "#sentence { background: #DDF0E9; border-left: 4px solid #009E73; }"
        "#sentence QLabel, #sentence QPushButton { color: #08352A; }"  # untranslated: CSS
    ),
}


class Notices(QWidget):
    """A bar above the canvas; it never takes the keyboard focus."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._bug: BugReport | None = None
        self._shown: KnownError | None = None
        self._gone: ProjectGoneError | None = None
        """Shown again after other notices until the user closes it, because it names the file that has the work."""
        self.sentence = PlainLabel()
        self.save_elsewhere = QPushButton(tr("Save project elsewhere…"))
        """Visible beside errors of a project that cannot be written in its place; the window connects it."""
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
        """Show a KnownError as a notice, and any other exception as a bug report."""
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
        """Show a sentence: an informative one for some seconds, any other until the user closes it."""
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
        """Hide the sentence; the error of a project that is gone is shown again if another notice covered it."""
        under = self._gone if self._gone is not self._shown else None
        self._shown = self._gone = None
        if under is None:
            self._bar.hide()
        else:
            self.show_problem(under)

    def _models_came(self) -> None:
        """Hide an error about weights once the models are loaded."""
        if isinstance(self._shown, BadWeightsError) and self._session.models is not None:
            self.dismiss()

    def _project_changed(self) -> None:
        """Hide notices about another project; those from before any was open stay."""
        if self._told_in is not None and self._told_in != self._session.project_path:
            self._gone = None
            self.dismiss()

    def _make_bar(self) -> QFrame:
        bar = QFrame()
        bar.setObjectName("sentence")
        self.sentence.setWordWrap(True)
        self.sentence.setAccessibleName(tr("Notice"))
        self.sentence.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        close = QPushButton(tr("Close"))
        close.setFlat(True)
        close.setStyleSheet("padding: 2px 10px;")
        close.setAccessibleName(tr("Close the notice"))
        close.clicked.connect(self.dismiss)
        row = QHBoxLayout(bar)
        row.setContentsMargins(10, 6, 6, 6)
        row.addWidget(self.sentence, 1)
        self.save_elsewhere.setFlat(True)
        self.save_elsewhere.setStyleSheet("padding: 2px 10px; text-decoration: underline;")  # untranslated: CSS
        self.save_elsewhere.hide()
        row.addWidget(self.save_elsewhere)
        row.addWidget(close)
        bar.hide()
        return bar


class BugReport(QDialog):
    """A bug report for the user to copy. Its text stays English, for the developers who read it."""

    def __init__(self, parent: QWidget, report: str, *, about_models: str, log_lines: list[str]) -> None:
        super().__init__(parent)
        self._errors, self._about_models, self._log_lines = [report], about_models, log_lines
        set_title(self, tr("An error in BoxRefine"))
        self.resize(680, 420)
        label = PlainLabel(
            tr("Something went wrong that should not. Every accepted box is stored; you can go on working.")
        )
        label.setWordWrap(True)
        self.report = QPlainTextEdit(self._text())
        self.report.setReadOnly(True)
        self.report.setAccessibleName(tr("Report"))
        buttons = QDialogButtonBox()
        buttons.addButton(QPushButton(tr("Close")), QDialogButtonBox.ButtonRole.RejectRole)
        copy = buttons.addButton(tr("Copy the report"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self.copy)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (label, self.report, buttons):
            layout.addWidget(widget)

    def add(self, report: str) -> None:
        """Add another error while the dialog is open; a repeated one is left out."""
        if report not in self._errors:
            self._errors.append(report)
            self.report.setPlainText(self._text())

    def copy(self) -> None:
        """Put the report on the clipboard."""
        QGuiApplication.clipboard().setText(self.report.toPlainText())

    def _text(self) -> str:
        """The errors, the models, and the end of the log at the time of the first error."""
        lines = self._log_lines or ["No log is kept."]  # untranslated: a report for developers
        trouble = [f"It cannot be written: {log.trouble()}."] if log.trouble() else []  # untranslated: see above
        heading = f"The end of the log {escaped(str(log.log_path()))}:"  # untranslated: see above
        return "\n".join([*self._errors, f"Models: {escaped(self._about_models)}", "", heading, *trouble, *lines])


def report_of(error: Exception) -> str:
    """Versions and traceback of an error, as text."""
    where = f"Python {sys.version.split()[0]}, Qt {qVersion()}, {platform.platform()}"
    return f"{where}\n" + "".join(traceback.format_exception(error))
