"""Session: what is open, drawn and refined now, and signals that say so; it decides nothing.

Only the GUI thread touches it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from boxrefine_gui.loaded_models import Models
from boxrefine_gui.store_lane import OpenedProject, StoreView
from boxrefine_gui.teaching_state import TeachingState
from core.geometry import Box
from core.records import Category, Changes, Correction, ImageRecord, Refinement, RefinerRecord
from core.settings import Settings

if TYPE_CHECKING:
    from core.encoders.image_features import ImageFeatures
    from core.refiner.refine import Refiner


@dataclass(frozen=True)
class Readiness:
    """How well the encode lane keeps up: images `ahead` that are prepared; of `shown` ones, how many were in time."""

    ahead: int = 0
    shown: int = 0
    at_hand: int = 0
    ram_bytes: int = 0
    disk_bytes: int = 0


@dataclass(frozen=True)
class Draft:
    """A drawn box that is not stored yet.

    `pressed_at` is time.monotonic() in seconds. `plain`: the user wants no refinement. `is_current`: the refinement
    answers this very drawn box and not one a moment ago. `nudged` is what the user made of the refinement by hand.
    `again` is the stored correction whose accepted box is being refined once more.
    """

    number: int
    image_id: int
    drawn: Box
    pressed_at: float
    plain: bool = False
    refinement: Refinement | None = None
    is_current: bool = False
    nudged: Box | None = None
    again: Correction | None = None

    @property
    def box(self) -> Box:
        """What would be accepted now."""
        if self.nudged is not None:
            return self.nudged
        return self.refinement.box if self.refinement is not None and not self.plain else self.drawn


@dataclass(frozen=True)
class CanvasPicture:
    """A decoded picture with halved copies, `levels[k]` being 2**k times smaller, for painting far out."""

    image_id: int
    levels: tuple[QImage, ...]
    stamp: tuple[int, int] = (0, 0)  # the file's size and date when it was read

    @property
    def nbytes(self) -> int:
        return sum(level.sizeInBytes() for level in self.levels)


class Session(QObject):
    """The state of the window, in one place; panels listen to its signals and keep no copies."""

    project_changed = Signal()  # another project is open
    teaching_changed = Signal()  # the trainer is further, or the project's refiners are others
    changed = Signal(object)  # Changes: the store says that this is different now
    image_changed = Signal()  # another image is open, or none
    picture_changed = Signal()  # the open image's pixels came, or cannot come
    features_changed = Signal()  # the open image's features came or went
    models_changed = Signal()
    drawn_changed = Signal()  # the drawn box, or what it is to be refined with
    refinement_changed = Signal()  # the answer to it, or what the user made of it
    pending_changed = Signal()  # boxes on their way to the store
    selection_changed = Signal()
    category_changed = Signal()
    settings_changed = Signal()
    activity_changed = Signal()
    problem = Signal(object)  # an Exception, to be sorted by the notices
    told = Signal(str)  # a sentence for the user

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.project_path: Path | None = None
        self.folder: Path | None = None
        self.images: tuple[ImageRecord, ...] = ()
        self.categories: tuple[Category, ...] = ()
        self.counts: dict[int, int] = {}  # image id -> boxes
        self.to_check: dict[int, int] = {}  # image id -> those of them that nobody has said yes to, if any
        self.unaccepted: dict[int, int] = {}  # image id -> those that nobody has ever said yes to, if any
        self.undo_titles: tuple[str | None, str | None] = (None, None)
        self.problems: dict[int, str] = {}  # image id -> why it cannot be shown
        self.missing: dict[int, str] = {}  # image id -> that its picture is gone from the folder
        self.image: ImageRecord | None = None
        self.left_at: dict[Path | None, int] = {}  # project -> the image that was open last, as long as the window is
        self.direction = 1
        self.corrections: tuple[Correction, ...] = ()
        self.picture: CanvasPicture | None = None
        self.features: ImageFeatures | None = None
        self.models: Models | None = None
        self.models_note = ""
        self.category_id: int | None = None
        self.selected_id: int | None = None
        self.chosen_edge: int | None = None
        self.draft: Draft | None = None
        self.replaced: Draft | None = None  # what was drawn before it and not accepted
        self.waiting: tuple[Draft, ...] = ()  # accepted, but their refinement is still to come
        self.storing: tuple[Correction, ...] = ()  # on their way to the store, not confirmed
        self.moving: dict[int, Box] = {}  # correction id -> where it was moved, not confirmed
        self.returned: list[Draft] = []  # could not be stored, or were left, and wait for a free canvas
        self.keys: dict[str, str] = {}  # action id -> its first key, as people call it
        self.snapping = True  # whether what is drawn is refined at all
        self.activity = ""
        self.readiness = Readiness()
        self.teaching = TeachingState()
        self.refiners: tuple[RefinerRecord, ...] = ()  # taught by this project, for this encoder
        self.refiner_id: int | None = None  # the one in use, None: the shipped one
        self.scan = ""
        self._rows: dict[int, int] = {}
        self._drafts = 0

    # What is open

    def open_project(self, opened: OpenedProject, folder: Path | None) -> None:
        """Start afresh with another project."""
        self.project_path, self.folder = opened.path, folder
        self.images, self.problems, self.missing = (), {}, {}
        self.returned.clear()
        self.category_id = None
        self.set_image(None)
        self.apply(opened.view)
        self.set_refiners((), None)
        self.project_changed.emit()

    def apply(self, view: StoreView) -> None:
        """Take over what the store says, and say so once."""
        self.undo_titles = view.undo_titles
        if view.images is not None:
            self._set_images(view.images)
        if view.categories is not None:
            self.categories = view.categories
            if self.category_id not in {category.id for category in self.categories}:
                self.category_id = self.categories[0].id if self.categories else None
        if view.tallies is not None:
            self.counts, self.to_check = dict(view.tallies.boxes), dict(view.tallies.to_check)
            self.unaccepted = dict(view.tallies.unaccepted)
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
            self.left_at[self.project_path] = record.id
        self.corrections, self.picture, self.features = (), None, None
        self.draft, self.replaced, self.selected_id, self.chosen_edge = None, None, None, None
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

    def set_models(self, models: Models | None, note: str = "") -> None:
        """The models have been loaded, or `note` says why there are none."""
        if models is None or self.models is None or models.encoder_identity != self.models.encoder_identity:
            self.features = None  # another encoder's features mean nothing to this refiner
        self.models, self.models_note = models, note
        self.models_changed.emit()

    # What is drawn

    def start_draft(
        self, drawn: Box, *, pressed_at: float, plain: bool = False, again: Correction | None = None
    ) -> None:
        """A new drawn box on the open image."""
        if self.image is None:
            return
        self._drafts += 1
        self.replaced = self.draft if self.draft is not None and self.draft.again is None else None
        self.draft = Draft(self._drafts, self.image.id, drawn, pressed_at, plain, again=again)
        self.drawn_changed.emit()

    def set_drawn(self, drawn: Box, *, plain: bool) -> None:
        """The drawn box while it is dragged; its last refinement stays in view until a newer one comes."""
        if self.draft is not None:
            self.draft = replace(self.draft, drawn=drawn, plain=plain, is_current=False, nudged=None)
            self.drawn_changed.emit()

    def set_refinement(self, refinement: Refinement, *, is_current: bool) -> None:
        """The answer to the drawn box, or (not `is_current`) to what it was a moment ago."""
        if self.draft is not None:
            self.draft = replace(self.draft, refinement=refinement, is_current=is_current)
            self.refinement_changed.emit()

    def set_nudged(self, box: Box) -> None:
        """The draft as the user changed it by hand."""
        if self.draft is not None:
            self.draft = replace(self.draft, nudged=box)
            self.refinement_changed.emit()

    def take_draft(self) -> Draft | None:
        """The draft, which is then no longer on the canvas."""
        draft, self.draft, self.replaced = self.draft, None, None
        self.drawn_changed.emit()
        return draft

    def put_back(self, draft: Draft) -> None:
        """A draft that could not be stored, or was left for another, is on the canvas again."""
        self.draft, self.replaced = draft, None
        self.drawn_changed.emit()

    def set_pending(
        self,
        *,
        waiting: tuple[Draft, ...] | None = None,
        storing: tuple[Correction, ...] | None = None,
        moving: dict[int, Box] | None = None,
    ) -> None:
        """Boxes on their way to the store."""
        self.waiting = self.waiting if waiting is None else waiting
        self.storing = self.storing if storing is None else storing
        self.moving = self.moving if moving is None else moving
        self.pending_changed.emit()

    # What is chosen

    @property
    def selected(self) -> Correction | None:
        """The selected box of the open image."""
        return next((entry for entry in self.corrections if entry.id == self.selected_id), None)

    def box_of(self, correction: Correction) -> Box:
        """Where a stored box is, or was just moved."""
        return self.moving.get(correction.id, correction.accepted)

    def select(self, correction_id: int | None) -> None:
        """Select a box of the open image, or none."""
        self.selected_id, self.chosen_edge = correction_id, None
        self.selection_changed.emit()

    def choose_edge(self, edge: int | None) -> None:
        """The edge that Ctrl+arrows move: 0 left, 1 top, 2 right, 3 bottom."""
        self.chosen_edge = edge
        self.selection_changed.emit()

    def choose_category(self, category_id: int) -> None:
        """What the next boxes are labelled as."""
        self.category_id = category_id
        self.category_changed.emit()

    def set_settings(self, settings: Settings) -> None:
        """Other choices of the user."""
        self.settings = settings
        self.settings_changed.emit()

    def remember(self, settings: Settings) -> None:
        """The same choices with what the window is like, which nobody has to follow: it is so already."""
        self.settings = settings

    def set_activity(self, activity: str) -> None:
        """What the encode lane is doing, for the status bar."""
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

    def refiner_for(self, draft: Draft) -> Refiner | None:
        """The refiner to ask about a drawn box: a taught one minds the category."""
        if self.models is None:
            return None
        wanted = draft.again.category_id if draft.again is not None else self.category_id
        name = next((category.name for category in self.categories if category.id == wanted), None)
        return self.models.for_category(self.models.refiner, name)

    def set_scan(self, scan: str) -> None:
        """How far the reading of a folder is, for the status bar."""
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

    def tell(self, sentence: str) -> None:
        """Tell the user something."""
        self.told.emit(sentence)
