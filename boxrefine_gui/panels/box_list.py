"""The boxes of the open image: one row each; choosing a row selects the box on the canvas."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView

from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets import theme
from boxrefine_gui.widgets.doubt_words import doubt_words
from boxrefine_gui.widgets.list_with_hint import ListWithHint
from boxrefine_gui.widgets.plain_text import in_one_line, tooltip
from boxrefine_gui.widgets.verdict_words import verdict_words
from core.records import Changes, Correction
from core.reviews import Review
from core.translation import tr

Index = QModelIndex | QPersistentModelIndex
_NO_REVIEW = Review()


class BoxModel(QAbstractListModel):
    """The session's corrections of the open image."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown: tuple[Correction, ...] = session.corrections
        session.changed.connect(self._changed)
        session.image_changed.connect(self._reload)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        return 0 if parent.isValid() else len(self._shown)

    def id_of(self, row: int) -> int:
        """The id of the box in a row."""
        return self._shown[row].id

    def row_of(self, correction_id: int | None) -> int | None:
        """The row of a box; None if it is not in the list."""
        return next((row for row, entry in enumerate(self._shown) if entry.id == correction_id), None)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        correction = self._shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            words = self._words(correction)
            return tr("{box}   to fix", box=words) if self._session.is_to_fix(correction.id) else words
        if role == Qt.ItemDataRole.DecorationRole:
            colors, is_hollow = self._session.colors, not correction.confirmed
            return theme.swatch(correction.category_id, colors, hollow=is_hollow, doubtful=correction.doubtful)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip(
                "\n".join(
                    [
                        self._words_and_state(correction),
                        _history(correction),
                        *self._cure(correction),
                        *self._review(correction),
                    ]
                )
            )
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._words_and_state(correction)
        return None

    def _words(self, correction: Correction) -> str:
        name = next((entry.name for entry in self._session.categories if entry.id == correction.category_id), "")
        origin = correction.origin
        if correction.is_suggestion and origin is not None:
            return tr("{category}   suggested ({percent} %)", category=name, percent=round(100 * origin.probability))
        return f"{name}   {correction.accepted.width:.0f} × {correction.accepted.height:.0f}"

    def _review(self, correction: Correction) -> list[str]:
        """The verdict and the comment, and who gave them, as lines of the tooltip."""
        review = self._session.reviews.get(correction.id)
        if review is None:
            return []
        by = [tr("by {name}", name=in_one_line(review.by))] if review.by else []
        said = [*verdict_words(review.verdict), *filter(None, [in_one_line(review.comment)])]
        return [", ".join([*said, *by])]

    def _words_and_state(self, correction: Correction) -> str:
        verdict = self._session.reviews.get(correction.id, _NO_REVIEW).verdict
        words = ", ".join([self._words(correction), *verdict_words(verdict)])
        if not correction.confirmed:
            return tr("{box}, to check", box=words)
        if correction.doubtful:
            return f"{words}, {doubt_words(correction.doubtful)}"
        return words

    def _cure(self, correction: Correction) -> list[str]:
        """What to do about doubtful edges, as a line of the tooltip, if there are any."""
        key = self._session.keys.get("accept", "")
        if not correction.doubtful:
            return []
        if not key:
            return [tr("Look at it, and move it if it is wrong.")]
        return [tr("Look at it: move it if it is wrong, press {key} if it is right.", key=key)]

    def _changed(self, changes: Changes) -> None:
        image = self._session.image
        if changes.categories or (image is not None and image.id in changes.image_ids):
            self._reload()

    def _reload(self) -> None:
        self.beginResetModel()
        self._shown = self._session.corrections
        self.endResetModel()


NO_IMAGE = tr("The boxes of an image stand here.")


class BoxList(ListWithHint):
    """The boxes of the open image."""

    delete_pressed = Signal(list)  # the ids of the corrections

    def __init__(self, session: Session) -> None:
        super().__init__(
            lambda: (
                tr("The boxes of an image stand here.") if session.image is None else tr("No boxes on this image yet.")
            )
        )
        self._session = session
        self._model = BoxModel(session)
        self.setModel(self._model)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAccessibleName(tr("Boxes of this image"))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._is_showing = False  # the selection of the session, which must not come back as the user's
        self.selectionModel().selectionChanged.connect(self._chosen)
        self.activated.connect(self._activated)
        session.selection_changed.connect(self._show_selected)
        session.changed.connect(self._show_selected)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete removes the boxes of the selected rows."""
        is_delete = event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
        if is_delete and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            if self._ids and not event.isAutoRepeat():
                self.delete_pressed.emit(self._ids)
        else:
            super().keyPressEvent(event)

    @property
    def _ids(self) -> list[int]:
        """The ids of the boxes in the selected rows."""
        return [self._model.id_of(index.row()) for index in self.selectionModel().selectedIndexes()]

    def _activated(self, index: QModelIndex) -> None:
        """Return on a row that is only current selects its box alone."""
        if not self.selectionModel().isSelected(index):
            self._pick([self._model.id_of(index.row())], None)

    def _chosen(self) -> None:
        ids, current = self._ids, self.currentIndex()
        if self._is_showing or set(ids) == {entry.id for entry in self._session.selection}:
            return
        last = self._model.id_of(current.row()) if current.isValid() else None
        self._pick(ids, last)

    def _pick(self, ids: list[int], last: int | None) -> None:
        """Select boxes, the `last` one as the current one; a notice explains which cannot be selected."""
        if not all(map(self._session.can_pick, ids)):
            self._session.tell(tr("The category of this box is hidden or locked: its row in the list shows which."))
        self._session.select(last if last in ids else next(iter(ids), None), ids)

    def _show_selected(self) -> None:
        rows = [row for entry in self._session.selection if (row := self._model.row_of(entry.id)) is not None]
        current = self._model.row_of(self._session.selected_id)
        chosen = QItemSelection()
        for row in rows:
            chosen.select(self._model.index(row), self._model.index(row))
        flags, selection = QItemSelectionModel.SelectionFlag, self.selectionModel()
        self._is_showing = True
        try:
            selection.setCurrentIndex(QModelIndex() if current is None else self._model.index(current), flags.NoUpdate)
            selection.select(chosen, flags.ClearAndSelect)
        finally:
            self._is_showing = False


def _history(correction: Correction) -> str:
    """How a box was made, in one line."""
    origin = correction.origin
    parts = [tr("from {file}", file=origin.file)] if origin is not None and origin.file else []
    if origin is not None and origin.head:
        percent = round(100 * origin.probability)
        parts.append(tr("suggested ({percent} %) by {head}", percent=percent, head=origin.head))
    if correction.refined is not None or correction.proposal is not None:
        parts.append(_refinement(correction))
    elif correction.accepted != correction.drawn:
        parts.append(tr("changed by hand"))
    else:
        parts.append(tr("as drawn") if correction.origin is None else tr("as it came"))
    if correction.seconds:
        parts.append(tr("{seconds} s", seconds=f"{correction.seconds:.1f}"))
    return "; ".join(parts)


def _refinement(correction: Correction) -> str:
    """How a box was refined. A file may hold boxes that were refined elsewhere, by an unknown refiner."""
    name = correction.refiner
    if correction.proposal is not None and correction.proposal == correction.accepted:
        by = tr("refined by {refiner}, and not accepted yet", refiner=name)
        return by if name else tr("refined, and not accepted yet")
    if correction.proposal is not None:
        by = tr("a refinement by {refiner} is proposed, and not accepted yet", refiner=name)
        return by if name else tr("a refinement is proposed, and not accepted yet")
    if correction.accepted != correction.refined:
        by = tr("refined by {refiner}, then changed by hand", refiner=name)
        return by if name else tr("refined, then changed by hand")
    return tr("refined by {refiner}", refiner=name) if name else tr("refined")
