"""LearningHeads: learns by itself what the user labels, and keeps the project's heads and the one in use."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.inference.head_jobs import LearnedHead, learn_head
from boxrefine_gui.lanes.lane import QueueLane, Ticket
from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.operations.box_verbs import NO_MODEL_YET, Parts
from boxrefine_gui.operations.suggesting import NO_NETWORK, Suggesting
from boxrefine_gui.state.suggesting_state import HeadLearner, Suggester, SuggestingState, SuggestKit, figures_of
from core.errors import KnownError
from core.head_records import HeadRecord, PictureLabels, difference, has_enough, may_replace, numbers_of
from core.log import JobLog
from core.progress import Progress
from core.records import Changes
from core.translation import tr

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

LEAST_IMAGES = 5
"""Images with accepted boxes of one category from which on a head is learned without a request."""

HANDFUL = 5
"""Changes of labels after which a head is learned again; after a step to another image, one is enough."""

GOOD_PRECISION = 0.65
MOST_IMAGES = 300
"""Copies of constants in `core.suggest`, which loads torch and is therefore not imported; a test compares them."""

NOTHING_TO_LEARN = tr("Accept some boxes first: suggestions are learned from accepted boxes.")

_REST_MS = 1_500
"""A head is learned when the user has not drawn or accepted for this long."""

_PAUSE_MS = 300
"""Learning goes on when the user has not drawn for this long."""

_AT_ONCE = 16
"""Images whose labels are read in one request, so that accepting a box never waits for long."""

_Labels = dict[int, PictureLabels]


@dataclass(frozen=True)
class _Lineage:
    """The heads of an encoder, the one in use, and what it has learned, if it is not loaded yet."""

    heads: tuple[HeadRecord, ...]
    used: HeadRecord | None
    weights: bytes


class LearningHeads:
    """Learns on a lane of its own, step by step; a drag holds it."""

    def __init__(self, parts: Parts, lane: QueueLane, suggest_lane: QueueLane, suggesting: Suggesting) -> None:
        """`lane` learns, `suggest_lane` loads stored heads, `suggesting` uses them."""
        self.suggesting = suggesting
        self._parts, self._lane, self._suggest_lane = parts, lane, suggest_lane
        self._subject: tuple[Path, SuggestKit] | None = None
        self._learner: HeadLearner | None = None  # used on its lane only
        self._ticket: Ticket | None = None
        self._log: JobLog | None = None
        self._labels: _Labels = {}  # the last changed ones first
        self._stale: list[int] = []
        self._changes = 0  # of labels, since the last learning
        self._has_moved = self._is_asked = self._was_asked = self._is_first_read = self._is_joined = False
        self._fresh: Suggester | None = None  # learned just now, so it need not be loaded
        self._unread = ""
        self._missing: set[int] = set()  # labelled images that had no features when a head was learned
        self._may_go = threading.Event()
        self._may_go.set()
        self._rest = timer(_REST_MS, self._read_stale)
        self._pause = timer(_PAUSE_MS, self._may_go.set)
        session = parts.session
        session.project_changed.connect(self._follow)
        session.models_changed.connect(self._follow)
        session.changed.connect(self._changed)
        session.image_changed.connect(self._moved)
        session.drawn_changed.connect(self._hold)
        session.settings_changed.connect(self._rest.start)
        session.prepared.connect(self._prepared)

    def stop(self) -> None:
        """Cancel learning; the head in use stays."""
        self._rest.stop()
        self._pause.stop()
        self._cancel()

    def _cancel(self) -> None:
        self._may_go.set()
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None
            if self._log is not None:
                self._log.cancelled()

    def start(self) -> None:
        """Learn now, on request, from however few accepted boxes."""
        session = self._parts.session
        if session.models is None:
            session.tell(NO_MODEL_YET)
        elif session.models.suggest is None:
            session.tell(NO_NETWORK)
        elif session.project_path is not None:
            self._is_asked = True
            self._is_joined = self._was_asked = session.suggesting.is_learning  # what runs may lack the last changes
            self._read_stale()

    def use(self, head_id: int) -> None:
        """Use an earlier head of the project from now on; the newest one goes on learning."""
        session = self._parts.session
        newest = next((head for head in reversed(session.suggesting.heads) if head.promoted), None)
        if self._subject is not None:
            encoder = self._subject[1].identity
            pinned = None if newest is not None and newest.id == head_id else head_id
            self._parts.store.run(
                lambda project: project.pin_head(pinned, encoder=encoder), on_done=lambda _: self._refresh()
            )

    # The labels of the project

    def _follow(self) -> None:
        """Start over for another project or another network."""
        session = self._parts.session
        models, path = session.models, session.project_path
        kit = models.suggest if models is not None else None
        subject = (path, kit) if path is not None and kit is not None else None
        if subject == self._subject:
            return
        self._cancel()
        self._subject, self._learner, self._fresh = subject, None, None
        self._labels, self._stale, self._missing, self._changes = {}, [], set(), 0
        self._is_asked, self._has_moved, self._unread = False, False, ""
        session.set_suggesting(SuggestingState())
        if kit is not None and subject is not None:
            self._learner = kit.learner()
            self._is_first_read = True
            self._refresh()
            self._list_all()

    def _list_all(self) -> None:
        subject = self._subject

        def listed(ids: list[int]) -> None:
            if subject == self._subject:
                self._labels = {id: self._labels[id] for id in ids if id in self._labels}
                self._stale = ids
                self._read_stale()

        self._parts.store.read(lambda project: project.labelled_images(most=MOST_IMAGES), on_done=listed)

    def _changed(self, changes: Changes) -> None:
        if self._subject is None or not (changes.image_ids or changes.marked_ids or changes.categories):
            return
        touched = changes.image_ids | changes.marked_ids
        if len(touched) > MOST_IMAGES or (changes.categories and changes.step is not None):
            self._list_all()
        else:
            self._stale += [id for id in touched if id not in self._stale]
            self._rest.start()

    def _moved(self) -> None:
        self._has_moved = True
        self._rest.start()

    def _prepared(self, image_id: int) -> None:
        """Learn again once images that could not be learned from are prepared."""
        if image_id in self._missing:
            self._missing.discard(image_id)
            self._changes += HANDFUL
            self._rest.start()

    def _hold(self) -> None:
        """Hold learning during a drag, which needs the processor."""
        draft = self._parts.session.draft
        if draft is not None and draft.is_held:
            self._may_go.clear()
            self._pause.start()
        if self._rest.isActive():
            self._rest.start()

    def _read_stale(self) -> None:
        """Read the labels of some images; when all are read, learn if that is due."""
        if self._subject is None:
            return
        some, self._stale = self._stale[:_AT_ONCE], self._stale[_AT_ONCE:]
        if some:
            read = partial(self._take, self._subject)
            self._parts.store.read(lambda project: project.labels_of(some), on_done=read)
        else:
            self._is_first_read = False
            self._learn_if_due()

    def _take(self, subject: tuple[Path, SuggestKit], read: _Labels) -> None:
        if subject != self._subject:
            return
        changed = {id: labels for id, labels in read.items() if self._labels.get(id, PictureLabels(id, ())) != labels}
        self._changes += sum(difference(self._labels.get(id), labels) for id, labels in changed.items())
        kept = {id: labels for id, labels in self._labels.items() if id not in changed}
        first, then = (kept, changed) if self._is_first_read else (changed, kept)
        self._labels = {id: labels for id, labels in {**first, **then}.items() if labels.says_something}
        self._read_stale()

    # Learning

    def _learn_if_due(self) -> None:
        session = self._parts.session
        state, is_asked = session.suggesting, self._is_asked
        is_drawing = session.draft is not None and session.draft.is_held
        if self._learner is None or state.is_learning or is_drawing:
            return
        if is_asked and not any(labels.boxes for labels in self._labels.values()):
            self._is_asked = False
            session.tell(NOTHING_TO_LEARN)
            return
        used = state.used
        if used is not None and used.identity != self._unread and self._has_learned(used):
            self._changes = 0
        if is_asked and self._is_joined and not self._changes:
            self._is_asked = is_asked = False  # the learning that ran meanwhile has answered
        is_due = session.settings.suggest and not (used is not None and used.pinned)
        is_due = is_due and (used is not None or has_enough(self._labels.values(), images=LEAST_IMAGES))
        is_due = is_due and self._changes >= (1 if self._has_moved else HANDFUL)
        if is_asked or is_due:
            self._learn()

    def _has_learned(self, head: HeadRecord) -> bool:
        """Whether a stored head was learned from just these labels."""
        return dict(head.data) == numbers_of(self._labels.values())

    def _learn(self) -> None:
        session, models, learner = self._parts.session, self._parts.session.models, self._learner
        if models is None or models.suggest is None or learner is None or self._subject is None:
            return
        self._was_asked = self._is_asked
        self._changes, self._has_moved, self._is_asked, self._is_joined = 0, False, False, False
        labels = list(self._labels.values())
        rows = {id: session.row_of(id) for id in self._labels}
        paths = {id: session.images[row].path for id, row in rows.items() if row is not None}
        start = partial(learn_head, learner, models.suggest, labels, models.source, paths, self._may_go)
        self._log = JobLog(f"learning a head from {len(labels)} images")  # untranslated: log
        self._ticket = self._lane.run_steps(
            start,
            on_done=partial(self._learned, self._subject, labels),
            on_error=partial(self._failed, self._subject),
            on_progress=self._progressed,
        )
        session.set_suggesting(replace(session.suggesting, is_learning=True, percent=0, sentence=""))

    def _progressed(self, progress: Progress) -> None:
        state = self._parts.session.suggesting
        if state.is_learning and progress.total:
            self._parts.session.set_suggesting(replace(state, percent=100 * progress.done // progress.total))

    def _learned(
        self,
        subject: tuple[Path, SuggestKit],
        labels: Sequence[PictureLabels],
        result: LearnedHead,
    ) -> None:
        if subject != self._subject:
            return
        self._ticket = None
        session = self._parts.session
        state = replace(session.suggesting, is_learning=False)
        data = numbers_of(entry for entry in labels if entry.id not in result.missing)
        if self._log is not None:
            self._log.done(**data)
        self._missing = set(result.missing)
        suggester, weights = result.suggester, result.weights
        if suggester is None:
            session.set_suggesting(replace(state, sentence=tr("Nothing was learned: no image shows an accepted box.")))
            self._read_if_asked()
            return
        used, figures = state.used, figures_of(suggester)
        is_better = used is None or may_replace(figures, used.figures, wanted=GOOD_PRECISION)
        parent = used.identity if used is not None else ""
        record = HeadRecord(suggester.identity, subject[1].identity, parent, is_better, data, figures)
        sentence = "" if is_better else tr("Not better: fewer suggestions would be right, so those in use stay.")
        self._fresh = suggester
        session.set_suggesting(replace(state, sentence=sentence))
        self._parts.store.run(
            lambda project: None if project.read_only else project.add_head(record, weights),
            on_done=lambda _: self._refresh(),
            on_error=partial(self._failed, subject),
        )

    def _failed(self, subject: tuple[Path, SuggestKit], error: Exception) -> None:
        if subject != self._subject:
            return
        self._ticket = None
        if self._log is not None:
            self._log.failed(error)
        self._is_asked = False
        session = self._parts.session
        session.set_suggesting(replace(session.suggesting, is_learning=False))
        session.report(error)

    # The heads of the project

    def _refresh(self) -> None:
        """Read the lineage again, and load the head in use."""
        session = self._parts.session
        if self._subject is None:
            return
        kit = self._subject[1]
        encoder = kit.identity
        known = {entry.identity for entry in (session.suggesting.suggester, self._fresh) if entry is not None}

        def job(project: ProjectStore) -> _Lineage:
            from core.store.head_log import head_in_use

            heads = project.heads(encoder)
            used = head_in_use(heads)
            weights = project.head_weights(used.id) if used is not None and used.identity not in known else b""
            return _Lineage(tuple(heads), used, weights)

        self._parts.store.read(job, on_done=partial(self._apply, kit))

    def _apply(self, kit: SuggestKit, lineage: _Lineage) -> None:
        if self._subject is None or self._subject[1] is not kit:
            return
        session, used = self._parts.session, lineage.used
        state = replace(session.suggesting, heads=lineage.heads, head_id=used.id if used is not None else None)
        held = [entry for entry in (state.suggester, self._fresh) if entry is not None]
        loaded = next((entry for entry in held if used is not None and entry.identity == used.identity), None)
        self._fresh = None
        session.set_suggesting(replace(state, suggester=loaded))
        if loaded is not None and self._was_asked:
            self._was_asked = False
            self.suggesting.again()
        if loaded is None and used is not None:
            self._suggest_lane.run(
                partial(kit.unpack, lineage.weights),
                on_done=partial(self._loaded, kit, used),
                on_error=partial(self._cannot_load, used),
            )
        elif used is not None:
            self._rest.start()
        else:
            self._read_if_asked()

    def _read_if_asked(self) -> None:
        """Go on with a request that came while another learning ran."""
        if self._is_asked:
            self._rest.start()

    def _loaded(self, kit: SuggestKit, record: HeadRecord, suggester: Suggester) -> None:
        session = self._parts.session
        if self._subject is not None and self._subject[1] is kit and session.suggesting.head_id == record.id:
            session.set_suggesting(replace(session.suggesting, suggester=suggester))

    def _cannot_load(self, record: HeadRecord, error: Exception) -> None:
        """Report once why a stored head cannot be used; another one is learned then."""
        if record.identity != self._unread or not isinstance(error, KnownError):
            self._unread = record.identity
            self._parts.session.report(error)
        self._changes = max(self._changes, HANDFUL)
        self._rest.start()
