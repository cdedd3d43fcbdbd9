"""The image panel: filter, order and search above the image list."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QVBoxLayout, QWidget

from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.operations.finding import Finder
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.panels.image_list import ImageList
from boxrefine_gui.panels.list_words import ORDERS, TABS, listed_words, note_words, query_words
from boxrefine_gui.widgets import scale, theme
from boxrefine_gui.widgets.menu_button import MenuButton
from boxrefine_gui.widgets.plain_text import PlainLabel, menu_text, set_tooltip
from core.listing import Query, Tab
from core.splits import SPLITS
from core.text import in_natural_order
from core.translation import tr

MOST_CATEGORIES = 60
"""Categories in the menu; of more, those on the most images are offered."""

_MOST_FOLDERS = 60
_MOST_NOTES = 30
_NARROW = 200
_LONGEST_CHOICE = 60
_HOW_TO_SEARCH = tr(
    "Part of a name, or a number. Return opens the best match, the arrow down leads into the list, Escape ends it"
)


class SearchField(QLineEdit):
    """The field of the search; the arrow down leads into the list."""

    down_pressed = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.down_pressed.emit()
        else:
            super().keyPressEvent(event)


class ImagePanel(QWidget):
    """Chooses which images are listed. Two rows, so that the list keeps the height."""

    wanted = Signal()  # an action needs the panel, which may be hidden
    left = Signal()  # the focus should return to the canvas

    def __init__(self, parts: Parts, finder: Finder, lane: QueueLane) -> None:
        super().__init__()
        self._parts, self._finder = parts, finder
        self.lane = lane  # for thumbnails
        self._on_images: dict[int, int] = {}  # category id -> number of images
        self.list = ImageList(parts, lane)
        self.filter = MenuButton(tr("Which images are listed"))
        font = self.filter.font()
        font.setBold(True)
        self.filter.setFont(font)
        self.count = PlainLabel()
        self.count.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        self.count.setAccessibleName(tr("Number of listed images"))
        self.sort = MenuButton(tr("Order of the images"))
        self.search = SearchField()
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName(tr("Search for images"))
        self._arrange()
        self._listen()
        self.recolor()
        self._show_query()

    def recolor(self) -> None:
        """Draw the icon in the color of the scheme."""
        self.sort.setIcon(theme.icon("sort"))

    def add_below(self, widget: QWidget) -> None:
        """Add a widget below the list."""
        self._layout.addWidget(widget)

    def start_search(self) -> None:
        """Move the keyboard to the search."""
        self.wanted.emit()
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def open_filters(self) -> None:
        """Open the menu of what is listed."""
        self.wanted.emit()
        self.filter.open()

    def open_orders(self) -> None:
        """Open the menu of the orders."""
        self.wanted.emit()
        self.sort.open()

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(scale.NONE, scale.HAIR, scale.HAIR, scale.NONE)
        head.setSpacing(scale.HAIR)
        head.addWidget(self.filter, 1)
        head.addWidget(self.count)
        head.addWidget(self.sort)
        row = QHBoxLayout()
        row.setContentsMargins(scale.TIGHT, scale.HAIR, scale.TIGHT, scale.TIGHT)
        row.addWidget(self.search)
        self._layout = layout = QVBoxLayout(self)
        scale.margins(layout, scale.NONE)
        layout.setSpacing(scale.NONE)
        layout.addLayout(head)
        layout.addLayout(row)
        layout.addWidget(self.list, 1)
        self.setFocusProxy(self.list)

    def _listen(self) -> None:
        session = self._parts.session
        self.filter.choices.aboutToShow.connect(self._fill_filters)
        self.sort.choices.aboutToShow.connect(self._fill_orders)
        self.search.textChanged.connect(self._finder.search)
        self.search.returnPressed.connect(self._open_best)
        self.search.down_pressed.connect(self.list.setFocus)
        self.list.typed.connect(self._begin_search)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self.search, context=Qt.ShortcutContext.WidgetShortcut)
        escape.activated.connect(self._leave_search)
        for signal in (session.query_changed, session.changed, session.listed.reset, session.listed.changed):
            signal.connect(self._show_query)
        session.settings_changed.connect(self._show_query)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if (event.size().width() < _NARROW) != (event.oldSize().width() < _NARROW):
            self._show_query()

    # Search

    def _begin_search(self, letter: str) -> None:
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)
        self.search.setText(letter)

    def _open_best(self) -> None:
        def opened(is_found: bool) -> None:
            if is_found:
                self.left.emit()
            else:
                self._parts.session.tell(tr("No image of this name is listed. Escape ends the search."))

        if self.search.text().strip():
            self._finder.open_best(opened)
        else:
            self.left.emit()

    def _leave_search(self) -> None:
        self.search.clear()
        self.left.emit()

    # The menus

    def _fill_filters(self) -> None:
        session, menu = self._parts.session, self.filter.choices
        self._finder.refresh()
        menu.clear()
        group = QActionGroup(menu)
        query = session.query
        for tab, words in TABS.items():
            action = self._choice(menu, group, words, replace(query, tab=tab), count=session.images_in(tab))
            action.setEnabled(tab in (Tab.ALL, query.tab) or session.images_in(tab) > 0)
        menu.addSeparator()
        self._add_categories(menu)
        self._add_notes(menu)
        self._add_folders(menu)
        menu.addSeparator()
        everything = menu.addAction(tr("Show &all images"))
        everything.setEnabled(replace(query, order=Query().order) != Query())
        everything.triggered.connect(self._show_all)

    def _show_all(self) -> None:
        self.search.clear()
        self._finder.show(Query(order=self._parts.session.query.order))

    def _choice(
        self, menu: QMenu, group: QActionGroup, words: str, query: Query, *, count: int | None = None
    ) -> QAction:
        """An entry that lists the images of a query, with their number at the end of the line."""
        shown = words if len(words) <= _LONGEST_CHOICE else words[: _LONGEST_CHOICE - 1] + "…"
        action = menu.addAction(menu_text(shown) + ("" if count is None else f"\t{count:,}"))
        action.setCheckable(True)
        action.setChecked(query == self._parts.session.query)
        action.setData(query)
        action.triggered.connect(partial(self._finder.show, query))
        group.addAction(action)
        return action

    def _add_categories(self, menu: QMenu) -> None:
        session, query = self._parts.session, self._parts.session.query
        self.categories = menu.addMenu(tr("&Category"))
        self.categories.setEnabled(bool(session.categories))
        self._fill_categories()

        def read(found: dict[int, int]) -> None:
            if found != self._on_images:
                self._on_images = found
                self._fill_categories()

        if session.categories:
            self._parts.store.read(lambda project: project.images_by_category(), on_done=read)
        if query.category_id:
            menu.setDefaultAction(self.categories.menuAction())

    def _fill_categories(self) -> None:
        session, query = self._parts.session, self._parts.session.query
        self.categories.clear()
        group = QActionGroup(self.categories)
        self._choice(self.categories, group, tr("Any category"), replace(query, category_id=0))
        self.categories.addSeparator()
        shown = session.categories
        if len(shown) > MOST_CATEGORIES:
            most = sorted(shown, key=lambda category: -self._on_images.get(category.id, 0))[:MOST_CATEGORIES]
            kept = {category.id for category in most} | {query.category_id, session.category_id}
            shown = tuple(category for category in shown if category.id in kept)
        for category in shown:
            wanted, count = replace(query, category_id=category.id), self._on_images.get(category.id, 0)
            self._choice(self.categories, group, category.name, wanted, count=count)

    def _add_notes(self, menu: QMenu) -> None:
        session, query = self._parts.session, self._parts.session.query
        counts: dict[str, int] = {}
        for mark in session.tally.marks.values():
            if mark.flag is not None:
                counts[mark.flag] = counts.get(mark.flag, 0) + 1
        self.notes = menu.addMenu(tr("&Note of the flag"))
        self.notes.setEnabled(bool(counts) or query.note is not None)
        group = QActionGroup(self.notes)
        self._choice(self.notes, group, tr("Any note"), replace(query, note=None))
        self.notes.addSeparator()
        for note in sorted(counts, key=lambda note: (-counts[note], note))[:_MOST_NOTES]:
            self._choice(self.notes, group, note_words(note), replace(query, note=note), count=counts[note])

    def _add_folders(self, menu: QMenu) -> None:
        """Splits and folders; of more than _MOST_FOLDERS, the upper ones with the most images are offered."""
        folders, query = self._parts.session.folders, self._parts.session.query
        is_chosen = bool(query.folder or query.split)
        self.folders = menu.addMenu(tr("F&older"))
        self.folders.setEnabled(folders.are_several or is_chosen)
        group = QActionGroup(self.folders)
        self._choice(self.folders, group, tr("Any folder"), replace(query, folder="", split=""))
        self.folders.addSeparator()
        in_splits = folders.per_split()
        for split in SPLITS:
            if split in in_splits:
                words = tr("All of {split}", split=split)
                wanted = replace(query, folder="", split=split)
                self._choice(self.folders, group, words, wanted, count=in_splits[split])
        self.folders.addSeparator()
        tree = folders.tree()
        most = sorted(tree, key=lambda name: (name != query.folder, name.count("/"), -tree[name]))[:_MOST_FOLDERS]
        for name in in_natural_order(most):
            self._choice(self.folders, group, name, replace(query, folder=name, split=""), count=tree[name])
        if is_chosen:
            menu.setDefaultAction(self.folders.menuAction())

    def _fill_orders(self) -> None:
        query, menu = self._parts.session.query, self.sort.choices
        self._finder.refresh()
        menu.clear()
        group = QActionGroup(menu)
        for order, words in ORDERS.items():
            self._choice(menu, group, words, replace(query, order=order))
        menu.addSeparator()
        again = menu.addAction(tr("Sort &again"))
        again.setEnabled(query.order is not Query().order)
        again.triggered.connect(self._finder.sort_again)

    # What is shown

    def _show_query(self) -> None:
        session = self._parts.session
        query, keys = session.query, session.keys
        if not query.text and not self.search.hasFocus() and self.search.text():
            self.search.clear()  # another project is open
        self.filter.show_text(query_words(query, session), _with_key(tr("Which images are listed"), keys, "filter"))
        self.count.setText(listed_words(session, briefly=self.width() < _NARROW) if session.images else "")
        set_tooltip(self.count, tr("{count} listed", count=listed_words(session)))
        note = tr("Order of the images: {order}", order=ORDERS[query.order])
        set_tooltip(self.sort, _with_key(note, keys, "sort"))
        self.sort.setAccessibleDescription(ORDERS[query.order])
        self.search.setPlaceholderText(_with_key(tr("Search"), keys, "find"))
        set_tooltip(self.search, _HOW_TO_SEARCH)


def _with_key(words: str, keys: dict[str, str], action: str) -> str:
    return tr("{action} ({key})", action=words, key=keys[action]) if keys.get(action) else words
