"""Suggesting: boxes that a head has found, as boxes to check: those of the open image and of the next ones."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.inference.suggest_requests import RestRequest, SuggestRequest
from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.operations import drawing
from boxrefine_gui.operations.box_verbs import NO_MODEL_YET, Parts, apply_widely, choose_settings, delete_selected
from boxrefine_gui.operations.checking import in_reading_order
from boxrefine_gui.state.loaded_models import Models
from boxrefine_gui.state.project_view import StoreView, read_touched
from core.features.encoding.encode_order import encode_order
from core.head_records import PictureContext
from core.records import Changes, ImageRecord, ImportedBox
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.encoders.image_features import ImageFeatures
    from core.store.project_store import ProjectStore

MOST = 500
"""Copy of the constant in `core.suggest.suggester`, which loads torch; a test compares both."""

NO_NETWORK = tr("Suggestions need the light encoder: choose it in the menu Model.")
NOT_PREPARED = tr("This picture is still being prepared: press the key again in a moment.")
NONE_TO_REJECT = tr("No suggestion is left on this image.")

_GROUP = "suggest"
_ASKED_FOR, _OPEN_IMAGE, _NEXT = 0, 1, 10
_AHEAD, _BEHIND = 3, 1
_PAUSE_MS = 300
"""Delay after the last move of a drag until suggestions are computed again without a request."""

_Version = tuple[str, float]
"""The identity of a head, and the threshold that the user chose (0: automatic)."""


class Suggesting:
    """Asks for suggestions and stores them. Those of the next images are there before the user opens them.

    While an image is open, its suggestions stay as they are: a newer head replaces those of the other images.
    """

    def __init__(self, parts: Parts, lane: QueueLane) -> None:
        self._parts, self._lane = parts, lane
        self._made: dict[int, _Version] = {}  # image id -> what its suggestions were made by
        self._settled: tuple[int, float] | None = None  # the open image and the threshold that its suggestions have
        self._rest_on = 0  # id of the image on which the user has asked for the others of a category
        self._is_asked = False  # whether the user wants other suggestions on the open image
        self._was_wanted = parts.session.settings.suggest
        self._reported = ""
        session = parts.session
        session.project_changed.connect(self._restart)
        session.image_changed.connect(self._image_changed)
        session.features_changed.connect(self._look_around)
        session.suggesting_changed.connect(self._look_around)
        session.prepared.connect(self._prepared)
        session.settings_changed.connect(self._settings_changed)
        session.changed.connect(self._changed)
        session.drawn_changed.connect(self._hold)
        self._rest = timer(_PAUSE_MS, lane.release)
        session.listed.reset.connect(self._look_around)

    def stop(self) -> None:
        """Drop all that waits."""
        self._rest.stop()
        self._lane.release()
        self._lane.drop(_GROUP)

    def _hold(self) -> None:
        """Start nothing but what the user has asked for during a drag, which needs the processor."""
        draft = self._parts.session.draft
        if draft is not None and draft.is_held:
            self._lane.hold(above=_ASKED_FOR)
            self._rest.start()

    # The rest of the open image

    def find_rest(self) -> None:
        """Suggest the other objects of the selected or chosen category on the open image, as one undo step."""
        session = self._parts.session
        image, models = session.image, session.models
        if image is None or image.id <= 0:
            return
        drawing.go_on(self._parts)  # a drawn box is an example as well
        category_id = session.selected.category_id if session.selected is not None else session.category_id
        if models is None:
            session.tell(NO_MODEL_YET)
        elif models.suggest is None:
            session.tell(NO_NETWORK)
        elif session.features is None:
            session.tell(NOT_PREPARED)
        else:
            if category_id is not None:
                session.set_sight(session.sight.showing(category_id))  # else what is found would be hidden
            read = partial(_context_and_name, image_id=image.id, category_id=category_id)
            ask = partial(self._ask_for_rest, models, session.features)
            self._parts.store.run(read, on_done=ask)

    def _ask_for_rest(self, models: Models, features: ImageFeatures, read: tuple[PictureContext, str]) -> None:
        session, (context, category) = self._parts.session, read
        if not any(name == category for _, name in context.labels.boxes):
            if category:
                session.tell(
                    tr("This image has no accepted box of “{category}”: accept one as an example.", category=category)
                )
            else:
                session.tell(tr("This image has no accepted box: accept one as an example."))
            return
        request = RestRequest(models, features, context, category, self._threshold, session.margins)
        done = partial(self._put_rest, context.labels.id, category)
        self._lane.run(request, on_done=done, priority=_ASKED_FOR)

    def _put_rest(self, image_id: int, category: str, found: list[ImportedBox]) -> None:
        def job(project: ProjectStore) -> tuple[int, StoreView]:
            before = {entry.id for entry in project.corrections(image_id)}
            changes = project.suggest(image_id, found, only=[category], undoable=True, name=category)
            view = read_touched(project, changes)
            now = project.corrections(image_id)
            return sum(entry.id not in before for entry in now), view

        def done(result: tuple[int, StoreView]) -> None:
            count, view = result
            self._rest_on = image_id
            self._parts.session.apply(view)
            self._tell_rest(category, count, is_capped=len(found) >= MOST)

        self._parts.store.run(job, on_done=done)

    def _tell_rest(self, category: str, count: int, *, is_capped: bool) -> None:
        session = self._parts.session
        if not count:
            session.tell(tr("No other “{category}” was found on this image.", category=category))
            return
        if is_capped:
            session.tell(tr("This image has very many objects: the {count} likeliest are suggested.", count=count))
            return
        key = session.keys.get("accept_all", "")
        words = tr_plural(
            "{count} more of “{category}” is suggested", "{count} more of “{category}” are suggested", count,
            category=category,
        )  # fmt: skip
        session.tell(
            tr("{words}: {key} accepts all.", words=words, key=key) if key else tr("{clauses}.", clauses=words)
        )

    # The next images

    @property
    def _threshold(self) -> float | None:
        return self._parts.session.settings.suggest_threshold or None

    @property
    def _version(self) -> _Version | None:
        """What suggestions are made by now; None if there are none."""
        session = self._parts.session
        suggester, models = session.suggesting.suggester, session.models
        if suggester is None or models is None or models.suggest is None or not session.settings.suggest:
            return None
        return suggester.identity, session.settings.suggest_threshold

    def _restart(self) -> None:
        self._lane.drop(_GROUP)
        self._made, self._settled = {}, None

    def _image_changed(self) -> None:
        self._lane.drop(_GROUP)
        self._settled, self._is_asked, self._rest_on = None, False, 0
        self._look_around()

    def _settings_changed(self) -> None:
        wanted = self._parts.session.settings.suggest
        if wanted == self._was_wanted:
            is_same = self._settled is None or self._settled[1] == self._parts.session.settings.suggest_threshold
            self._is_asked = self._is_asked or not is_same
            self._look_around()
            return
        self._was_wanted = wanted
        self._restart()
        if wanted:
            self._look_around()
        elif self._parts.session.project_path is not None:
            self._parts.store.run(
                _remove_all,
                on_done=partial(_apply_if_any, self._parts),
                on_error=partial(self._failed, self._parts.session.project_path),
            )

    def again(self) -> None:
        """Renew the suggestions of the open image as well, by the head that is in use now."""
        self._settled, self._is_asked = None, True
        self._look_around()

    def _prepared(self, image_id: int) -> None:
        session = self._parts.session
        is_open = session.image is not None and session.image.id == image_id
        if image_id not in self._made and not is_open:
            self._look_around()

    def _changed(self, changes: Changes) -> None:
        """Renew the suggestions of images that were marked: those that are done lose theirs."""
        session, version = self._parts.session, self._version
        for image_id in changes.marked_ids:
            self._made.pop(image_id, None)
            row = session.row_of(image_id)
            if version is None or row is None:
                continue
            is_open = session.image is not None and session.image.id == image_id
            if is_open:
                self._settled, self._is_asked = None, True
            if is_open or session.to_check.get(image_id):
                self._ask(session.images[row], session.features if is_open else None, version, priority=_NEXT)

    def _look_around(self) -> None:
        """Ask for the suggestions of the open image and its neighbors, where they are not those of the head in use."""
        session, version = self._parts.session, self._version
        if version is None or session.image is None:
            return
        images, row = session.way
        order = [session.image]
        if row is not None:
            rows = encode_order(
                current=row, total=len(images), direction=session.direction, ahead=_AHEAD, behind=_BEHIND
            )
            order = [images[wanted] for wanted in rows]
        for place, record in enumerate(order):
            if record.id <= 0 or record.id in session.problems:
                continue
            if record.id != session.image.id:
                self._ask(record, None, version, priority=_NEXT + place)
            elif self._made.get(record.id) == version:
                self._settled = record.id, version[1]
            elif session.features is not None and self._settled != (record.id, version[1]):
                self._ask(record, session.features, version, priority=_OPEN_IMAGE)

    def _ask(self, record: ImageRecord, features: ImageFeatures | None, version: _Version, *, priority: int) -> None:
        if self._made.get(record.id) == version or self._lane.has((record.id, version)):
            return

        def read(project: ProjectStore) -> PictureContext | None:
            return None if project.read_only else project.suggestion_context(record.id)

        def ask(context: PictureContext | None) -> None:
            session = self._parts.session
            models, suggester = session.models, session.suggesting.suggester
            key = (record.id, version)
            if (
                context is None
                or models is None
                or suggester is None
                or self._version != version
                or self._lane.has(key)
            ):
                return
            if context.labels.done:  # there is nothing else in it
                self._put(record, version, [])
                return
            request = SuggestRequest(
                models, suggester, record.path, context, features, self._threshold, session.margins
            )
            put = partial(self._put, record, version)
            self._lane.run(
                request,
                on_done=put,
                on_error=partial(self._failed, self._parts.session.project_path),
                priority=priority,
                group=_GROUP,
                key=key,
            )

        self._parts.store.read(read, on_done=ask)

    def _put(self, record: ImageRecord, version: _Version, found: list[ImportedBox] | None) -> None:
        session = self._parts.session
        if found is None or self._version != version or self._made.get(record.id) == version:
            return
        if session.image is not None and session.image.id == record.id:
            if self._is_at_work(record.id) or self._settled == (record.id, version[1]):
                return
            self._settled, self._is_asked = (record.id, version[1]), False
        self._made[record.id] = version
        self._parts.store.run(
            partial(_suggest_in, record=record, found=found),
            on_done=partial(_apply_if_any, self._parts),
            on_error=partial(self._failed, self._parts.session.project_path),
            goes_on=False,
        )

    def _is_at_work(self, image_id: int) -> bool:
        """Whether the user checks suggestions, which nothing may join: one key then accepts or rejects all of them."""
        session = self._parts.session
        has_asked = self._rest_on == image_id and any(entry.is_suggestion for entry in session.corrections)
        is_selected = session.selected is not None and session.selected.is_suggestion
        return (has_asked or is_selected) and not self._is_asked

    def _failed(self, project: Path | None, error: Exception) -> None:
        """Report what fails for each image only once, and nothing about a project that is closed."""
        if repr(error) != self._reported and project == self._parts.session.project_path:
            self._reported = repr(error)
            self._parts.session.report(error)


# Answers of the user to suggestions


def delete_or_reject(parts: Parts) -> None:
    """Delete the selected box; after a rejected suggestion, select the next box to check."""
    session = parts.session
    selected = session.selected
    if session.draft is not None or selected is None or session.also_ids or not selected.is_suggestion:
        delete_selected(parts)
        return
    order = in_reading_order(session)
    at = next((place for place, entry in enumerate(order) if entry.id == selected.id), 0)
    left = [*order[at + 1 :], *order[:at]]
    session.select(left[0].id if left else None)  # at once, since key presses may follow fast
    parts.store.write(lambda project: project.delete([selected.id]), on_done=session.apply)


def reject_rest(parts: Parts) -> None:
    """Reject all unreviewed suggestions of the open image, as one undo step."""
    session = parts.session
    image = session.image
    if image is None or not any(entry.is_suggestion for entry in session.corrections):
        session.tell(NONE_TO_REJECT)
        return
    parts.store.write(lambda project: project.reject_suggestions(image.id), on_done=session.apply)


def switch(parts: Parts) -> None:
    """Switch suggestions on or off; off removes those that the user has not reviewed."""
    settings = parts.session.settings
    choose_settings(parts, replace(settings, suggest=not settings.suggest))


def choose_threshold(parts: Parts, threshold: float) -> None:
    """Show suggestions from this probability on; 0 stands for the automatic threshold."""
    settings = parts.session.settings
    if settings.suggest_threshold != threshold:
        choose_settings(parts, replace(settings, suggest_threshold=threshold))


def _context_and_name(project: ProjectStore, *, image_id: int, category_id: int | None) -> tuple[PictureContext, str]:
    known = {entry.id: entry.name for entry in project.categories()}
    # A box that was accepted just now may have added the first category, which is then chosen.
    name = next(iter(known.values()), "") if category_id is None else known.get(category_id, "")
    return project.suggestion_context(image_id), name


def _suggest_in(project: ProjectStore, *, record: ImageRecord, found: list[ImportedBox]) -> StoreView:
    return read_touched(project, project.suggest(record.id, found))


def _remove_all(project: ProjectStore) -> StoreView | None:
    return None if project.read_only else read_touched(project, project.remove_suggestions())


def _apply_if_any(parts: Parts, view: StoreView | None) -> None:
    if view is not None and view.changes.anything:
        apply_widely(parts, view)
