"""BugReport: an exception that no code expects, for the user to copy and send."""

from __future__ import annotations

import platform
import sys
import traceback

from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel, set_title
from core import log
from core.text import escaped
from core.translation import tr


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
        scale.around_dialog(layout)
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
