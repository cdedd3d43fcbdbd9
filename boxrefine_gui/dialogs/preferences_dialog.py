"""The preferences dialog: each setting with what it does and its default, on pages, with a search over all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.dialogs.preference_fields import SwitchField, make_field
from boxrefine_gui.dialogs.preference_rows import Pick, PreferenceRow, preference_pages
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.operations.preferences import check_files, choose_preferences, find_problem
from boxrefine_gui.widgets import scale, theme
from boxrefine_gui.widgets.plain_text import PlainLabel, set_title
from core.settings import Settings
from core.translation import tr

_SIZE = (780, 600)
_AIR = 40
_PAGES_WIDTH, _LABEL_WIDTH = 120, 190
Role = QDialogButtonBox.ButtonRole


class PreferenceView(QWidget):
    """A setting: its name, its control, what it does, its default, and a button that leads back to that."""

    changed = Signal()

    def __init__(self, row: PreferenceRow, *, page: str, browse: Callable[[], object] | None) -> None:
        super().__init__()
        self.row, self._default = row, getattr(Settings(), row.name)
        self.field = make_field(row, self._default, browse=browse)
        self.reset = QPushButton(tr("Reset"))
        self.reset.setAutoDefault(False)
        self.reset.setAccessibleName(tr("Reset {setting}", setting=row.label))
        policy = self.reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(policy)
        self.words = PlainLabel(self._explanation())
        self.words.setWordWrap(True)
        self.words.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.problem = PlainLabel()
        self.problem.setWordWrap(True)
        self.problem.hide()
        titles = " ".join(row.titles.values())
        self._searched = f"{row.label} {row.what} {row.name} {page} {titles}".casefold()
        self._arrange()
        self.field.changed.connect(self._changed)
        self.reset.clicked.connect(self._reset)

    def _explanation(self) -> str:
        default = tr("Default: {value}.", value=self.field.words(self._default))
        at_start = tr("It takes effect at the next start.") if self.row.at_next_start else ""
        return " ".join(text for text in (self.row.what, default, at_start) if text)

    def _arrange(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(scale.NONE, scale.NONE, scale.NONE, scale.SMALL)
        grid.setVerticalSpacing(2)
        if isinstance(self.field, SwitchField):
            grid.addWidget(self.field, 0, 0, 1, 2)
        else:
            label = PlainLabel(self.row.label)
            label.setWordWrap(True)
            label.setMinimumWidth(_LABEL_WIDTH)
            grid.addWidget(label, 0, 0)
            grid.addWidget(self.field, 0, 1)
        grid.addWidget(self.reset, 0, 2, alignment=Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.words, 1, 0, 1, 3)
        grid.addWidget(self.problem, 2, 0, 1, 3)
        grid.setColumnStretch(1, 1)

    @property
    def value(self) -> object:
        """The value in the control."""
        return self.field.value

    def show_value(self, value: object) -> None:
        """Show a value."""
        self.field.show_value(value)
        self._show_state()

    def say(self, problem: str) -> None:
        """Show why the setting cannot have its value; empty: it can."""
        palette = self.problem.palette()
        palette.setColor(QPalette.ColorRole.WindowText, theme.problem_color())
        self.problem.setPalette(palette)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))

    @property
    def has_problem(self) -> bool:
        """Whether the setting cannot have its value."""
        return bool(self.problem.text())

    def is_found_by(self, text: str) -> bool:
        """Whether all words of a search are in the texts of the setting."""
        return all(word in self._searched for word in text.casefold().split())

    def _reset(self) -> None:
        self.field.show_value(self._default)
        self._changed()
        self.field.setFocus()  # the button is hidden now

    def _changed(self) -> None:
        self._show_state()
        self.changed.emit()

    def _show_state(self) -> None:
        self.reset.setVisible(self.value != self._default)
        self.say(find_problem(self.row.name, self.value))


class PreferencesDialog(QDialog):
    """What is chosen is applied with OK; Cancel changes nothing."""

    def __init__(self, parent: QWidget, parts: Parts, *, ask: Ask) -> None:
        super().__init__(parent)
        self._parts, self._ask, self._before = parts, ask, parts.session.settings
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        set_title(self, tr("Preferences"))
        self.resize(min(_SIZE[0], parent.width() - _AIR), min(_SIZE[1], parent.height() - _AIR))
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Find a setting"))
        self.search.setAccessibleName(tr("Find a setting"))
        self.search.setClearButtonEnabled(True)
        self.pages = QListWidget()
        self.pages.setAccessibleName(tr("Pages"))
        self.pages.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.pages.setStyleSheet(scale.ROWS)
        self.views: dict[str, PreferenceView] = {}
        self._sections: dict[str, QWidget] = {}
        self._page_of: dict[str, str] = {}
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the controls in it have the keyboard
        self.nothing = PlainLabel(tr("No setting has these words."))
        self._fill()
        needed = self.pages.sizeHintForColumn(0) + 2 * self.pages.frameWidth() + scale.SMALL
        self.pages.setFixedWidth(max(_PAGES_WIDTH, needed))
        self.ok, self.cancel = QPushButton(tr("OK")), QPushButton(tr("Cancel"))
        self._arrange()
        self.pages.currentRowChanged.connect(self._show_page)
        self.search.textChanged.connect(self._show)
        self.pages.setCurrentRow(0)
        self.search.setFocus()

    # Layout

    def _fill(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(scale.SMALL, scale.NONE, scale.MEDIUM, scale.NONE)
        for title, rows in preference_pages().items():
            section = QWidget()
            lines = QVBoxLayout(section)
            lines.setContentsMargins(scale.NONE, scale.NONE, scale.NONE, scale.SMALL)
            lines.addWidget(_heading(title))
            for row in rows:
                view = PreferenceView(row, page=title, browse=self._browse_for(row))
                view.show_value(getattr(self._before, row.name))
                view.changed.connect(self._show_ready)
                lines.addWidget(view)
                self.views[row.name], self._page_of[row.name] = view, title
            column.addWidget(section)
            self._sections[title] = section
            self.pages.addItem(title)
        column.addWidget(self.nothing)
        column.addStretch(1)
        self.area.setWidget(inside)

    def _browse_for(self, row: PreferenceRow) -> Callable[[], object] | None:
        return partial(self._browse, row) if row.pick is not None else None

    def _browse(self, row: PreferenceRow) -> Path | None:
        if row.pick is Pick.FOLDER:
            typed = str(self.views[row.name].value)
            return self._ask.folder(self, title=row.label, start=Path(typed) if typed else None)
        return self._ask.configuration(self, title=row.label)

    def _arrange(self) -> None:
        buttons = QDialogButtonBox()
        self.cancel.setAutoDefault(False)
        buttons.addButton(self.cancel, Role.RejectRole)
        buttons.addButton(self.ok, Role.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        elsewhere = PlainLabel(tr("The menu Help has the keys, the menu Model the encoders."))
        elsewhere.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        elsewhere.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        bottom, middle = QHBoxLayout(), QHBoxLayout()
        bottom.addWidget(elsewhere, 1)
        bottom.addWidget(buttons)
        middle.addWidget(self.pages)
        middle.addWidget(self.area, 1)
        layout = QVBoxLayout(self)
        scale.around_dialog(layout)
        layout.addWidget(self.search)
        layout.addLayout(middle, 1)
        layout.addLayout(bottom)
        self.ok.setDefault(True)

    # What is shown

    def show_setting(self, name: str) -> None:
        """Show the page of a setting, and give its control the keyboard."""
        self.pages.setCurrentRow(list(self._sections).index(self._page_of[name]))
        self.search.clear()
        self.views[name].field.setFocus()

    def _show_page(self, _: int) -> None:
        self.search.clear()
        self._show()

    def _show(self) -> None:
        """Show the chosen page, or with a search all settings that it finds."""
        text, chosen = self.search.text(), self.pages.currentRow()
        page = list(self._sections)[max(chosen, 0)]
        for view in self.views.values():
            view.setVisible(view.is_found_by(text))
        for title, section in self._sections.items():
            found = [name for name, view in self.views.items() if self._page_of[name] == title and not view.isHidden()]
            section.setVisible(bool(found) if text.strip() else title == page)
        self.nothing.setVisible(all(view.isHidden() for view in self.views.values()))
        self.area.verticalScrollBar().setValue(0)

    def _show_ready(self) -> None:
        self.ok.setEnabled(not any(view.has_problem for view in self.views.values()))

    # What it does

    @property
    def chosen(self) -> Mapping[str, object]:
        """The settings that the user has changed here, name -> value."""
        values = {name: view.value for name, view in self.views.items()}
        return {name: value for name, value in values.items() if value != getattr(self._before, name)}

    def accept(self) -> None:
        """Check the files that the settings name, then apply all; the dialog stays if a file cannot be used."""
        if self.ok.isEnabled():
            self.ok.setEnabled(False)
            check_files(self._parts, self.chosen, self._checked)

    def _checked(self, problems: dict[str, str]) -> None:
        if not isValid(self) or not self.isVisible():
            return  # it was cancelled meanwhile
        for name, problem in problems.items():
            self.views[name].say(problem)
        self._show_ready()
        if problems:
            self.show_setting(next(iter(problems)))
        elif self.ok.isEnabled():
            choose_preferences(self._parts, self.chosen)
            super().accept()


def _heading(title: str) -> PlainLabel:
    heading = PlainLabel(title)
    font = heading.font()
    font.setBold(True)
    heading.setFont(font)
    return heading
