"""DraftKeeper: saves the drawn box in the project file when the user releases it, and shortly after each change."""

from __future__ import annotations

from pathlib import Path

from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.operations import drawing
from boxrefine_gui.operations.box_verbs import Parts
from boxrefine_gui.state.draft import Draft

_PAUSE_MS = 150
"""Delay that merges fast changes, such as refinements and arrow keys, into one write; a drag writes only at its end."""


class DraftKeeper:
    """Follows the active drawn box."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._changed: Draft | None = None  # to be written
        self._project: Path | None = None  # the project of `_changed`
        self._pause = timer(_PAUSE_MS, self.keep)
        session = parts.session
        session.released.connect(self._released)
        session.refinement_changed.connect(self._follow)
        session.candidates_changed.connect(self._follow)
        session.category_changed.connect(self._follow)
        session.drawn_changed.connect(self._drawn_changed)

    def keep(self) -> None:
        """Write the last change now."""
        self._pause.stop()
        changed, self._changed = self._changed, None
        session = self._parts.session
        is_here = session.project_path == self._project
        if changed is not None and is_here and not session.left.is_settled(changed.key):
            drawing.keep(self._parts, changed)

    def _note(self, draft: Draft | None) -> None:
        self._changed, self._project = draft, self._parts.session.project_path

    def _released(self) -> None:
        """Save the released box, unless it is accepted at once anyway."""
        if not self._parts.session.settings.auto_accept:
            self._note(self._parts.session.draft)
            self.keep()

    def _follow(self) -> None:
        draft = self._parts.session.draft
        if draft is not None and not draft.is_held:
            self._note(draft)
            self._pause.start()

    def _drawn_changed(self) -> None:
        """Write a pending change at once when its box is no longer the active one."""
        draft = self._parts.session.draft
        if self._changed is not None and (draft is None or draft.key != self._changed.key):
            self.keep()
