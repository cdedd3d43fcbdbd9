"""The pace dialog: boxes an hour, seconds a box, and how much of the refiner's answers was changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QRadioButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.dialogs.bar_plot import BarPlot
from boxrefine_gui.operations.box_verbs import choose_settings
from boxrefine_gui.operations.pace_reads import read_work
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel, set_title
from core.errors import StorageError, reason
from core.files import written_whole
from core.pace import EXTREME_CLICKING_S, AcceptedWork, Pace, as_csv, by_category, by_day, by_hour, pace_of
from core.translation import tr

_WIDTH, _HEIGHT = 720, 640
_COLUMNS = (tr("Category"), tr("Boxes"), tr("Seconds a box"), tr("Accepted untouched"), tr("Edges moved a box"))
_MOST_DAYS = 14
NO_FIGURE = "–"


class PaceDialog(QDialog):
    """Shows today or the whole project; it reads the project each time it is opened."""

    def __init__(self, parent: QWidget, parts: Parts, *, ask: Ask) -> None:
        super().__init__(parent)
        self._parts, self._ask = parts, ask
        self._work: list[AcceptedWork] | None = None
        set_title(self, tr("Pace"))
        self.resize(min(_WIDTH, parent.width()), min(_HEIGHT, parent.height()))
        self.today, self.project = QRadioButton(tr("&Today")), QRadioButton(tr("This &project"))
        self.figures = {name: (PlainLabel(NO_FIGURE), PlainLabel("")) for name in _titles()}
        self.rows = self._make_rows()
        self.plot = BarPlot()
        self.keep_times = QCheckBox(tr("&Store how long each box takes (in the project, on this computer)"))
        self.keep_times.setChecked(parts.session.settings.keep_times)
        self.sentence = PlainLabel(tr("Reading the project…"))
        self.sentence.setWordWrap(True)
        self.csv_button = _button(tr("Save as &CSV…"), self._save_csv)
        self.png_button = _button(tr("Save as P&NG…"), self._save_png)
        self._arrange()
        self.project.setChecked(True)
        for choice in (self.today, self.project):
            choice.toggled.connect(self._show)
        self.keep_times.toggled.connect(self._choose_keeping)
        self.read()

    def read(self) -> None:
        """Read the project again."""
        read_work(self._parts, on_done=self._take)

    def _take(self, work: list[AcceptedWork]) -> None:
        if isValid(self):  # else it was closed meanwhile, and is deleted
            self._work = work
            self._show()

    # Layout

    def _make_rows(self) -> QTreeWidget:
        rows = QTreeWidget()
        rows.setStyleSheet(scale.ROWS)
        rows.setHeaderLabels(list(_COLUMNS))
        rows.setRootIsDecorated(False)
        rows.setUniformRowHeights(True)
        rows.setAccessibleName(tr("Pace by category"))
        rows.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        rows.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        rows.header().setStretchLastSection(False)
        return rows

    def _arrange(self) -> None:
        group, period = QButtonGroup(self), QHBoxLayout()
        for choice in (self.today, self.project):
            group.addButton(choice)
            period.addWidget(choice)
        period.addStretch(1)
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        for column, (name, title) in enumerate(_titles().items()):
            value, note = self.figures[name]
            font = value.font()
            font.setPointSizeF(font.pointSizeF() * scale.FIGURE_TYPE)
            value.setFont(font)
            value.setAccessibleName(title)
            note.setWordWrap(True)
            grid.addWidget(value, 0, column)
            grid.addWidget(PlainLabel(title), 1, column)
            grid.addWidget(note, 2, column, alignment=Qt.AlignmentFlag.AlignTop)
            grid.setColumnStretch(column, 1)
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        buttons = QHBoxLayout()
        for button in (self.csv_button, self.png_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        close = _button(tr("Close"), self.reject)
        close.setDefault(True)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        scale.around_dialog(layout)
        layout.addLayout(period)
        layout.addLayout(grid)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.rows, 1)
        layout.addWidget(line)
        layout.addWidget(self.keep_times)
        layout.addWidget(self.sentence)
        layout.addLayout(buttons)

    # What is shown

    @property
    def shown(self) -> list[AcceptedWork]:
        """The boxes of the chosen period."""
        work = self._work or []
        if self.project.isChecked():
            return work
        today = datetime.now().date()
        return by_day(work).get(today, [])

    def _show(self) -> None:
        work = self.shown
        pace = pace_of(work)
        for name, value in _texts(pace).items():
            self.figures[name][0].setText(value)
        self.figures["seconds"][1].setText(tr("extreme clicking: {seconds} s", seconds=f"{EXTREME_CLICKING_S:.1f}"))
        self.figures["an_hour"][1].setText(tr("{hours} h of work", hours=f"{pace.hours:.1f}") if work else "")
        if self._work is not None:
            none_yet = tr("No box is accepted yet.") if self.project.isChecked() else tr("No box is accepted today.")
            self.sentence.setText("" if work else none_yet)
            self.sentence.setVisible(not work)
        for button in (self.csv_button, self.png_button):
            button.setEnabled(bool(self._work))
        self._show_plot(work)
        self._show_rows(work)

    def _show_plot(self, work: Sequence[AcceptedWork]) -> None:
        if self.project.isChecked():
            days = list(by_day(work).items())[-_MOST_DAYS:]
            bars = [(f"{day.day}.{day.month}.", pace_of(entries).an_hour or 0.0) for day, entries in days]
            self.plot.show_bars(tr("Boxes an hour of work, by day"), bars)
        else:
            hours = [(f"{hour}:00", float(len(entries))) for hour, entries in by_hour(work).items()]
            self.plot.show_bars(tr("Boxes, by hour of the day"), hours)

    def _show_rows(self, work: Sequence[AcceptedWork]) -> None:
        names = {category.id: category.name for category in self._parts.session.categories}
        self.rows.clear()
        for category_id, entries in sorted(by_category(work).items(), key=lambda entry: -len(entry[1])):
            texts = _texts(pace_of(entries))
            cells = [texts[name] for name in ("boxes", "seconds", "untouched", "edges")]
            item = QTreeWidgetItem([names.get(category_id, ""), *cells])
            for column in range(1, len(_COLUMNS)):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.rows.addTopLevelItem(item)

    # What it does

    def _choose_keeping(self, keep: bool) -> None:
        choose_settings(self._parts, replace(self._parts.session.settings, keep_times=keep))

    def _save_csv(self) -> None:
        names = {category.id: category.name for category in self._parts.session.categories}
        self._save("CSV", as_csv(self._work or [], names).encode("utf-8"))

    def _save_png(self) -> None:
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        self.plot.grab().save(buffer, "PNG")
        self._save("PNG", bytes(buffer.data().data()))

    def _save(self, kind: str, content: bytes) -> None:
        project = self._parts.session.project_path
        start = (project.parent if project is not None else Path.home()) / f"boxrefine-pace.{kind.lower()}"
        path = self._ask.new_file(self, title=tr("Save the pace"), start=start, kind=kind)
        if path is not None:
            self._parts.files.run(
                partial(_write, path, content), on_done=lambda _: self._say(tr("{path} is saved.", path=path)),
                on_error=lambda error: self._say(str(error)),
            )  # fmt: skip

    def _say(self, sentence: str) -> None:
        if isValid(self):
            self.sentence.setText(sentence)
            self.sentence.show()


def _write(path: Path, content: bytes) -> None:
    try:
        with written_whole(path) as beside:
            beside.write_bytes(content)
    except OSError as error:
        raise StorageError(
            tr("{path} cannot be written ({why}): choose another place.", path=path, why=reason(error))
        ) from error


def _titles() -> dict[str, str]:
    return {
        "boxes": tr("boxes"),
        "an_hour": tr("boxes an hour"),
        "seconds": tr("seconds a box"),
        "untouched": tr("accepted untouched"),
        "edges": tr("edges moved a box"),
        "suggested": tr("found by suggestions"),
    }


def _texts(pace: Pace) -> dict[str, str]:
    """The figures as text, by name."""

    def text(value: float | None, form: Callable[[float], str]) -> str:
        return NO_FIGURE if value is None else form(value)

    return {
        "boxes": f"{pace.boxes:,}",
        "an_hour": text(pace.an_hour, "{:,.0f}".format),
        "seconds": text(pace.seconds, "{:.1f}".format),
        "untouched": text(pace.untouched, "{:.0%}".format),
        "edges": text(pace.edges, "{:.2f}".format),
        "suggested": text(pace.suggested, "{:.0%}".format),
    }


def _button(text: str, call: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(False)
    button.clicked.connect(lambda: call())
    return button
