"""Connects deleting and merging categories with the dialogs that ask before."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QDialog, QWidget

from boxrefine_gui.dialogs.category_dialog import CategoryQuestion, DeleteCategoryDialog, MergeCategoryDialog
from boxrefine_gui.dialogs.category_looks_dialog import CategoryLooksDialog, Looks
from boxrefine_gui.dialogs.help import show_once
from boxrefine_gui.operations import category_verbs
from boxrefine_gui.operations.box_verbs import Parts
from boxrefine_gui.operations.category_verbs import quoted
from core.records import CategoryUse
from core.translation import tr, tr_plural


class CategoryQuestions:
    """Deletes and merges categories; a dialog of `window` asks if they have boxes."""

    def __init__(self, parts: Parts, window: QWidget) -> None:
        self._parts = parts
        self._window = window

    def delete(self, category_id: int) -> None:
        """Delete a category, at once if it has no boxes."""
        category_verbs.delete_category(self._parts, category_id, ask=partial(self._ask_delete, category_id))

    def merge(self, category_id: int, into: int | None) -> None:
        """Ask which category takes the boxes of this one; `into` is preselected, else the current category."""
        category_verbs.ask_merge(self._parts, category_id, ask=partial(self._ask_merge, category_id, into))

    def looks(self, category_id: int) -> None:
        """Ask for the color and the key of a category."""
        session = self._parts.session
        category = next((entry for entry in session.categories if entry.id == category_id), None)
        if category is None or self._window.findChild(CategoryLooksDialog):
            return

        def why_not(key: str) -> str:
            action = session.key_owners.get(key)
            if action is None:
                return ""
            return tr("{key} belongs to “{action}”: choose another key, or change that one.", key=key, action=action)

        def note(key: str) -> str:
            other = next((entry for entry in session.categories if entry.key == key and entry.id != category_id), None)
            if other is None:
                return ""
            return tr("{category} has {key} now, and loses it.", category=quoted(session, other.id), key=key)

        def chosen(color: str, key: str) -> None:
            if color != category.color:
                category_verbs.choose_color(self._parts, category_id, color)
            if key != category.key:
                category_verbs.choose_key(self._parts, category_id, key)

        looks = Looks(
            quoted(session, category_id), category.color, category.key,
            session.colors[category_id], session.category_keys.get(category_id, ""),
        )  # fmt: skip
        self._show(lambda: CategoryLooksDialog(self._window, looks, why_not=why_not, note=note, on_chosen=chosen))

    def _ask_delete(self, category_id: int, use: CategoryUse) -> None:
        self._show(
            lambda: DeleteCategoryDialog(
                self._window,
                self._question(category_id, use, None),
                on_move=lambda into: category_verbs.merge_category(self._parts, category_id, use, into),
                on_delete=lambda: category_verbs.delete_with_boxes(self._parts, category_id, use),
            )
        )

    def _ask_merge(self, category_id: int, into: int | None, use: CategoryUse) -> None:
        question = self._question(category_id, use, into)
        if question.others:
            self._show(
                lambda: MergeCategoryDialog(
                    self._window,
                    question,
                    on_merge=lambda into: category_verbs.merge_category(self._parts, category_id, use, into),
                )
            )

    def _question(self, category_id: int, use: CategoryUse, into: int | None) -> CategoryQuestion:
        session = self._parts.session
        name = quoted(session, category_id)
        others = [category for category in session.categories if category.id != category_id]
        sentence = _count_boxes(name, use)
        if into is not None:
            other = quoted(session, into)
            sentence = tr("There is a category {category} already. {sentence}", category=other, sentence=sentence)
        return CategoryQuestion(name, sentence, others, session.category_id if into is None else into, session.colors)

    def _show(self, make: Callable[[], QDialog]) -> None:
        """Show a dialog, unless there is one; it closes when another project is opened."""
        if self._window.findChild(DeleteCategoryDialog) or self._window.findChild(MergeCategoryDialog):
            return
        dialog = make()
        dialog.setModal(True)
        self._parts.session.project_changed.connect(dialog.reject)
        show_once(dialog)


def _count_boxes(category: str, use: CategoryUse) -> str:
    """How many boxes a category has, as a sentence."""
    if not use.boxes:
        return tr("{category} has no boxes.", category=category)
    return tr(
        "{category} has {boxes} on {images}.",
        category=category,
        boxes=tr_plural("{count} box", "{count} boxes", use.boxes),
        images=tr_plural("{count} image", "{count} images", use.images),
    )
