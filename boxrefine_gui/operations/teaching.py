"""Teaching: start and follow the trainer, and use, promote or roll back the project's refiners."""

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
from core.encoders.shipped import shipped_identities
from core.encoders.traits import title_of, traits_of
from core.errors import StorageError
from core.log import JobLog
from core.records import RefinerRecord
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.refiner.protocol import Refiner
    from core.store.project_store import ProjectStore

LEAST_CORRECTIONS = 5
"""Copy of the constant in `core.training.lessons`, which loads torch and is therefore not imported; a test compares."""

NEW_BOXES = 10
"""Accepted boxes since the last training that are enough to teach again without a request of the user."""

_REST_MS = 2_000
"""Teaching starts by itself when the user has not drawn or accepted for this long; its start takes all processors."""

_PAUSE_MS = 400
"""The trainer resumes when the user has not drawn for this long."""


@dataclass(frozen=True)
class _Lineage:
    """A project's refiners, and the one in use for an encoder; `elsewhere` names another one that has one in use."""

    refiners: tuple[RefinerRecord, ...]
    chosen: RefinerRecord | None
    elsewhere: str | None = None


class Teaching:
    """Follows the open project and the trainer; panels read both from the session.

    It does not use LongJob: the teaching panel shows its progress instead of the list of jobs, success is a notice only
    if the refiner changes, and the run continues when another project is opened.
    """

    def __init__(self, parts: Parts, process: TrainerProcess) -> None:
        self._parts = parts
        self._process = process
        self._taught_project: Path | None = None
        self._summary: Mapping[str, Any] = {}
        self._log: JobLog | None = None
        self._rest = timer(_PAUSE_MS, self._resume)
        process.told.connect(self._read_line)
        process.ended.connect(self._finish)
        session = parts.session
        session.project_changed.connect(self._project_changed)
        session.models_changed.connect(self._models_changed)
        session.drawn_changed.connect(self._pause)
        self._idle = timer(_REST_MS, self.start_if_wanted)
        for signal in (session.drawn_changed, session.changed, session.settings_changed):
            signal.connect(self._idle.start)
        self._tried = 0  # accepted boxes of this project when teaching last started by itself
        self._seen: str | None = None
        self._pointed: Path | None = None

    # The trainer

    def start(self, *, by_itself: bool = False) -> None:
        """Teach by the open project's corrections, once all accepted boxes are stored."""
        session = self._parts.session
        if session.teaching.is_running or session.project_path is None:
            return
        if session.models is None:
            session.tell(NO_MODEL_YET)
            return
        boxes = session.accepted_count
        if boxes < LEAST_CORRECTIONS:
            session.tell(
                tr_plural(
                    "This project has {count} accepted box, and teaching needs {needed}: accept some more.",
                    "This project has {count} accepted boxes, and teaching needs {needed}: accept some more.",
                    boxes,
                    needed=LEAST_CORRECTIONS,
                ),
                Level.WARNING,
            )
            return
        how = " by itself" if by_itself else ""  # untranslated: log
        self._log = JobLog(f"teaching by {boxes} boxes of {session.project_path}{how}")  # untranslated: log
        session.set_teaching(TeachingState(is_running=True, by_itself=by_itself, message=tr("starting")))
        self._parts.store.run(lambda project: project.path, on_done=self._start_process, on_error=self._give_up)

    def start_if_wanted(self) -> None:
        """Teach if the settings allow it and there are NEW_BOXES accepted boxes more than at the last attempt."""
        session = self._parts.session
        learned = max((int(_number(record.data.get("boxes"))) for record in session.refiners), default=0)
        learned = max(learned, self._tried)  # an attempt may fail, or leave boxes out
        is_drawing = session.draft is not None and session.draft.is_held
        is_wanted = session.settings.teach_when_idle and session.models is not None and not is_drawing
        if is_wanted and not session.teaching.is_running and session.accepted_count >= learned + NEW_BOXES:
            self._tried = session.accepted_count
            self.start(by_itself=True)

    def cancel(self) -> None:
        """Stop the trainer; the refiner in use stays."""
        if self._parts.session.teaching.is_running:
            self.stop()
            self._parts.session.set_teaching(TeachingState(sentence=tr("Cancelled; the refiner in use stays.")))

    def stop(self) -> None:
        """Stop the trainer's process, if one runs."""
        self._rest.stop()
        self._idle.stop()
        self._process.stop()
        if self._log is not None:
            self._log.cancelled()

    def _start_process(self, project: Path) -> None:
        session = self._parts.session
        if not session.teaching.is_running:
            return  # cancelled meanwhile
        self._taught_project, self._summary = project, {}
        self._process.start(train_command(project, session.settings))

    def _give_up(self, error: Exception) -> None:
        if self._log is not None:
            self._log.failed(error)
        self._parts.session.set_teaching(TeachingState())
        self._parts.session.report(error)

    def _read_line(self, line: dict[str, Any]) -> None:
        session, progress = self._parts.session, line.get("progress")
        if "note" in line:
            session.set_teaching(replace(session.teaching, notes=(*session.teaching.notes, str(line["note"]))))
            return
        if progress is None:
            self._summary = line
            return
        # The time left covers the training steps only; it is unknown during preparation and validation.
        lasting = {name: value for name, value in session.teaching.figures.items() if name != "seconds_left"}
        figures = {**lasting, **progress["figures"]}
        losses, steps = session.teaching.losses, session.teaching.steps
        if "loss" in progress["figures"]:
            losses, steps = (*losses, float(progress["figures"]["loss"])), progress["total"]
        session.set_teaching(
            replace(
                session.teaching,
                message=self._named(progress["message"]),
                done=progress["done"],
                total=progress["total"],
                losses=losses,
                steps=steps,
                figures=figures,
            )
        )

    def _finish(self, code: int, sentence: str) -> None:
        self._rest.stop()
        session, summary = self._parts.session, self._summary
        is_elsewhere = self._is_elsewhere
        if code == 0 and "promoted" in summary:
            figures = {**session.teaching.figures, **{k: v for k, v in summary.items() if isinstance(v, float)}}
            promoted = bool(summary["promoted"])
            if self._log is not None:
                self._log.done(**{name: value for name, value in summary.items() if isinstance(value, int | float)})
            state = replace(session.teaching, is_running=False, figures=figures, promoted=promoted)
            session.set_teaching(
                TeachingState() if is_elsewhere else replace(state, message="", sentence=str(summary["sentence"]))
            )
            if promoted or is_elsewhere:  # refined boxes change from here on, even if the panel is hidden
                session.tell(self._named(str(summary["sentence"])))
            self.refresh()
            return
        why = sentence if code == 2 and sentence else tr("The trainer has ended before its time; try again.")
        session.set_teaching(TeachingState(sentence="" if is_elsewhere else why))
        if self._log is not None:
            self._log.failed(StorageError(why), exit_code=code)
        session.tell(self._named(why), Level.ERROR)

    @property
    def _is_elsewhere(self) -> bool:
        """Whether the trainer works on another project than the open one."""
        return self._taught_project is not None and self._taught_project != self._parts.session.project_path

    def _named(self, sentence: str) -> str:
        """Prefix a sentence with the folder of the taught project, if another project is open."""
        if self._taught_project is None or not self._is_elsewhere:
            return sentence
        return tr("In {folder}: {sentence}", folder=self._taught_project.parent.name, sentence=sentence)

    def _project_changed(self) -> None:
        """Clear the result of another project; a running trainer stays visible."""
        session = self._parts.session
        self._tried = 0
        if not session.teaching.is_running:
            session.set_teaching(TeachingState())
        self.refresh()

    def _pause(self) -> None:
        """Pause the trainer while the user draws, so that refinement has all processors."""
        if self._process.is_running and self._parts.session.draft is not None:
            if not self._rest.isActive():
                self._process.say("pause")
            self._rest.start()

    def _resume(self) -> None:
        self._process.say("resume")

    # The project's refiners

    def refresh(self) -> None:
        """Read the lineage again, and load the refiner that it has chosen."""
        models = self._parts.session.models
        if models is None or self._parts.session.project_path is None:
            return
        encoder = models.encoder_identity

        def job(project: ProjectStore) -> _Lineage:
            chosen = project.chosen_refiner(encoder)
            others = [] if chosen else [name for name, its in shipped_identities().items() if its != encoder]
            taught = [name for name in others if project.chosen_refiner(shipped_identities()[name]) is not None]
            return _Lineage(tuple(project.refiners()), chosen, next(iter(taught), None))

        self._parts.store.read(job, on_done=self._apply)

    def use(self, refiner_id: int | None) -> None:
        """Use an earlier refiner of the project from now on; None stands for the shipped one."""
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

    def _apply(self, lineage: _Lineage) -> None:
        session = self._parts.session
        models = session.models
        if models is None:
            return
        mine = tuple(record for record in lineage.refiners if record.encoder == models.encoder_identity)
        chosen = lineage.chosen
        session.set_refiners(mine, chosen.id if chosen else None)
        self._point_to(lineage.elsewhere, models)
        load = models.load_refiner
        if load is not None and models.refiner_folder != (chosen.folder if chosen else None):
            folder = chosen.folder if chosen else None
            self._parts.encode.run(
                partial(load, folder),
                on_done=partial(self._loaded, models, folder),
                activity=Activity(ActivityKind.LOADING_REFINER),
            )

    def _point_to(self, elsewhere: str | None, models: Models) -> None:
        """Notify the user, once a project, that it was taught on another shipped encoder."""
        session = self._parts.session
        if elsewhere is None or not traits_of(models.encoder_name).shipped or self._pointed == session.project_path:
            return
        self._pointed = session.project_path
        session.tell(
            tr(
                "This project has a refiner that was taught on the encoder {earlier}, and {now} is in use: choose "
                "{earlier} in the menu Model, or teach again.",
                earlier=title_of(elsewhere),
                now=title_of(models.encoder_name),
            )
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
