"""The long jobs under way, below the images: how far each one is, and a button to cancel it.

They stand beside the picture and not over it, because a folder may be refined for an hour.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from boxrefine_gui.operations.box_verbs import Cancellable
from boxrefine_gui.widgets.plain_text import PlainLabel
from core.progress import Progress

_COUNTABLE = 100_000
"""Steps that are more than this are told in percent: they are bytes and the like."""


class JobList(QWidget):
    """One row for each job; without jobs it takes no room."""

    def __init__(self) -> None:
        super().__init__()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self.setAccessibleName("Long jobs")

    def new(self) -> JobRow:
        """A row for a job that is about to start; it goes when the job ends."""
        row = JobRow()
        self._layout.addWidget(row)
        return row

    @property
    def rows(self) -> list[JobRow]:
        """Those in view."""
        return [row for row in self.findChildren(JobRow) if not row.isHidden()]


class JobRow(QWidget):
    """How far one long job is, and a button to cancel it."""

    def __init__(self) -> None:
        super().__init__()
        self._job: Cancellable | None = None
        self.words = PlainLabel()
        self.words.setWordWrap(True)
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress")
        self.progress.setMinimumWidth(40)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keyboard to the picture
        self.cancel_button.clicked.connect(self.cancel)
        grid = QGridLayout(self)
        grid.setContentsMargins(6, 4, 6, 6)
        grid.setVerticalSpacing(3)
        grid.addWidget(self.words, 0, 0, 1, 2)
        grid.addWidget(self.progress, 1, 0)
        grid.addWidget(self.cancel_button, 1, 1)
        grid.setColumnStretch(0, 1)
        self.hide()

    def started(self, title: str, job: Cancellable) -> None:
        """The job has been asked for."""
        self._job = job
        self.words.setText(title)
        self.progress.setRange(0, 0)
        self.show()

    def progressed(self, progress: Progress) -> None:
        """How far it is."""
        self.words.setText(progress.message)
        self.progress.setRange(0, progress.total)
        self.progress.setValue(progress.done)
        self.progress.setFormat("%p%" if progress.total > _COUNTABLE else f"{progress.done} of {progress.total}")
        self.progress.setAccessibleDescription(progress.message)

    def ended(self) -> None:
        """It is done, failed or cancelled."""
        self._job = None
        self.hide()
        self.deleteLater()

    def cancel(self) -> None:
        """Cancel the job."""
        if self._job is not None:
            self.cancel_button.setEnabled(False)
            self._job.cancel()
