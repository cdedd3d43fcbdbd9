"""Teaching: the trainer started and followed, and the project's refiners used, promoted or rolled back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.lanes.trainer_process import TrainerProcess, train_command
from boxrefine_gui.operations.box_verbs import NO_MODEL_YET, Parts
from boxrefine_gui.state.doing import Activity, ActivityKind
from boxrefine_gui.state.level import Level
from boxrefine_gui.state.loaded_models import Models
from boxrefine_gui.state.teaching_state import TeachingState
from core.errors import StorageError
from core.log import JobLog
from core.records import RefinerRecord

if TYPE_CHECKING:
    from core.refiner.protocol import Refiner
    from core.store.project_store import ProjectStore

LEAST_CORRECTIONS = 5
"""As core.training.lessons has it, which cannot be asked here because it brings torch; a test compares the two."""

NEW_BOXES = 20
"""So many boxes more than were learned from last time are enough to teach again when nobody asks for it."""

_IDLE_MS = 60_000
_HAND_RESTS_MS = 400
"""The trainer goes on when the hand has rested for so long."""


@dataclass(frozen=True)
class _Lineage:
    """A project's refiners, and the one in use for an encoder."""

    refiners: tuple[RefinerRecord, ...]
    chosen: RefinerRecord | None


class Teaching:
    """Follows the open project and the trainer; panels see both through the session."""

    def __init__(self, parts: Parts, process: TrainerProcess) -> None:
        self._parts = parts
        self._process = process
        self._taught_project: Path | None = None
        self._summary: Mapping[str, Any] = {}
        self._log: JobLog | None = None
        self._rest = timer(_HAND_RESTS_MS, self._go_on)
        process.told.connect(self._told)
        process.ended.connect(self._ended)
        session = parts.session
        session.project_changed.connect(self._project_changed)
        session.models_changed.connect(self._models_changed)
        session.drawn_changed.connect(self._make_room)
        self._idle = timer(_IDLE_MS, self.start_if_wanted)
        for signal in (session.drawn_changed, session.changed, session.settings_changed):
            signal.connect(self._idle.start)
        self._seen: str | None = None

    # The trainer

    def start(self, *, by_itself: bool = False) -> None:
        """Teach by the open project's corrections, once all that was accepted is stored."""
        session = self._parts.session
        if session.teaching.is_running or session.project_path is None:
            return
        if session.models is None:
            session.tell(NO_MODEL_YET)
            return
        boxes = session.accepted_count
        if boxes < LEAST_CORRECTIONS:
            session.tell(
                f"This project has {boxes} accepted {'box' if boxes == 1 else 'boxes'}, and teaching needs "
                f"{LEAST_CORRECTIONS}: accept some more.",
                Level.WARNING,
            )
            return
        self._log = JobLog(f"teaching by {boxes} boxes of {session.project_path}{' by itself' if by_itself else ''}")
        session.set_teaching(TeachingState(is_running=True, by_itself=by_itself, message="starting"))
        self._parts.store.run(lambda project: project.path, on_done=self._stored, on_error=self._not_stored)

    def start_if_wanted(self) -> None:
        """When the hand has rested for a minute: teach, if the user wants that and there is enough to learn."""
        session = self._parts.session
        learned = max((int(_number(record.data.get("boxes"))) for record in session.refiners), default=0)
        is_drawing = session.draft is not None and session.draft.is_held  # a drawn box that waits for a yes is no work
        is_wanted = session.settings.teach_when_idle and session.models is not None and not is_drawing
        if is_wanted and session.accepted_count >= max(learned + NEW_BOXES, LEAST_CORRECTIONS):
            self.start(by_itself=True)

    def cancel(self) -> None:
        """Stop the trainer; the refiner in use stays."""
        if self._parts.session.teaching.is_running:
            self.stop()
            self._parts.session.set_teaching(TeachingState(sentence="Cancelled; the refiner in use stays."))

    def stop(self) -> None:
        """End the trainer's process, if there is one."""
        self._rest.stop()
        self._idle.stop()
        self._process.stop()
        if self._log is not None:
            self._log.cancelled()

    def _stored(self, project: Path) -> None:
        session = self._parts.session
        if not session.teaching.is_running:
            return  # cancelled meanwhile
        self._taught_project, self._summary = project, {}
        self._process.start(train_command(project, session.settings))

    def _not_stored(self, error: Exception) -> None:
        if self._log is not None:
            self._log.failed(error)
        self._parts.session.set_teaching(TeachingState())
        self._parts.session.report(error)

    def _told(self, line: dict[str, Any]) -> None:
        session, progress = self._parts.session, line.get("progress")
        if "note" in line:
            session.set_teaching(replace(session.teaching, notes=(*session.teaching.notes, str(line["note"]))))
            return
        if progress is None:
            self._summary = line
            return
        # The time left is that of the steps: while it prepares pictures, and while it judges, it knows none.
        lasting = {name: value for name, value in session.teaching.figures.items() if name != "seconds_left"}
        figures = {**lasting, **progress["figures"]}
        losses, steps = session.teaching.losses, session.teaching.steps
        if "loss" in progress["figures"]:
            losses, steps = (*losses, float(progress["figures"]["loss"])), progress["total"]
        session.set_teaching(
            replace(
                session.teaching,
                message=self._elsewhere() + progress["message"],
                done=progress["done"],
                total=progress["total"],
                losses=losses,
                steps=steps,
                figures=figures,
            )
        )

    def _ended(self, code: int, sentence: str) -> None:
        self._rest.stop()
        session, summary = self._parts.session, self._summary
        where = self._elsewhere()
        if code == 0 and "promoted" in summary:
            figures = {**session.teaching.figures, **{k: v for k, v in summary.items() if isinstance(v, float)}}
            promoted = bool(summary["promoted"])
            if self._log is not None:
                self._log.done(**{name: value for name, value in summary.items() if isinstance(value, int | float)})
            state = replace(session.teaching, is_running=False, figures=figures, promoted=promoted)
            session.set_teaching(
                TeachingState() if where else replace(state, message="", sentence=str(summary["sentence"]))
            )
            if promoted or where:  # the hand will meet other boxes from here on, be the panel in view or not
                session.tell(f"{where}{summary['sentence']}")
            self.refresh()
            return
        told = sentence if code == 2 and sentence else "The trainer has ended before its time; try again."
        session.set_teaching(TeachingState(sentence="" if where else told))
        if self._log is not None:
            self._log.failed(StorageError(told), exit_code=code)
        session.tell(f"{where}{told}", Level.ERROR)

    def _elsewhere(self) -> str:
        """What to begin with where another project is open than the one that is taught; else nothing."""
        taught = self._taught_project
        is_here = taught is None or taught == self._parts.session.project_path
        return "" if taught is None or is_here else f"In {taught.parent.name}: "

    def _project_changed(self) -> None:
        """What came of teaching in one project is no news in another; what goes on there says so."""
        session = self._parts.session
        if not session.teaching.is_running:
            session.set_teaching(TeachingState())
        self.refresh()

    def _make_room(self) -> None:
        """A hand that draws has the machine to itself."""
        if self._process.is_running and self._parts.session.draft is not None:
            if not self._rest.isActive():
                self._process.say("pause")
            self._rest.start()

    def _go_on(self) -> None:
        self._process.say("resume")

    # The project's refiners

    def refresh(self) -> None:
        """Read the lineage again, and use the refiner that it says."""
        models = self._parts.session.models
        if models is None or self._parts.session.project_path is None:
            return
        encoder = models.encoder_identity

        def job(project: ProjectStore) -> _Lineage:
            return _Lineage(tuple(project.refiners()), project.chosen_refiner(encoder))

        self._parts.store.read(job, on_done=self._read)

    def use(self, refiner_id: int | None) -> None:
        """Use an earlier refiner of the project from now on, None: the shipped one."""
        models = self._parts.session.models
        if models is None:
            return
        encoder = models.encoder_identity
        self._parts.store.run(
            lambda project: project.choose_refiner(refiner_id, encoder=encoder), on_done=lambda _: self.refresh()
        )

    def _models_changed(self) -> None:
        models = self._parts.session.models
        identity = models.encoder_identity if models is not None else None
        if identity != self._seen:
            self._seen = identity
            self.refresh()

    def _read(self, lineage: _Lineage) -> None:
        session = self._parts.session
        models = session.models
        if models is None:
            return
        mine = tuple(record for record in lineage.refiners if record.encoder == models.encoder_identity)
        chosen = lineage.chosen
        session.set_refiners(mine, chosen.id if chosen else None)
        load = models.load_refiner
        if load is not None and models.refiner_folder != (chosen.folder if chosen else None):
            folder = chosen.folder if chosen else None
            self._parts.encode.run(
                partial(load, folder),
                on_done=partial(self._loaded, models, folder),
                activity=Activity(ActivityKind.LOADING_REFINER),
            )

    def _loaded(self, models: Models, folder: Path | None, refiner: Refiner) -> None:
        session = self._parts.session
        if session.models is models:
            session.set_models(
                replace(
                    models,
                    refiner=refiner,
                    refiner_name=refiner.name,
                    refiner_identity=refiner.identity,
                    refiner_folder=folder,
                )
            )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
