"""The dialog that flags an image with a note."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCompleter, QDialog, QDialogButtonBox, QLineEdit, QPushButton, QVBoxLayout, QWidget

from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel, set_title
from core.translation import tr

_LONGEST_NOTE = 200


class FlagDialog(QDialog):
    """Passes the note to `on_flag`, None to remove the flag; `note` is the present one, None without a flag.

    `notes` are the notes of other images, which complete what is typed.
    """

    def __init__(
        self,
        parent: QWidget,
        *,
        picture: str,
        note: str | None,
        notes: Sequence[str],
        on_flag: Callable[[str | None], None],
    ) -> None:
        super().__init__(parent)
        self._on_flag = on_flag
        set_title(self, tr("Flag image"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(360)
        label = PlainLabel(tr("&Note on {picture}, for a later look", picture=picture.replace("&", "&&")))
        label.setWordWrap(True)
        self.note = QLineEdit(note or "")
        self.note.setMaxLength(_LONGEST_NOTE)
        self.note.setPlaceholderText(tr("Blurred, or: is this a dog?"))
        self.note.setAccessibleName(tr("Note"))
        self.note.selectAll()
        label.setBuddy(self.note)
        completer = QCompleter(list(notes), self.note)
        completer.setCompletionMode(QCompleter.CompletionMode.InlineCompletion)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.note.setCompleter(completer)
        self.buttons = QDialogButtonBox()
        self.remove = QPushButton(tr("&Remove flag"))
        self.remove.setAutoDefault(False)
        self.remove.clicked.connect(lambda: self._finish(None))
        cancel = QPushButton(tr("Cancel"))
        cancel.setAutoDefault(False)
        flag = QPushButton(tr("Flag"))
        if note is not None:
            self.buttons.addButton(self.remove, QDialogButtonBox.ButtonRole.ResetRole)
        self.buttons.addButton(cancel, QDialogButtonBox.ButtonRole.RejectRole)
        self.buttons.addButton(flag, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(lambda: self._finish(self.note.text()))
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        scale.around_dialog(layout)
        for widget in (label, self.note, self.buttons):
            layout.addWidget(widget)
        flag.setDefault(True)
        self.note.setFocus()

    def _finish(self, note: str | None) -> None:
        self.accept()
        self._on_flag(note)
