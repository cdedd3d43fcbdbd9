"""The command palette: type a part of the name of a command, a category or a picture, and Return runs or opens it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from boxrefine_gui.operations import box_verbs
from boxrefine_gui.operations.finding import Finder
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.panels.palette_rows import MOST_PICTURES, Kind, PaletteDelegate, PaletteEntry, PaletteModel
from boxrefine_gui.widgets.action_row import ActionRow
from boxrefine_gui.widgets.search_popup import SearchPopup
from core.records import Changes, ImageRecord
from core.translation import tr

_WIDTH, _ROWS = 620, 14
_BELOW_THE_TOP = 56
_MOST_RECENT = 12


class CommandPalette(SearchPopup):
    """At the top of the window. A command that is not possible now is shown, but Return does nothing on it."""

    used = Signal()  # `recent` has changed

    def __init__(
        self,
        parts: Parts,
        finder: Finder,
        window: QWidget,
        *,
        rows: Callable[[], Sequence[ActionRow]],
        actions: Mapping[str, QAction],
        canvas: QWidget,
    ) -> None:
        """`rows` returns the commands with their present keys, in the order of the menus."""
        self._found = PaletteModel(parts.session, actions)
        super().__init__(window, self._found, canvas=canvas, rows=_ROWS)
        self._parts, self._finder, self._commands, self._actions = parts, finder, rows, actions
        self._asked = 0  # number of the last search for pictures
        self._waits = False  # Return was pressed before the first row was found
        self.recent: list[str] = list(parts.session.settings.recent_commands)
        self.describe(
            line=tr("Name of a command, a category or a picture"),
            rows=tr("Matching commands, categories and pictures"),
            delegate=PaletteDelegate(self.view),
        )
        self.line.setPlaceholderText(tr("A command, a category, or a picture by its name or number"))
        parts.session.changed.connect(self._changed)
        for signal in (parts.session.image_changed, parts.session.project_changed):
            signal.connect(self.close_unchanged)

    def open(self) -> None:
        """Show the palette, or hide it if it is shown."""
        if not self.isHidden():
            self.close_unchanged()
            return
        self._found.set_rows(self._commands())
        self.show_empty()

    def search(self, text: str) -> None:
        """List the commands and categories at once, and the pictures as soon as they are found."""
        self._waits = False
        self._asked += 1
        self._found.search(text, self.recent)
        if text.strip():
            self._finder.look_for(text, partial(self._add_pictures, self._asked), most=MOST_PICTURES)

    def choose(self, row: int) -> None:
        """Run the command of a row, choose its category, or open its picture."""
        entry = self._found.entry(row)
        self._waits = entry is None
        if entry is None or not entry.is_enabled:
            return
        self.close_unchanged()
        if entry.kind is Kind.PICTURE:
            box_verbs.show_image(self._parts, entry.id)
        elif entry.kind is Kind.CATEGORY:
            self._parts.session.use_category(entry.id)
            box_verbs.choose_category(self._parts, entry.id, tells=True)
        else:
            self._run(entry)

    def place(self) -> None:
        """Put the palette at the top of the window, in the middle."""
        window = self.window()
        width, height = min(_WIDTH, window.width() - 16), min(self.height_of(_ROWS), window.height() - 16)
        top = min(_BELOW_THE_TOP, window.height() - height - 8)
        self.setGeometry((window.width() - width) // 2, top, width, height)

    def _run(self, entry: PaletteEntry) -> None:
        id = self._found.command(entry.id).id
        self.recent = [id, *(other for other in self.recent if other != id)][:_MOST_RECENT]
        self.used.emit()
        self._actions[id].trigger()

    def _add_pictures(self, asked: int, images: Sequence[ImageRecord], count: int) -> None:
        if asked != self._asked or self.isHidden():
            return
        had_none = self._found.rowCount() == 0
        self._found.add_pictures(images, count)
        if had_none:
            self.view.setCurrentIndex(self._found.index(0))
        if self._waits:
            self.choose(0)

    def _changed(self, changes: Changes) -> None:
        """Follow categories and pictures that are added or deleted meanwhile."""
        if not self.isHidden() and (changes.categories or changes.images):
            self._found.set_rows(self._commands())
            self.search_from_top(self.line.text())
