"""SessionState: the attributes of the session, and the signals for their changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QImage

from boxrefine_gui.state.category_choice import CategoryChoice
from boxrefine_gui.state.category_sight import CategorySight
from boxrefine_gui.state.doing import Activity, ModelsState, Scan
from boxrefine_gui.state.draft import Draft
from boxrefine_gui.state.folder_tally import FolderTally
from boxrefine_gui.state.left_drafts import LeftDrafts
from boxrefine_gui.state.listed import Listed
from boxrefine_gui.state.loaded_models import Models
from boxrefine_gui.state.suggesting_state import SuggestingState
from boxrefine_gui.state.teaching_state import TeachingState
from core.geometry import Box
from core.image_folders import ImageFolders
from core.listing import Query
from core.records import Category, Correction, ImageRecord, RefinerRecord, Step
from core.reviews import Review
from core.settings import Settings
from core.tones import AS_IT_IS, Tones

if TYPE_CHECKING:
    from core.encoders.image_features import ImageFeatures
    from core.refiner.margins import Margin


@dataclass(frozen=True)
class Readiness:
    """How well the encode lane keeps up with the user.

    `ahead` is the number of prepared images in the direction of travel. Of the `shown` images, `at_hand` had features
    in time. `ram_bytes` and `disk_bytes` are the sizes of the cache.
    """

    ahead: int = 0
    shown: int = 0
    at_hand: int = 0
    ram_bytes: int = 0
    disk_bytes: int = 0


class PictureTiles(Protocol):
    """The finer levels of a large picture, in square tiles of `side` pixels that come later when they are asked for."""

    side: int
    version: int  # another one after each tile that has come

    def tile(self, level: int, column: int, row: int) -> QImage | None: ...
    def forget_wishes(self) -> None: ...
    def in_tones(self, tones: Tones) -> PictureTiles: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class CanvasPicture:
    """A decoded picture with smaller copies for painting it zoomed out: `levels[k]` is 2**(finer + k) times smaller.

    Of a large picture, the `finer` levels are in tiles, and `whole` is the size of the finest one.
    """

    image_id: int
    levels: tuple[QImage, ...]
    stamp: tuple[int, int] = (0, 0)  # the file's size and modification time when it was read
    finer: int = 0
    whole: QSize | None = None
    tiles: PictureTiles | None = None

    @property
    def size(self) -> QSize:
        """In pixels."""
        return self.whole if self.whole is not None else self.levels[0].size()

    @property
    def nbytes(self) -> int:
        return sum(level.sizeInBytes() for level in self.levels)


class SessionState(QObject):
    """Attributes and signals of the session; the subclasses SessionDrafts and Session have the methods."""

    project_changed = Signal()  # another project is open
    teaching_changed = Signal()  # progress or result of the trainer, or the project's refiners
    changed = Signal(object)  # Changes: these parts of the project
    image_changed = Signal()  # another image is open, or none
    picture_changed = Signal()  # the open image's pixels were decoded, or cannot be
    tiles_changed = Signal()  # a part of the open picture has come, of one that is read in parts
    tones_changed = Signal()  # brightness, contrast and the like of what the canvas shows
    toned_changed = Signal()  # the copy of the open picture in these tones
    features_changed = Signal()  # the open image's features were set or cleared
    models_changed = Signal()
    drawn_changed = Signal()  # the drawn box, or whether it is to be refined
    released = Signal()  # the drag of the drawn box has ended
    left_changed = Signal(int)  # image id: the drawn boxes that wait on it
    accepting = Signal(object)  # Draft: it is about to be accepted as it is shown
    accepted = Signal(object, object)  # Draft, Correction: the draft was stored as this correction
    look_changed = Signal()  # which boxes may still get another refinement
    refinement_changed = Signal()  # the refinement of the drawn box, or its edited form
    candidates_changed = Signal()  # the candidates of the drawn box
    pending_changed = Signal()  # the boxes that are being stored
    selection_changed = Signal()
    category_changed = Signal()
    sight_changed = Signal()  # which categories are hidden, locked, or shown alone
    settings_changed = Signal()
    suggesting_changed = Signal()  # the heads, the one in use, or the progress of learning
    prepared = Signal(int)  # image id: its features are in the cache
    folders_changed = Signal()  # the folders of the images
    query_changed = Signal()  # which images are listed, or in which order
    margins_changed = Signal()  # the margins learned from accepted boxes
    activity_changed = Signal()
    second_project = Signal(object)  # SecondProject: a question to the user
    problem = Signal(object)  # an Exception to show
    told = Signal(str, object)  # a sentence for the user, and its Level

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self._have_no_folder()
        self.images: tuple[ImageRecord, ...] = ()
        self._have_no_categories()
        self.counts: dict[int, int] = {}  # image id -> boxes
        self.to_check: dict[int, int] = {}  # image id -> unreviewed boxes, if any
        self.doubtful: dict[int, int] = {}  # image id -> boxes that were accepted with a doubtful edge, if any
        self.to_fix: dict[int, int] = {}  # image id -> boxes that are marked to fix, if any
        self.unaccepted: dict[int, int] = {}  # image id -> boxes that were never accepted, if any
        self.tally, self.listed = FolderTally(), Listed()
        self.query = Query()
        self.folders = ImageFolders()  # of `images`, or of the first ones of them while others are coming
        self.lists_at: dict[Path, str] = {}  # project -> the filter and order that this window showed last
        self.undo_steps: tuple[Step | None, Step | None] = (None, None)  # the next to undo, the next to redo
        self.problems: dict[int, str] = {}  # image id -> sentence on why it cannot be shown
        self.missing: dict[int, str] = {}  # image id -> sentence that its picture is gone from the folder
        self.image: ImageRecord | None = None
        self.left_at: dict[Path, Path] = {}  # project -> the picture that this window showed last
        self.direction = 1
        self.corrections: tuple[Correction, ...] = ()
        self.reviews: Mapping[int, Review] = {}  # box id -> its review, of the open image
        self.picture: CanvasPicture | None = None
        self.tones = AS_IT_IS  # of the canvas, for all images of this session
        self.toned: CanvasPicture | None = None  # the open picture in these tones, or in those just before
        self.features: ImageFeatures | None = None
        self.models: Models | None = None
        self.models_state = ModelsState.NONE_YET
        self.selected_id: int | None = None
        self.also_ids: frozenset[int] = frozenset()  # of the boxes that are selected besides `selected_id`
        self.chosen_edge: int | None = None
        self.draft: Draft | None = None
        self.replaced: Draft | None = None  # the draft that was active before the present drag
        self.deselected: Correction | None = None  # the one box that was selected before the present drag
        self.is_clicking = False  # the drawn box follows the pointer between two clicks
        self.left = LeftDrafts()
        self.taken_back: Draft | None = None  # removed by undo, for redo
        self.discarded: Draft | None = None  # for undo, if discarding was the last action
        self.looking: frozenset[int] = frozenset()  # numbers of drafts that may still get another refinement
        self.looking_stored: frozenset[int] = frozenset()  # ids of accepted boxes that may as well
        self.waiting: tuple[Draft, ...] = ()  # accepted before their refinement arrived
        self.storing: tuple[Correction, ...] = ()  # being written
        self.moving: dict[int, Box] = {}  # correction id -> moved box that is being written
        self.keys: dict[str, str] = {}  # action id -> name of its first key
        self.key_owners: Mapping[str, str] = {}  # key -> the action that has it
        self.snapping = True  # whether drawn boxes are refined
        self.activity: Activity | None = None  # of the encode lane
        self.readiness = Readiness()
        self.teaching, self.suggesting = TeachingState(), SuggestingState()
        self.refiners: tuple[RefinerRecord, ...] = ()  # taught in this project, for this encoder
        self.refiner_id: int | None = None  # the one in use; None for the shipped one
        self.margins: Mapping[str, Margin] = {}  # category name -> margin learned from accepted boxes
        self.scan: Scan | None = None
        self.opening: Callable[[], None] | None = None  # gives up the folder that is being listed to be opened
        self._rows: dict[int, int] = {}
        self._stored_count = 0  # images without the unreadable ones
        self._drafts = self._settled_drafts = 0  # the highest number of a draft, and of a settled one

    def _have_no_folder(self) -> None:
        """The state of project and folder before one is open."""
        self.project_path: Path | None = None
        self.folder: Path | None = None
        self.leaves_rest = False  # the user has stopped the reading of the folder
        self.notes_told: tuple[str, ...] = ()  # on what the last listing of the folder has left out

    def _have_no_categories(self) -> None:
        """The state of categories before a project is open."""
        self.categories: tuple[Category, ...] = ()
        self.colors: Mapping[int, str] = {}  # category id -> its color
        self.category_keys: Mapping[int, str] = {}  # category id -> its key, if it has one
        self.category_counts: dict[int, int] = {}  # category id -> boxes of the project
        self.sight = CategorySight()
        self.category_id: int | None = None
        self._choice = CategoryChoice()
