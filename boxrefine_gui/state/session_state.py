"""What the session holds, and the signals that say that it has changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from boxrefine_gui.state.category_choice import CategoryChoice
from boxrefine_gui.state.doing import Activity, ModelsState, Scan
from boxrefine_gui.state.draft import Draft
from boxrefine_gui.state.left_drafts import LeftDrafts
from boxrefine_gui.state.loaded_models import Models
from boxrefine_gui.state.teaching_state import TeachingState
from core.geometry import Box
from core.records import Category, Correction, ImageRecord, RefinerRecord, Step
from core.settings import Settings

if TYPE_CHECKING:
    from core.encoders.image_features import ImageFeatures


@dataclass(frozen=True)
class Readiness:
    """How well the encode lane keeps up: images `ahead` that are prepared; of `shown` ones, how many were in time."""

    ahead: int = 0
    shown: int = 0
    at_hand: int = 0
    ram_bytes: int = 0
    disk_bytes: int = 0


@dataclass(frozen=True)
class CanvasPicture:
    """A decoded picture with halved copies, `levels[k]` being 2**k times smaller, for painting far out."""

    image_id: int
    levels: tuple[QImage, ...]
    stamp: tuple[int, int] = (0, 0)  # the file's size and date when it was read

    @property
    def nbytes(self) -> int:
        return sum(level.sizeInBytes() for level in self.levels)


class SessionState(QObject):
    """All that the session holds and says; the methods that change it are in the classes above this one."""

    project_changed = Signal()  # another project is open
    teaching_changed = Signal()  # the trainer is further, or the project's refiners are others
    changed = Signal(object)  # Changes: the store says that this is different now
    image_changed = Signal()  # another image is open, or none
    picture_changed = Signal()  # the open image's pixels came, or cannot come
    features_changed = Signal()  # the open image's features came or went
    models_changed = Signal()
    drawn_changed = Signal()  # the drawn box, or what it is to be refined with
    released = Signal()  # the hand has let go of the drawn box
    left_changed = Signal(int)  # image id: other drawn boxes wait on it, or another number of them
    accepting = Signal(object)  # the Draft that is about to be accepted as it is in view
    accepted = Signal(object, object)  # a Draft and the Correction that is stored of it
    look_changed = Signal()  # which boxes may still get another answer
    refinement_changed = Signal()  # the answer to it, or what the user made of it
    pending_changed = Signal()  # boxes on their way to the store
    selection_changed = Signal()
    category_changed = Signal()
    settings_changed = Signal()
    activity_changed = Signal()
    problem = Signal(object)  # an Exception, to be sorted by the notices
    told = Signal(str, object)  # a sentence for the user, and its Level

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
        self.undo_steps: tuple[Step | None, Step | None] = (None, None)
        self.problems: dict[int, str] = {}  # image id -> why it cannot be shown
        self.missing: dict[int, str] = {}  # image id -> that its picture is gone from the folder
        self.image: ImageRecord | None = None
        self.left_at: dict[Path, Path] = {}  # project -> the picture that was open last in this window
        self.direction = 1
        self.corrections: tuple[Correction, ...] = ()
        self.picture: CanvasPicture | None = None
        self.features: ImageFeatures | None = None
        self.models: Models | None = None
        self.models_state = ModelsState.NONE_YET
        self.category_id: int | None = None
        self.selected_id: int | None = None
        self.chosen_edge: int | None = None
        self.draft: Draft | None = None
        self.replaced: Draft | None = None  # what was drawn before the one that the hand is drawing
        self.left = LeftDrafts()
        self.taken_back: Draft | None = None  # by undo, for redo
        self.discarded: Draft | None = None  # if that was the last that was done, for undo
        self.looking: frozenset[int] = frozenset()  # numbers of drafts that may still get another answer
        self.looking_stored: frozenset[int] = frozenset()  # ids of accepted boxes that may
        self.waiting: tuple[Draft, ...] = ()  # accepted, but their refinement is still to come
        self.storing: tuple[Correction, ...] = ()  # on their way to the store, not confirmed
        self.moving: dict[int, Box] = {}  # correction id -> where it was moved, not confirmed
        self.keys: dict[str, str] = {}  # action id -> its first key, as people call it
        self.snapping = True  # whether what is drawn is refined at all
        self.activity: Activity | None = None  # of the encode lane
        self.readiness = Readiness()
        self.teaching = TeachingState()
        self.refiners: tuple[RefinerRecord, ...] = ()  # taught by this project, for this encoder
        self.refiner_id: int | None = None  # the one in use, None: the shipped one
        self.scan: Scan | None = None
        self._rows: dict[int, int] = {}
        self._drafts = 0
        self._settled_drafts = 0  # the number of the newest draft that was accepted
        self._choice = CategoryChoice()
