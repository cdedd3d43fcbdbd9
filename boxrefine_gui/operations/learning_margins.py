"""LearningMargins: learns the margins of categories on the store lane, as the user accepts boxes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.state.loaded_models import Learner
from core.records import Changes

if TYPE_CHECKING:
    from core.refiner.margins import Margin
    from core.store.project_store import ProjectStore

_Subject = tuple[Path, str, str]
"""A project, and the identities of the encoder and the refiner."""


class LearningMargins:
    """Keeps the session's margins up to date with the boxes that the refiner in use has moved and the user accepted."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._subject: _Subject | None = None
        self._learner: Learner | None = None  # its methods are called on the store lane only
        session = parts.session
        session.project_changed.connect(self._restart)
        session.models_changed.connect(self._follow)
        session.settings_changed.connect(self._follow)
        session.changed.connect(self._changed)

    def _restart(self) -> None:
        self._subject = None
        self._follow()

    def _follow(self) -> None:
        """Start over if the project, the models or the setting are others; margins of other models do not fit."""
        session = self._parts.session
        models, path = session.models, session.project_path
        is_wanted = session.settings.learn_margins and models is not None and models.learner is not None
        subject = None
        if is_wanted and models is not None and path is not None:
            subject = path, models.encoder_identity, models.refiner_identity
        if subject == self._subject and subject is not None:
            return
        self._subject, self._learner = subject, None
        session.set_margins({})
        if subject is not None and models is not None and models.learner is not None:
            self._learner = models.learner(*subject[1:])
            self._learn(self._learner, frozenset())

    def _changed(self, changes: Changes) -> None:
        if self._learner is not None and (changes.image_ids or changes.categories):
            self._learn(self._learner, changes.image_ids)

    def _learn(self, learner: Learner, images: frozenset[int]) -> None:
        def job(project: ProjectStore) -> dict[str, Margin]:
            return learner.learn(project, images)

        self._parts.store.read(job, on_done=partial(self._learned, learner))

    def _learned(self, learner: Learner, margins: dict[str, Margin]) -> None:
        if learner is self._learner:  # else it was of another project or other models
            self._parts.session.set_margins(margins)
