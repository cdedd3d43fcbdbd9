"""Logbook: logs which models are loaded, and every error and warning that the window shows."""

from __future__ import annotations

import logging

from boxrefine_gui.state.level import Level
from boxrefine_gui.state.loaded_models import in_words
from boxrefine_gui.state.session import Session
from core.errors import KnownError

logger = logging.getLogger(__name__)


class Logbook:
    """Listens to the session on the GUI thread; logging there takes microseconds and never blocks."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._models = ""
        session.models_changed.connect(self._models_changed)
        session.problem.connect(self._shown)
        session.told.connect(self._told)

    def _models_changed(self) -> None:
        now = in_words(self._session.models, self._session.models_state)
        if now != self._models:
            self._models = now
            logger.info("models: %s", now)

    def _told(self, sentence: str, level: Level) -> None:
        if level.stays:
            logger.warning("shown: %s", sentence)

    def _shown(self, error: Exception) -> None:
        if isinstance(error, KnownError):
            logger.warning("shown: %s", error)
        else:
            logger.error("a bug", exc_info=error)
