"""Keeps the drawn box in the project's file: when the hand lets go of it, and a moment after each change of it."""

from __future__ import annotations

from pathlib import Path

from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.operations import drawing
from boxrefine_gui.operations.box_verbs import Parts
from boxrefine_gui.state.draft import Draft

_PAUSE_MS = 150
"""Answers and arrow keys follow each other fast; a drag writes nothing at all before its end."""


class DraftKeeper:
    """Follows the drawn box in hand."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._changed: Draft | None = None  # as it is to be kept
        self._project: Path | None = None  # the one that it belongs to
        self._pause = timer(_PAUSE_MS, self.keep)
        session = parts.session
        session.released.connect(self._released)
        session.refinement_changed.connect(self._follow)
        session.category_changed.connect(self._follow)
        session.drawn_changed.connect(self._drawn_changed)

    def keep(self) -> None:
        """Write what has changed now."""
        self._pause.stop()
        changed, self._changed = self._changed, None
        session = self._parts.session
        is_here = session.project_path == self._project
        if changed is not None and is_here and not session.left.is_settled(changed.key):
            drawing.keep(self._parts, changed)

    def _note(self, draft: Draft | None) -> None:
        self._changed, self._project = draft, self._parts.session.project_path

    def _released(self) -> None:
        """A box that is about to be accepted need not be kept before."""
        if not self._parts.session.settings.auto_accept:
            self._note(self._parts.session.draft)
            self.keep()

    def _follow(self) -> None:
        draft = self._parts.session.draft
        if draft is not None and not draft.is_held:
            self._note(draft)
            self._pause.start()

    def _drawn_changed(self) -> None:
        """Another box is in hand, or none: what has changed of the one before is kept at once."""
        draft = self._parts.session.draft
        if self._changed is not None and (draft is None or draft.key != self._changed.key):
            self.keep()
