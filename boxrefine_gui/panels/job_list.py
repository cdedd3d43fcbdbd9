"""The running long jobs, below the list of images: progress and a button to cancel for each.

They are beside the picture and do not cover it, because refining a folder may take an hour.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.operations.box_verbs import Cancellable
from boxrefine_gui.panels.status_words import scan_words
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel
from core.progress import Progress
from core.translation import tr

_SCAN_SHOWN_MS = 500
"""How long a folder is being opened or read before that gets a row: most take less."""

_COUNTABLE = 100_000
"""Above this number of steps, show percent instead of counts: such jobs count bytes."""


class JobList(QWidget):
    """One row for each job; without jobs it has no height. A folder that is opened or read is a job, too."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._scan_row: JobRow | None = None
        self._scan_timer = timer(_SCAN_SHOWN_MS, self._show_scan)
        session.activity_changed.connect(self._follow_scan)
        self._layout = QVBoxLayout(self)
        scale.margins(self._layout, scale.NONE)
        self._layout.setSpacing(scale.NONE)
        self.setAccessibleName(tr("Long jobs"))

    def new(self) -> JobRow:
        """Add a row for a job that is about to start; it is removed when the job ends."""
        row = JobRow()
        self._layout.addWidget(row)
        return row

    def cancel(self) -> None:
        """Stop what is being opened or read."""
        scan = self._session.scan
        if scan is not None and scan.stop is not None:
            scan.stop()

    def _follow_scan(self) -> None:
        scan = self._session.scan
        if scan is None or scan.stop is None:
            self._scan_timer.stop()
            if self._scan_row is not None:
                self._scan_row.ended()
                self._scan_row = None
        elif self._scan_row is not None:
            self._scan_row.progressed(Progress(scan.done, scan.total, scan_words(scan)))
        elif not self._scan_timer.isActive():
            self._scan_timer.start()

    def _show_scan(self) -> None:
        scan = self._session.scan
        if scan is not None and scan.stop is not None:
            self._scan_row = self.new()
            self._scan_row.started(scan_words(scan), self)
            self._follow_scan()

    @property
    def rows(self) -> list[JobRow]:
        """The visible rows."""
        return [row for row in self.findChildren(JobRow) if not row.isHidden()]


class JobRow(QWidget):
    """The progress of a long job, and a button to cancel it."""

    def __init__(self) -> None:
        super().__init__()
        self._job: Cancellable | None = None
        self.words = PlainLabel()
        self.words.setWordWrap(True)
        self.progress = QProgressBar()
        self.progress.setAccessibleName(tr("Progress"))
        self.progress.setMinimumWidth(40)
        self.cancel_button = QPushButton(tr("Cancel"))
        self.cancel_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the focus on the canvas
        self.cancel_button.clicked.connect(self.cancel)
        grid = QGridLayout(self)
        scale.margins(grid, scale.SMALL, scale.TIGHT)
        grid.setVerticalSpacing(3)
        grid.addWidget(self.words, 0, 0, 1, 2)
        grid.addWidget(self.progress, 1, 0)
        grid.addWidget(self.cancel_button, 1, 1)
        grid.setColumnStretch(0, 1)
        self.hide()

    def started(self, title: str, job: Cancellable) -> None:
        """Show that the job was requested."""
        self._job = job
        self.words.setText(title)
        self.progress.setRange(0, 0)
        self.show()

    def progressed(self, progress: Progress) -> None:
        """Show the progress of the job."""
        self.words.setText(progress.message)
        self.progress.setRange(0, progress.total)
        self.progress.setValue(progress.done)
        is_countable = progress.total <= _COUNTABLE
        counts = tr("{done} of {total}", done=progress.done, total=progress.total)
        self.progress.setFormat(counts if is_countable else "%p%")
        self.progress.setAccessibleDescription(progress.message)

    def ended(self) -> None:
        """Remove the row: the job is done, failed or canceled."""
        self._job = None
        self.hide()
        self.deleteLater()

    def cancel(self) -> None:
        """Cancel the job."""
        if self._job is not None:
            self.cancel_button.setEnabled(False)
            self._job.cancel()
