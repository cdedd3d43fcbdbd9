"""Session: what is open, drawn and refined now, and signals that say so; it decides nothing.

Only the GUI thread touches it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.state.doing import Activity, ModelsState, Scan
from boxrefine_gui.state.level import Level
from boxrefine_gui.state.loaded_models import Models
from boxrefine_gui.state.project_view import OpenedProject, StoreView
from boxrefine_gui.state.session_drafts import SessionDrafts
from boxrefine_gui.state.session_state import CanvasPicture, Readiness
from boxrefine_gui.state.teaching_state import TeachingState
from core.geometry import Box
from core.records import Changes, Correction, ImageRecord, RefinerRecord
from core.settings import Settings

if TYPE_CHECKING:
    from core.encoders.image_features import ImageFeatures


class Session(SessionDrafts):
    """The state of the window, in one place; panels listen to its signals and keep no copies."""

    # What is open

    def open_project(self, opened: OpenedProject, folder: Path | None) -> None:
        """Start afresh with another project."""
        self.project_path, self.folder = opened.path, folder
        self.images, self.problems, self.missing = (), {}, {}
        self.left.forget()
        self.waiting = ()
        self._choice.forget()
        self.category_id = None
        self.set_image(None)
        self.apply(opened.view)
        self.set_refiners((), None)
        self.project_changed.emit()

    def apply(self, view: StoreView) -> None:
        """Take over what the store says, and say so once."""
        if view.changes.step is not None:
            self.discarded = None  # something else is the last that was done
        self.undo_steps = view.undo_steps
        if view.images is not None:
            self._set_images(view.images)
        if view.categories is not None:
            self.categories = view.categories
            self.category_id = self._choice.among([category.id for category in self.categories], now=self.category_id)
        if view.tallies is not None:
            self.counts, self.to_check = dict(view.tallies.boxes), dict(view.tallies.to_check)
            self.unaccepted = dict(view.tallies.unaccepted)
            self.left.set_counts(view.tallies.drawn)
        for image_id, drawn in view.drawn.items():
            self._put_away_settled(image_id, {box.key for box in drawn})
            self.left.take_over(image_id, drawn, known=[draft.key for draft in self._in_hand(image_id)])
        for image_id, corrections in view.corrections.items():
            self.counts[image_id] = len(corrections)
            to_check = sum(not correction.confirmed for correction in corrections)
            self.to_check.pop(image_id, None)
            self.to_check |= {image_id: to_check} if to_check else {}
            self.unaccepted[image_id] = sum(not correction.was_accepted for correction in corrections)
            if self.image is not None and image_id == self.image.id:
                self.corrections = corrections
        if self.selected_id is not None and self.selected is None:
            self.select(None)
        self.changed.emit(view.changes)

    def _set_images(self, stored: tuple[ImageRecord, ...]) -> None:
        unreadable = tuple(record for record in self.images if record.id < 0)
        if unreadable:  # looking at 100,000 paths would be felt
            known = {record.path for record in stored}
            unreadable = tuple(record for record in unreadable if record.path not in known)
        self.images = stored + unreadable
        self._rows = {record.id: row for row, record in enumerate(self.images)}

    def add_unreadable(self, sentences: dict[Path, str]) -> None:
        """Show pictures that cannot be read at the end of the list; they are not part of the project."""
        held = {record.path: record.id for record in self.images if record.id < 0}
        last = min(held.values(), default=0)
        new = [path for path in sentences if path not in held]
        records = tuple(ImageRecord(last - 1 - place, path, 0, 0) for place, path in enumerate(new))
        self.images += records
        self._rows = {record.id: row for row, record in enumerate(self.images)}
        ids = held | {record.path: record.id for record in records}
        self.problems |= {ids[path]: sentence for path, sentence in sentences.items()}
        self.changed.emit(Changes(images=True))

    def drop_unreadable(self, paths: frozenset[Path]) -> None:
        """Pictures that could not be read and are gone now leave nothing behind."""
        self.images = tuple(record for record in self.images if record.id > 0 or record.path not in paths)
        self._rows = {record.id: row for row, record in enumerate(self.images)}
        self.changed.emit(Changes(images=True))

    def set_missing(self, missing: dict[int, str]) -> None:
        """Which pictures of the project are gone from the folder; the others of them are back."""
        for image_id in self.missing.keys() - missing.keys():
            self.problems.pop(image_id, None)
        self.missing = missing
        self.problems |= missing
        self.changed.emit(Changes(images=True))

    @property
    def accepted_count(self) -> int:
        """How many boxes of the project somebody has said yes to."""
        return sum(self.counts.values()) - sum(self.to_check.values())

    def row_of(self, image_id: int) -> int | None:
        """Where an image stands in the list."""
        return self._rows.get(image_id)

    @property
    def row(self) -> int | None:
        """Where the open image stands in the list."""
        return self._rows.get(self.image.id) if self.image is not None else None

    def set_image(self, record: ImageRecord | None) -> None:
        """Open another image: what belonged to the one before is put away."""
        self.image = record
        if record is not None and record.id > 0:
            self.problems.pop(record.id, None)  # a drive may be back by now, a file replaced
            if self.project_path is not None:
                self.left_at[self.project_path] = record.path
        self.corrections, self.picture, self.features = (), None, None
        self.draft, self.replaced, self.selected_id, self.chosen_edge = None, None, None, None
        self.taken_back, self.discarded = None, None
        self.image_changed.emit()
        self.drawn_changed.emit()
        self.selection_changed.emit()

    def set_picture(self, picture: CanvasPicture) -> None:
        """The open image's pixels have been decoded."""
        self.picture = picture
        self.picture_changed.emit()

    def set_problem(self, image_id: int, sentence: str) -> None:
        """An image turned out to be unreadable."""
        self.problems[image_id] = self.missing.get(image_id, sentence)
        self.changed.emit(Changes(image_ids=frozenset({image_id})))
        self.picture_changed.emit()

    def set_features(self, features: ImageFeatures | None) -> None:
        """The open image's features came or went."""
        self.features = features
        self.features_changed.emit()

    def set_models(self, models: Models | None, state: ModelsState = ModelsState.READY) -> None:
        """The models have been loaded, or `state` says why there are none."""
        if models is None or self.models is None or models.encoder_identity != self.models.encoder_identity:
            self.features = None  # another encoder's features mean nothing to this refiner
        self.models, self.models_state = models, state
        self.models_changed.emit()

    # What is chosen

    @property
    def selected(self) -> Correction | None:
        """The selected box of the open image."""
        return next((entry for entry in self.corrections if entry.id == self.selected_id), None)

    def box_of(self, correction: Correction) -> Box:
        """Where a stored box is, or was just moved."""
        return self.moving.get(correction.id, correction.accepted)

    def choose_edge(self, edge: int | None) -> None:
        """The edge that Ctrl+arrows move: 0 left, 1 top, 2 right, 3 bottom."""
        self.chosen_edge = edge
        self.selection_changed.emit()

    def choose_category(self, category_id: int, *, while_gone: int | None = None) -> None:
        """What the drawn box and the next ones are labelled as; `while_gone`: until that category comes back."""
        if while_gone is None:
            self._choice.choose(category_id)
        else:
            self._choice.choose_while_gone(category_id, while_gone)
        self.category_id = category_id
        if self.draft is not None and self.draft.again is None:
            self.draft = replace(self.draft, category_id=category_id)
        self.category_changed.emit()

    def set_settings(self, settings: Settings) -> None:
        """Other choices of the user."""
        self.settings = settings
        self.settings_changed.emit()

    def remember(self, settings: Settings) -> None:
        """The same choices with what the window is like, which nobody has to follow: it is so already."""
        self.settings = settings

    def set_activity(self, activity: Activity | None) -> None:
        """What the encode lane is doing, None: nothing."""
        self.activity = activity
        self.activity_changed.emit()

    def set_readiness(self, readiness: Readiness) -> None:
        """How well the encode lane keeps up, for the status bar."""
        if readiness != self.readiness:
            self.readiness = readiness
            self.activity_changed.emit()

    def set_teaching(self, state: TeachingState) -> None:
        """How far the trainer is."""
        self.teaching = state
        self.teaching_changed.emit()

    def set_refiners(self, refiners: tuple[RefinerRecord, ...], chosen: int | None) -> None:
        """The refiners that the project has taught, and the one in use."""
        self.refiners, self.refiner_id = refiners, chosen
        self.teaching_changed.emit()

    def set_scan(self, scan: Scan | None) -> None:
        """What is being opened, read or imported, None: nothing."""
        self.scan = scan
        self.activity_changed.emit()

    def set_keys(self, keys: dict[str, str]) -> None:
        """Which keys the actions have, for the hints."""
        self.keys = keys
        self.selection_changed.emit()

    def set_snapping(self, snapping: bool) -> None:
        """Whether what is drawn is refined."""
        self.snapping = snapping
        self.settings_changed.emit()

    def report(self, error: Exception) -> None:
        """Tell the user of an error; the notices sort it."""
        self.problem.emit(error)

    def tell(self, sentence: str, level: Level = Level.INFO) -> None:
        """Tell the user something."""
        self.told.emit(sentence, level)
