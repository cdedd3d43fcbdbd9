"""The words and signs of a category, for the list of categories and for the pop-up at the cursor."""

from __future__ import annotations

from PySide6.QtCore import Qt

from boxrefine_gui.panels.category_delegate import COLOR_ROLE, COUNT_ROLE, KEY_ROLE, SIGNS_ROLE, Sign
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets import theme
from boxrefine_gui.widgets.plain_text import tooltip
from core.categories import Category
from core.translation import tr, tr_plural

_SIGNS = tr("The eye hides its boxes or shows them, the lock locks or unlocks them")


def category_data(session: Session, category: Category, role: int) -> object:
    """What a model of categories returns for a role."""
    if role == Qt.ItemDataRole.DisplayRole:
        return f"{key_of(session, category.id):<4} {category.name}"
    if role == Qt.ItemDataRole.EditRole:
        return category.name
    if role == Qt.ItemDataRole.DecorationRole:
        return theme.swatch(category.id, session.colors)
    if role == COLOR_ROLE:
        return theme.category_color(category.id, session.colors)
    if role == KEY_ROLE:
        return key_of(session, category.id)
    if role == COUNT_ROLE:
        return f"{session.category_counts.get(category.id, 0):,}"
    if role == SIGNS_ROLE:
        return signs_of(session, category.id)
    if role == Qt.ItemDataRole.ToolTipRole:
        return tooltip(
            "\n".join([category.name, ", ".join(_state(session, category)), _how(session, category), _SIGNS])
        )
    if role == Qt.ItemDataRole.AccessibleTextRole:
        return ", ".join([category.name, *_state(session, category)])
    return None


def key_of(session: Session, category_id: int) -> str:
    """The key that chooses a category now; empty without one, or if an action has it."""
    key = session.category_keys.get(category_id, "")
    return "" if key in session.key_owners else key


def signs_of(session: Session, category_id: int) -> tuple[Sign, ...]:
    """The signs of a category."""
    sight = session.sight
    wanted = {
        Sign.SOLO: sight.solo == category_id,
        Sign.LOCKED: category_id in sight.locked,
        Sign.HIDDEN: not sight.shows(category_id),
    }
    return tuple(sign for sign, holds in wanted.items() if holds)


def _state(session: Session, category: Category) -> list[str]:
    words = {Sign.SOLO: tr("shown alone"), Sign.LOCKED: tr("locked"), Sign.HIDDEN: tr("hidden")}
    boxes = tr_plural("{count} box", "{count} boxes", session.category_counts.get(category.id, 0))
    return [boxes, *(words[sign] for sign in signs_of(session, category.id))]


def _how(session: Session, category: Category) -> str:
    key = session.category_keys.get(category.id, "")
    if not key:
        return tr("Drag to move it; the right button has more")
    if key in session.key_owners:
        return tr("{key} does not choose it, because “{action}” has that key", key=key, action=session.key_owners[key])
    return tr("Drag to move it; the right button has more; {key} chooses it", key=key)
