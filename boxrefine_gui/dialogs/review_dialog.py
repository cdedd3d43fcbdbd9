"""The review: boxes of the project as a grid of crops, by category, state and annotator, in a chosen order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget
from shiboken6 import isValid

from boxrefine_gui.dialogs.help import show_once
from boxrefine_gui.dialogs.history_dialog import HistoryDialog
from boxrefine_gui.dialogs.review_grid import ONE, ReviewGrid
from boxrefine_gui.dialogs.review_model import ReviewModel
from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.operations import reviewing
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.state.project_view import MANY_IMAGES
from boxrefine_gui.widgets.plain_text import PlainLabel, in_one_line, menu_text, set_title
from core.records import Changes
from core.reviews import LONGEST_COMMENT, Arrangement, By, ReviewItem, ReviewQuery, Verdict, Which, arranged
from core.translation import tr, tr_plural

_AIR = 40
_LONGEST_NAME, _NAME_WIDTH = 100, 170


class ReviewDialog(QDialog):
    """A window beside the main one; it reads the project when it is opened, and follows its changes."""

    def __init__(self, parent: QWidget, parts: Parts, lane: QueueLane) -> None:
        super().__init__(parent)
        self._window = parent
        self._parts, self._session = parts, parts.session
        self._reads = self._arrangements = 0
        self.is_ready = self._has_all = False
        self._annotators: dict[int, str] = {}
        set_title(self, tr("Review boxes"))
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint, True)
        self.setSizeGripEnabled(True)
        self.resize(parent.width() - _AIR, parent.height() - _AIR)
        self.model = ReviewModel(self._session, lane)
        self.grid = ReviewGrid(self.model)
        self.category = _choice(tr("Category"))
        self.which = _choice(tr("Which boxes"), _which_titles())
        self.annotator = _choice(tr("Annotator"))
        self.by = _choice(tr("Order"), _by_titles())
        self.cell_size = _choice(tr("Size"), _size_titles())
        self.cell_size.setCurrentIndex(self.cell_size.findData("medium"))
        self.name = QLineEdit(in_one_line(self._session.settings.annotator))
        self.name.setPlaceholderText(tr("as on this computer"))
        self.name.setMaxLength(_LONGEST_NAME)
        self.name.setMinimumWidth(_NAME_WIDTH)
        self.name.setAccessibleName(tr("Your name"))
        self.comment = QLineEdit()
        self.comment.setMaxLength(LONGEST_COMMENT)
        self.comment.setPlaceholderText(tr("Comment on this box (C); Return stores it"))
        self.comment.setAccessibleName(tr("Comment"))
        self.state, self.line = PlainLabel(), PlainLabel()
        self._arrange_widgets()
        self._fill_categories()
        self._listen()
        self.read()
        self.grid.setFocus()

    # Layout

    def _arrange_widgets(self) -> None:
        top = QHBoxLayout()
        for chooser in (self.category, self.which, self.annotator, self.by, self.cell_size):
            top.addWidget(chooser)
        top.addStretch(1)
        label = PlainLabel(tr("Your &name"))
        label.setBuddy(self.name)
        top.addWidget(label)
        top.addWidget(self.name)
        self.good = _button(tr("Good (1)"), partial(self.judge, Verdict.GOOD))
        self.fix = _button(tr("Fix (2)"), partial(self.judge, Verdict.FIX))
        self.wrong = _button(tr("Wrong (3)"), partial(self.judge, None))
        below = QHBoxLayout()
        for button in (self.good, self.fix, self.wrong):
            below.addWidget(button)
        below.addWidget(self.comment, 1)
        below.addWidget(_button(tr("History (H)"), self.show_history))
        below.addWidget(_button(tr("Close"), self.reject))
        lines = QHBoxLayout()
        lines.addWidget(self.line, 1)
        lines.addWidget(self.state)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self.grid, 1)
        layout.addLayout(lines)
        layout.addLayout(below)

    def _listen(self) -> None:
        for chooser in (self.category, self.which, self.annotator, self.by):
            chooser.currentIndexChanged.connect(self.arrange)
            chooser.activated.connect(lambda _: self.grid.setFocus())
        self.cell_size.currentIndexChanged.connect(lambda _: self.grid.set_size(self.cell_size.currentData()))
        self.cell_size.activated.connect(lambda _: self.grid.setFocus())
        self.grid.found.connect(self.judge)
        self.grid.opened.connect(self.open_box)
        self.grid.comment_wanted.connect(self.comment.setFocus)
        self.grid.history_wanted.connect(self.show_history)
        self.grid.selectionModel().currentChanged.connect(lambda *_: self._show_current())
        self.comment.returnPressed.connect(self._store_comment)
        self.comment.installEventFilter(self)
        self.name.editingFinished.connect(self._store_name)
        self._session.changed.connect(self._changed)
        self._session.project_changed.connect(self.read)
        for keys, undo in ((QKeySequence.StandardKey.Undo, True), (QKeySequence.StandardKey.Redo, False)):
            QShortcut(keys, self).activated.connect(partial(reviewing.travel, self._parts, undo=undo))
        QShortcut(QKeySequence("F5"), self).activated.connect(self.read)  # untranslated: a key

    # What is shown

    @property
    def query(self) -> ReviewQuery:
        """What the user has chosen."""
        return ReviewQuery(
            Which(self.which.currentData()),
            self.category.currentData(),
            self.annotator.currentData(),
            By(self.by.currentData()),
        )

    @property
    def current(self) -> ReviewItem | None:
        """The current box; None if there is none, or it is deleted."""
        return self.model.item(self.grid.place)

    def read(self) -> None:
        """Read the boxes of the project, and arrange them again."""
        self._reads += 1
        turn, self.is_ready, self._has_all = self._reads, False, False
        self.model.crops.forget()
        self.line.setText(tr("Reading the project…"))
        self._read_all(turn, self.arrange)

    def _read_all(self, turn: int, then: Callable[[], None]) -> None:
        def part(found: reviewing.Found) -> None:
            self.model.add(found[0])
            self._show_annotators(found[1])
            if not self.is_ready and not self.model.boxes:
                self._show_first(turn, found[0])

        def done() -> None:
            self.model.end()
            then()

        self.model.begin()
        reviewing.read_items(
            self._parts, on_part=part, on_done=done, is_wanted=lambda: isValid(self) and self._reads == turn
        )

    def _show_first(self, turn: int, items: Sequence[ReviewItem]) -> None:
        """Show those of the first boxes that fit, so that the review can begin while the others are read."""
        job = partial(arranged, items, self.query, annotators=self._annotators, places=self._session.image_rows)

        def done(rows: Arrangement) -> None:
            if isValid(self) and turn == self._reads and not self.is_ready and not self.model.boxes and rows.ids:
                self.model.show_first(items, rows)
                self.grid.go(0)
                self._show_current()

        self._parts.files.run(job, on_done=done)

    def arrange(self) -> None:
        """Choose and order the boxes that are read."""
        self._arrangements += 1
        turn, self.is_ready = self._arrangements, False
        is_first, self._has_all = not self._has_all, True  # the user may have begun with the first boxes
        items, places = tuple(self.model.items.values()), self._session.image_rows
        job = partial(arranged, items, self.query, annotators=self._annotators, places=places)

        def done(rows: Arrangement) -> None:
            if isValid(self) and turn == self._arrangements:
                at = self.current if is_first and self.grid.place > 0 else None
                self.model.show_rows(rows)
                self.is_ready = True
                self.grid.go(rows.ids.index(at.id) if at is not None and at.id in rows.known else 0)
                self._show_current()

        self._parts.files.run(job, on_done=done)

    def _changed(self, changes: Changes) -> None:
        """Follow a change of the project: the rows stay, so that nothing moves under the user's hand."""
        if changes.categories:
            self._fill_categories()
        is_of_others = changes.categories and changes.step is None
        if is_of_others or len(changes.image_ids) > MANY_IMAGES:
            self._reads += 1
            self._read_all(self._reads, self._show_current if self.is_ready else self.arrange)
        elif changes.image_ids:
            ids = changes.image_ids

            def done(found: reviewing.Found) -> None:
                if isValid(self):
                    self.model.put(found[0], ids)
                    self._show_annotators(found[1])
                    self._show_current()

            reviewing.read_items_on(self._parts, ids, on_done=done)

    def _why_empty(self) -> str:
        if any(self._session.counts.values()):
            return tr("No box is listed here. Choose another filter above.")
        return tr("This project has no boxes yet: draw and accept some first.")

    def _show_current(self) -> None:
        item, count = self.current, self.model.boxes
        self.grid.painter.colors = dict(self._session.colors)
        if self.is_ready:
            good, fix = self.model.count(Verdict.GOOD), self.model.count(Verdict.FIX)
            boxes = tr_plural("{count} box", "{count} boxes", count)
            self.state.setText(tr("{boxes}, {good} found good, {fix} to fix", boxes=boxes, good=good, fix=fix))
            by = "" if item is None else self._annotators.get(item.writer, "")
            words = self.model.words(item) if count else self._why_empty()
            self.grid.show_hint("" if count else words)
            self.line.setText(f"{words}, {tr('by {name}', name=in_one_line(by))}" if by else words)
        for widget in (self.good, self.fix, self.wrong, self.comment):
            widget.setEnabled(item is not None)
        if not self.comment.hasFocus() or item is None:
            self.comment.setText("" if item is None else item.comment)
        self.grid.viewport().update()

    def _fill_categories(self) -> None:
        entries: list[tuple[str, object]] = [(tr("All categories"), None)]
        entries += [(in_one_line(category.name), category.id) for category in self._session.categories]
        _fill(self.category, entries)
        self.model.name_categories()

    def _show_annotators(self, annotators: dict[int, str]) -> None:
        if annotators != self._annotators or not self.annotator.count():
            self._annotators = annotators
            names = sorted(set(annotators.values()))
            _fill(self.annotator, [(tr("All annotators"), None), *((in_one_line(name), name) for name in names)])
            self.annotator.setEnabled(len(names) > 1)

    # What the user does

    def judge(self, verdict: Verdict | None) -> None:
        """Store a verdict on the selected boxes, None to delete them, and go on to the next one."""
        places = self.grid.places
        ids = [item.id for place in places if (item := self.model.item(place)) is not None]
        if ids:
            reviewing.find(self._parts, ids, verdict)
            self.grid.go(min(places[-1] + 1, self.model.boxes - 1))
        self.grid.setFocus()

    def open_box(self) -> None:
        """Show the current box in the main window."""
        item = self.current
        if item is not None:
            reviewing.show_box(self._parts, item.image_id, item.id)
            self._window.activateWindow()

    def show_history(self) -> None:
        """Show the history of the current box."""
        item = self.current
        if item is not None:
            show_once(HistoryDialog(self, self._parts, item.id))

    def _store_comment(self) -> None:
        item = self.current
        if item is not None:
            reviewing.comment(self._parts, item.id, self.comment.text())
        self.grid.setFocus()

    def _store_name(self) -> None:
        if self.name.text().strip() != self._session.settings.annotator:
            reviewing.name_annotator(self._parts, self.name.text())
            reviewing.read_items_on(self._parts, (), on_done=self._take_annotators)

    def _take_annotators(self, found: reviewing.Found) -> None:
        if isValid(self):
            self._show_annotators(found[1])
            self._show_current()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Escape in the comment takes it back and leads to the grid."""
        if watched is self.comment and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.KeyPress:
                self.grid.setFocus()
                self._show_current()
            return True
        return super().eventFilter(watched, event)

    def done(self, result: int) -> None:
        """End the requests for crops."""
        self.model.crops.close()
        super().done(result)


def _which_titles() -> dict[str, str]:
    return {
        Which.ALL: tr("All boxes"),
        Which.OPEN: tr("Not reviewed yet"),
        Which.TO_CHECK: tr("To check"),
        Which.ACCEPTED: tr("Accepted"),
        Which.IN_DOUBT: tr("In doubt"),
        Which.BY_HAND: tr("Changed by hand"),
        Which.TO_FIX: tr("To fix"),
        Which.GOOD: tr("Found good"),
        Which.COMMENTED: tr("With a comment"),
    }


def _by_titles() -> dict[str, str]:
    return {
        By.IMAGE: tr("By image"),
        By.DOUBT: tr("Most doubtful first"),
        By.CHANGE: tr("Most changed first"),
        By.NEWEST: tr("Newest first"),
        By.OLDEST: tr("Oldest first"),
    }


def _size_titles() -> dict[str, str]:
    return {"small": tr("Small"), "medium": tr("Medium"), "large": tr("Large"), ONE: tr("One by one")}


def _choice(name: str, titles: dict[str, str] | None = None) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    for value, title in (titles or {}).items():
        box.addItem(title, str(value))
    return box


def _fill(box: QComboBox, entries: list[tuple[str, object]]) -> None:
    """Offer other entries; the chosen one stays if it is still among them."""
    chosen = box.currentData()
    with QSignalBlocker(box):
        box.clear()
        for title, value in entries:
            box.addItem(title, value)
        box.setCurrentIndex(max(0, next((n for n, (_, value) in enumerate(entries) if value == chosen), 0)))


def _button(text: str, call: Callable[[], object]) -> QPushButton:
    button = QPushButton(menu_text(text))
    button.setAutoDefault(False)
    button.clicked.connect(lambda: call())
    return button
