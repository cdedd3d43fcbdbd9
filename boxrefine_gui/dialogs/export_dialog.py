"""The export dialog: which format, and where to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.dialogs.ask_to_close import not_accepted
from boxrefine_gui.operations.exporting import ExportChoice
from boxrefine_gui.widgets.plain_text import PlainLabel
from core.formats import EXPORTERS


class _Meaning(PlainLabel):
    """What a choice means, beside it: a click on it chooses, too."""

    def __init__(self, text: str, button: QRadioButton) -> None:
        super().__init__(text)
        self._button = button

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._button.setChecked(True)
            self._button.setFocus(Qt.FocusReason.MouseFocusReason)
        else:
            super().mousePressEvent(event)


class ExportDialog(QDialog):
    """Hands the choice to `on_chosen`; it does not block the window's work."""

    def __init__(
        self,
        parent: QWidget,
        *,
        ask: Ask,
        folder: Path,
        format: str,
        boxes: int,
        unaccepted: int,
        drawn: int,
        on_chosen: Callable[[ExportChoice], None],
    ) -> None:
        super().__init__(parent)
        self._ask = ask
        self._on_chosen = on_chosen
        self._last_format = format
        self.setWindowTitle("Export")
        self.setMinimumWidth(480)
        self.formats = QButtonGroup(self)
        self.folder = QLineEdit(str(folder))
        self.folder.setAccessibleName("Folder to write to")
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        self._boxes, self._unaccepted = boxes, unaccepted
        self.heading = PlainLabel()
        layout.addWidget(self.heading)
        self.outlines = QCheckBox("Write the &outlines of masks too, where HQ-SAM made some (COCO)")
        layout.addLayout(self._format_rows())
        self._show_outlines()
        layout.addWidget(self.outlines)
        noun = "box that nobody has" if unaccepted == 1 else "boxes that nobody has"
        it = "it is" if unaccepted == 1 else "they are"
        self.unchecked = QCheckBox(f"&Write the {unaccepted} {noun} accepted yet, too, as {it} now; else {it} left out")
        self.unchecked.setVisible(unaccepted > 0)
        self.unchecked.toggled.connect(self._show_count)
        self._show_count()
        layout.addWidget(self.unchecked)
        self.drawn = PlainLabel(f"{not_accepted(drawn)}, and {'is' if drawn == 1 else 'are'} left out.")
        self.drawn.setVisible(drawn > 0)
        layout.addWidget(self.drawn)
        layout.addLayout(self._folder_row())
        self.buttons = QDialogButtonBox()
        cancel = QPushButton("Cancel")
        cancel.setAutoDefault(False)
        self.buttons.addButton(cancel, QDialogButtonBox.ButtonRole.RejectRole)
        self.export_button = QPushButton("Export")
        self.buttons.addButton(self.export_button, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout.addWidget(self.buttons)
        self.folder.textChanged.connect(self._show_ready)
        self.export_button.setDefault(True)  # not before it is in the dialog, which would not know then
        self.export_button.setFocus()

    def accept(self) -> None:
        super().accept()
        outlines = self.outlines.isEnabled() and self.outlines.isChecked()
        out, unchecked = Path(self.folder.text().strip()), self.unchecked.isChecked()
        self._on_chosen(ExportChoice(self._format, out, outlines=outlines, unchecked=unchecked))

    @property
    def _format(self) -> str:
        return next((name for button, name in self.names.items() if button.isChecked()), "")

    def _format_rows(self) -> QFormLayout:
        rows = QFormLayout()
        rows.setHorizontalSpacing(18)
        self.names: dict[QRadioButton, str] = {}
        for name, exporter in EXPORTERS.items():
            button = QRadioButton(exporter.title)
            button.setAccessibleDescription(exporter.description)
            self.formats.addButton(button)
            self.names[button] = name
            rows.addRow(button, _Meaning(exporter.description, button))
        buttons = {name: button for button, name in self.names.items()}
        buttons.get(self._last_format, next(iter(self.names))).setChecked(True)
        self.formats.buttonToggled.connect(self._show_outlines)
        return rows

    def _folder_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        browse = QPushButton("Browse…")
        browse.setAutoDefault(False)  # else Return browses, wherever the keyboard is
        browse.clicked.connect(self._browse)
        label = PlainLabel("&Folder")
        label.setBuddy(self.folder)
        for widget in (label, self.folder, browse):
            row.addWidget(widget)
        return row

    def _show_count(self) -> None:
        count = self._boxes - (0 if self.unchecked.isChecked() else self._unaccepted)
        self.heading.setText(f"Write {count} " + ("box" if count == 1 else "boxes") + " as")

    def _show_outlines(self) -> None:
        self.outlines.setEnabled(self._format in EXPORTERS and EXPORTERS[self._format].holds_outlines)

    def _browse(self) -> None:
        chosen = self._ask.folder(self, title="Export to", start=Path(self.folder.text()))
        if chosen is not None:
            self.folder.setText(str(chosen))

    def _show_ready(self) -> None:
        self.export_button.setEnabled(bool(self.folder.text().strip()))
