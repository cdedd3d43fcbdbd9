"""The export dialog: the format, the folder, and which boxes are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from boxrefine_gui.dialogs.export_fields import ExportFields
from boxrefine_gui.operations.exporting import ExportChoice
from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel, set_title
from core.formats import EXPORTERS
from core.translation import tr, tr_plural


class _Meaning(PlainLabel):
    """The description beside a radio button; a click on it checks the button."""

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
    """Passes the choice to `on_chosen`; the caller goes on while the dialog is open.

    last: the choice of the last export, which the dialog starts with; categories: the names of the project's
    boxes: the number of all stored boxes; unaccepted: how many of them are still to check; drawn: the number of drawn
    boxes, which are never exported; untouched: the number of images that have no boxes and are not done
    """

    def __init__(
        self,
        parent: QWidget,
        *,
        ask: Ask,
        last: ExportChoice,
        categories: Sequence[str],
        boxes: int,
        unaccepted: int,
        drawn: int,
        untouched: int,
        on_chosen: Callable[[ExportChoice], None],
    ) -> None:
        super().__init__(parent)
        self._ask = ask
        self._on_chosen = on_chosen
        self._last_format = last.format
        set_title(self, tr("Export"))
        self.setMinimumWidth(480)
        self.formats = QButtonGroup(self)
        self.folder = QLineEdit(str(last.out))
        self.folder.setAccessibleName(tr("Folder to write to"))
        layout = QVBoxLayout(self)
        scale.around_dialog(layout)
        self._boxes, self._unaccepted = boxes, unaccepted
        self.heading = PlainLabel()
        layout.addWidget(self.heading)
        self.outlines = QCheckBox(tr("Write the &outlines of masks too, where HQ-SAM made some (COCO)"))
        layout.addLayout(self._format_rows())
        self._show_outlines()
        layout.addWidget(self.outlines)
        self.unchecked = QCheckBox(_unchecked_text(unaccepted))
        self.unchecked.setVisible(unaccepted > 0)
        self.unchecked.toggled.connect(self._show_count)
        self._show_count()
        layout.addWidget(self.unchecked)
        self.untouched = QCheckBox(_untouched_text(untouched))
        self.untouched.setVisible(untouched > 0)
        layout.addWidget(self.untouched)
        self.drawn = PlainLabel(_drawn_text(drawn))
        self.drawn.setVisible(drawn > 0)
        layout.addWidget(self.drawn)
        self.more = ExportFields(last, categories)
        self.more.changed.connect(self._show_ready)
        layout.addLayout(self.more.rows)
        layout.addLayout(self._folder_row())
        self.buttons = QDialogButtonBox()
        cancel = QPushButton(tr("Cancel"))
        cancel.setAutoDefault(False)
        self.buttons.addButton(cancel, QDialogButtonBox.ButtonRole.RejectRole)
        self.export_button = QPushButton(tr("Export"))
        self.buttons.addButton(self.export_button, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout.addWidget(self.buttons)
        self.folder.textChanged.connect(self._show_ready)
        # Only now: a button that is not in the dialog yet cannot become its default.
        self.export_button.setDefault(True)
        self.export_button.setFocus()
        self.resize(self.sizeHint())  # Qt would make it at most two thirds as wide as the screen, and cut its words

    def accept(self) -> None:
        super().accept()
        outlines = self.outlines.isEnabled() and self.outlines.isChecked()
        out, unchecked = Path(self.folder.text().strip()), self.unchecked.isChecked()
        untouched = self.untouched.isChecked()
        plain = ExportChoice(self._format, out, outlines=outlines, unchecked=unchecked, untouched=untouched)
        self._on_chosen(self.more.added_to(plain))

    @property
    def _format(self) -> str:
        return next((name for button, name in self.names.items() if button.isChecked()), "")

    def _format_rows(self) -> QFormLayout:
        rows = QFormLayout()
        rows.setHorizontalSpacing(scale.LARGE)
        rows.setVerticalSpacing(scale.TIGHT)  # many formats, and the whole dialog has to fit on a small screen
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
        browse = QPushButton(tr("Browse…"))
        browse.setAutoDefault(False)  # else Return browses, whatever has the focus
        browse.clicked.connect(self._browse)
        label = PlainLabel(tr("&Folder"))
        label.setBuddy(self.folder)
        for widget in (label, self.folder, browse):
            row.addWidget(widget)
        return row

    def _show_count(self) -> None:
        count = self._boxes - (0 if self.unchecked.isChecked() else self._unaccepted)
        self.heading.setText(tr_plural("Write {count} box as", "Write {count} boxes as", count))

    def _show_outlines(self) -> None:
        self.outlines.setEnabled(self._format in EXPORTERS and EXPORTERS[self._format].holds_outlines)

    def _browse(self) -> None:
        chosen = self._ask.folder(self, title=tr("Export to"), start=Path(self.folder.text()))
        if chosen is not None:
            self.folder.setText(str(chosen))

    def _show_ready(self) -> None:
        self.export_button.setEnabled(bool(self.folder.text().strip()) and not self.more.problem.text())


def _unchecked_text(unaccepted: int) -> str:
    return tr_plural(
        "&Write the {count} suggestion that nobody has accepted yet, too, as it is now; else it is left out",
        "&Write the {count} suggestions that nobody has accepted yet, too, as they are now; else they are left out",
        unaccepted,
    )


def _untouched_text(untouched: int) -> str:
    return tr_plural(
        "&List the {count} image without boxes that is not done, too; others read it as empty",
        "&List the {count} images without boxes that are not done, too; others read them as empty",
        untouched,
    )


def _drawn_text(drawn: int) -> str:
    return tr_plural(
        "{count} drawn box is not accepted yet, and is left out.",
        "{count} drawn boxes are not accepted yet, and are left out.",
        drawn,
    )
