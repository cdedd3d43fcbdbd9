"""The dialog for the color and the key of a category."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QColorDialog,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel, set_title
from core.categories import PALETTE, category_key
from core.translation import tr

_WIDTH = 400
_SWATCH = QSize(28, 14)
Role = QDialogButtonBox.ButtonRole


@dataclass(frozen=True)
class Looks:
    """A category's name in quotes; its chosen color and key, empty for automatic ones; those that it has now."""

    name: str
    color: str
    key: str
    color_now: str
    key_now: str


class CategoryLooksDialog(QDialog):
    """Passes the color and the key to `on_chosen`, each empty for the automatic one.

    `why_not` returns a sentence on why a category cannot have a key, empty if it can; `note` one on what follows.
    """

    def __init__(
        self,
        parent: QWidget,
        looks: Looks,
        *,
        why_not: Callable[[str], str],
        note: Callable[[str], str],
        on_chosen: Callable[[str, str], None],
    ) -> None:
        super().__init__(parent)
        self._looks, self._why_not, self._note, self._on_chosen = looks, why_not, note, on_chosen
        self.color_now = looks.color
        set_title(self, tr("Colour and key of {category}", category=looks.name))
        self.setMinimumWidth(_WIDTH)
        self.color = QPushButton()
        self.color.setIconSize(_SWATCH)
        self.color.setAutoDefault(False)
        self.color.setAccessibleName(tr("Colour"))
        self.color.clicked.connect(self._pick_color)
        self.automatic = QPushButton(tr("&Automatic"))
        self.automatic.setAutoDefault(False)
        self.automatic.clicked.connect(lambda: self._set_color(""))
        self.key = QLineEdit(looks.key)
        self.key.setMaxLength(1)
        self.key.setMaximumWidth(120)
        self.key.setAccessibleName(tr("Key"))
        automatic = looks.key_now if not looks.key else ""
        self.key.setPlaceholderText(tr("automatic ({key})", key=automatic) if automatic else tr("automatic"))
        self.key.textChanged.connect(self._check)
        self.sentence = PlainLabel()
        self.sentence.setWordWrap(True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.buttons = QDialogButtonBox()
        cancel, self.choose = QPushButton(tr("Cancel")), QPushButton(tr("OK"))
        cancel.setAutoDefault(False)
        self.buttons.addButton(cancel, Role.RejectRole)
        self.buttons.addButton(self.choose, Role.AcceptRole)
        self.buttons.accepted.connect(self._finish)
        self.buttons.rejected.connect(self.reject)
        self._arrange()
        self._set_color(looks.color)
        self._check()
        self.choose.setDefault(True)
        self.key.setFocus()

    def _arrange(self) -> None:
        labels = PlainLabel(tr("&Colour")), PlainLabel(tr("&Key, a letter or digit"))
        labels[0].setBuddy(self.color)
        labels[1].setBuddy(self.key)
        row = QHBoxLayout()
        row.addWidget(self.color)
        row.addWidget(self.automatic)
        row.addStretch(1)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.addWidget(labels[0], 0, 0)
        grid.addLayout(row, 0, 1)
        grid.addWidget(labels[1], 1, 0)
        grid.addWidget(self.key, 1, 1)
        grid.setColumnStretch(1, 1)
        self.sentence.setMinimumHeight(2 * self.sentence.fontMetrics().lineSpacing())
        layout = QVBoxLayout(self)
        scale.around_dialog(layout)
        layout.addLayout(grid)
        layout.addWidget(self.sentence)
        layout.addWidget(self.buttons)

    def _pick_color(self) -> None:
        dialog = QColorDialog(QColor(self.color_now or self._looks.color_now), self)
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)  # which would not offer the palette
        for place, color in enumerate(PALETTE[: dialog.customCount()]):
            dialog.setCustomColor(place, QColor(color))
        set_title(dialog, tr("Colour of {category}", category=self._looks.name))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(lambda color: self._set_color(color.name().upper()))
        dialog.open()

    def _set_color(self, color: str) -> None:
        self.color_now = color
        pixmap = QPixmap(_SWATCH)
        pixmap.fill(QColor(color or (self._looks.color_now if not self._looks.color else "#00000000")))
        self.color.setIcon(QIcon(pixmap) if color or not self._looks.color else QIcon())
        self.color.setText(color or tr("automatic"))
        self.automatic.setEnabled(bool(color))

    def _check(self) -> None:
        """Show why the category cannot have the typed key, or what follows."""
        text = self.key.text()
        key = category_key(text)
        if text and not key:
            problem = tr("“{key}” is no letter or digit: choose another key.", key=text)
        else:
            problem = self._why_not(key) if key else ""
        self.sentence.setText(problem or (self._note(key) if key else ""))
        self.choose.setEnabled(not problem)

    def _finish(self) -> None:
        self.accept()
        self._on_chosen(self.color_now, category_key(self.key.text()))
