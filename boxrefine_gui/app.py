"""App: builds and connects the objects of the window, and shuts them down in order."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.dialogs.ask_second_project import ask_second_project
from boxrefine_gui.dialogs.ask_to_close import ask_about_copy, ask_about_drawn, ask_to_close
from boxrefine_gui.inference.choices import Choices
from boxrefine_gui.inference.crop_refine import SecondLook
from boxrefine_gui.inference.image_loader import Pictures
from boxrefine_gui.inference.live_refine import LiveRefine
from boxrefine_gui.inference.prefetch import Prefetch
from boxrefine_gui.inference.toning import Toning
from boxrefine_gui.lanes.collector import Collector
from boxrefine_gui.lanes.lane import GuiThread, LatestLane, QueueLane
from boxrefine_gui.lanes.process_tuning import Moment, tune
from boxrefine_gui.lanes.store_lane import StoreLane
from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.lanes.trainer_process import TrainerProcess
from boxrefine_gui.main_window import MainWindow
from boxrefine_gui.operations import drawing, opening
from boxrefine_gui.operations.batch_refine import RefineAll
from boxrefine_gui.operations.box_verbs import Parts
from boxrefine_gui.operations.draft_keeper import DraftKeeper
from boxrefine_gui.operations.encoder_downloads import ModelsFolder
from boxrefine_gui.operations.finding import Finder
from boxrefine_gui.operations.folder_opening import give_up_opening
from boxrefine_gui.operations.folder_watch import FolderWatch
from boxrefine_gui.operations.learning_heads import LearningHeads
from boxrefine_gui.operations.learning_margins import LearningMargins
from boxrefine_gui.operations.logbook import Logbook
from boxrefine_gui.operations.picture_sizes import PictureSizes
from boxrefine_gui.operations.project_watch import ProjectWatch
from boxrefine_gui.operations.suggesting import Suggesting
from boxrefine_gui.operations.teaching import Teaching
from boxrefine_gui.state.doing import ModelsState
from boxrefine_gui.state.level import Level
from boxrefine_gui.state.loaded_models import Device, Models
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets import theme
from boxrefine_gui.widgets.language import translate_qt
from core import log
from core.errors import GpuError
from core.settings import Settings, cache_folder, load_or_set_aside, settings_path

if TYPE_CHECKING:
    from core.features.cache.shared_cache import SharedCache
    from core.refiner.protocol import Refiner

logger = logging.getLogger(__name__)

LoadModels = Callable[[Settings], Models]

_PATIENCE_S = 4.0
"""How long closing waits for a lane that is inside a native call, in seconds."""

_STORE_PATIENCE_S = 30.0
"""The same for the store lane."""

_PICTURE_PATIENCE_MS = 1000
"""How long loading the models waits for the first picture, which may be missing or on a slow drive."""

_PAINT_MS = 50
"""How long it waits for the paint of that picture, which the import of torch would delay."""

_OPENING_PATIENCE_MS = 60_000
"""How long it waits for a large folder or project to open before that."""

_CLOSE_CHECK_MS = 20


def run(path: Path | None) -> int:
    """Open the window with a folder or project (None: what was open last); return the exit code when it closes."""
    qt = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(qt, QApplication)
    qt.setApplicationName("BoxRefine")
    qt.setStyle("Fusion")
    translate_qt(qt)
    app = build()
    previous_hook, sys.excepthook = sys.excepthook, app.report_uncaught
    app.window.show()
    app.open(path)
    code = qt.exec()
    sys.excepthook = previous_hook
    if not app.close():
        # A lane is still inside a native call. All user data is stored, and waiting would look like a hang.
        logger.info("a lane is inside a native call, so the process ends without it")
        log.end()
        sys.stdout.flush()
        os._exit(code)
    return code


def build(*, load_models: LoadModels | None = None, ask: Ask | None = None) -> App:
    """Build an app on the running QApplication, not shown yet; `load_models` runs on the encode lane."""
    app = App(load_models=load_models or load_chosen_models, ask=ask or Ask())
    tune(Moment.GUI_THREAD)
    return app


def load_chosen_models(settings: Settings) -> Models:
    """Encode lane: load the models of the settings. Raises KnownError if weights are missing or damaged."""
    tune(Moment.MODELS)
    from core.encoders.catalogue import load_encoder
    from core.encoders.devices import why_no_gpu
    from core.encoders.guarded import GuardedEncoder
    from core.encoders.image_features import FEATURES_BYTES
    from core.features.cache.feature_cache import FeatureCache
    from core.features.feature_source import FeatureSource
    from core.inference.crop_refine import pays_for
    from core.refiner.candidate_finder import find_candidate_finder
    from core.refiner.checkpoint import load_refiner
    from core.refiner.conservative import refiner_as_stated
    from core.refiner.guarded import GuardedRefiner
    from core.refiner.learned_margins import LearnedMargins
    from core.refiner.margin_learner import MarginLearner
    from core.refiner.taught_refiner import for_category
    from core.suggest.kit import load_suggest_kit

    encoder = load_encoder(settings.encoder, settings.device)
    on_gpu = encoder.device.type != "cpu"

    def refiner_in(folder: Path | None) -> Refiner:
        found = load_refiner(folder, encoder, refine_by=settings.refine_by, careful=settings.careful)
        return GuardedRefiner(found) if on_gpu else found

    refiner = refiner_in(None)
    cache = FeatureCache(
        cache_folder(settings),
        disk_budget=settings.cache_disk_budget,
        ram_budget=settings.cache_ram_budget,
        codec=settings.cache_codec,
        shared=_shared(settings),
    )
    cache.look()
    return Models(
        source=FeatureSource(GuardedEncoder(encoder) if on_gpu else encoder, cache),
        refiner=refiner,
        encoder_name=encoder.name,
        encoder_identity=encoder.identity,
        refiner_name=refiner.name,
        refiner_identity=refiner.identity,
        device=Device(encoder.device.type, why_no_gpu="" if settings.device == "cpu" else why_no_gpu()),
        looks_twice=pays_for(encoder.name),
        close=cache.close,
        trouble=lambda: cache.trouble or (cache.shared.trouble if cache.shared else None),
        reach=settings.cache_disk_budget // (2 * FEATURES_BYTES),
        stats=lambda: cache.stats,
        load_refiner=refiner_in,
        for_category=for_category,
        learner=lambda encoder, refiner: MarginLearner(encoder=encoder, refiner=refiner),
        with_margins=LearnedMargins,
        suggest=load_suggest_kit(encoder, refiner),
        finder=find_candidate_finder(encoder),
        for_drawing=refiner_as_stated,
    )


def _shared(settings: Settings) -> SharedCache | None:
    """The shared cache of the settings. The window only reads it: an upload could take the line for minutes."""
    from core.features.cache.shared_cache import shared_cache
    from core.object_store.address import path_or_address

    return shared_cache(path_or_address(settings.shared_cache), writes=False) if settings.shared_cache else None


class App:
    """Owns the lanes, the session and the window."""

    _times_waited = 0  # for the first picture

    def __init__(self, *, load_models: LoadModels, ask: Ask) -> None:
        settings, complaint = load_or_set_aside(settings_path())
        self.gui = GuiThread()
        self.session = Session(settings)
        self.logbook = Logbook(self.session)
        self.refine = LatestLane("refine", self.gui, unheard=self.session.report)
        self.store_lane = QueueLane("store", self.gui, unheard=self.session.report)
        self.encode = QueueLane("encode", self.gui, unheard=self.session.report, gives_way=True)
        self.encode.on_activity = self.session.set_activity
        self.files, self.pictures, self.thumbnails, self.exports, self.downloads, self.learn = (
            QueueLane(name, self.gui, unheard=self.session.report, gives_way=True)
            for name in ("files", "pictures", "thumbnails", "export", "download", "learn")
        )
        self.suggest = QueueLane("suggest", self.gui, unheard=self.session.report)  # the user waits for it
        self.store = StoreLane(self.store_lane, unheard=self.session.report)
        self.live = LiveRefine(session=self.session, lane=self.refine)
        self.choices = Choices(session=self.session, lane=self.refine)
        self.second_look = SecondLook(session=self.session, lane=self.encode, store=self.store)
        lanes = self.files, self.encode, self.exports
        self.parts = Parts(self.session, self.store, *lanes, self.live, self.choices, load_models, settings_path())
        self.keeper = DraftKeeper(self.parts)
        self._reader, self._sizes = Pictures(session=self.session, lane=self.pictures), PictureSizes(self.parts)
        self._toning = Toning(session=self.session, lane=self.pictures)
        self.suggesting = Suggesting(self.parts, self.suggest)
        self.heads = LearningHeads(self.parts, self.learn, self.suggest, self.suggesting)
        self.prefetch = Prefetch(session=self.session, lane=self.encode)
        self.trainer = TrainerProcess()
        self.teaching = Teaching(self.parts, self.trainer)
        self.margins, self.models = LearningMargins(self.parts), ModelsFolder(self.parts, self.downloads)
        self.refine_all = RefineAll(self.parts)
        self.folder_watch, self.finder = FolderWatch(self.parts), Finder(self.parts)
        self.project_watch = ProjectWatch(self.parts, trainer=lambda: self.trainer.number)
        theme.apply(settings.theme)  # now, because it restyles each widget that there is
        self.window = MainWindow(
            self.parts,
            self.teaching,
            finder=self.finder,
            thumbnails=self.thumbnails,
            models=self.models,
            refine_all=self.refine_all,
            learning=self.heads,
            folder_watch=self.folder_watch,
            ask=ask,
            may_close=self._may_close,
        )
        self.collector = Collector(self.session, is_busy=self._makes_many_objects)
        self._wants_models = self._is_drawn_told = self._is_copy_told = False
        self._patience = timer(_PICTURE_PATIENCE_MS, self._patience_ends)
        self._painted = timer(_PAINT_MS, self._load_models)
        self.session.image_changed.connect(self._wait_for_picture)
        self.session.picture_changed.connect(self._painted.start)
        self._closing = timer(_CLOSE_CHECK_MS, self._close_when_stored, once=False)
        self.session.problem.connect(self._stay)
        self.session.problem.connect(self._leave_the_gpu)
        self.session.told.connect(self._stay_to_tell)
        self.session.second_project.connect(partial(ask_second_project, self.window))
        self.session.settings_changed.connect(self.window.recolor)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self.window.recolor)
        if complaint is not None:
            self.session.report(complaint)

    def open(self, path: Path | None) -> None:
        """Open a folder or project (None: what was open last); load the models once its first picture is shown.

        Loading both at once would delay the picture and freeze the window.
        """
        if path is not None:
            opening.open_path(self.parts, path)
        else:
            opening.open_last(self.parts)
        self.session.set_models(None, ModelsState.LOADING)
        self._wants_models, self._times_waited = True, 0
        self._patience.start()

    def _wait_for_picture(self) -> None:
        """An image is open, so its picture is being read."""
        if self._wants_models:
            self._patience.start()

    def _patience_ends(self) -> None:
        is_opening = self.session.scan is not None and self.session.image is None
        self._times_waited += 1
        if is_opening and self._times_waited * _PICTURE_PATIENCE_MS < _OPENING_PATIENCE_MS:
            self._patience.start()
        else:
            self._load_models()

    def _load_models(self) -> None:
        if self._wants_models:
            self._wants_models = False
            self._patience.stop()
            opening.load_models(self.parts)

    def _makes_many_objects(self) -> bool:
        activity = self.session.activity
        return (activity is not None and activity.is_loading) or self.session.scan is not None

    def report_uncaught(self, kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        """Report an uncaught error on the GUI thread as a bug; installed as sys.excepthook."""
        sys.__excepthook__(kind, error, where)
        if isinstance(error, Exception):
            self.session.report(error)

    def _leave_the_gpu(self, error: Exception) -> None:
        """Continue on the CPU after a GpuError, which a notice reports."""
        if isinstance(error, GpuError):
            opening.go_on_with_cpu(self.parts)

    # The end

    def _may_close(self) -> bool:
        """Whether the window may close now: all accepted boxes must be stored, unless the user tries a second time.

        Ask first if requested teaching is running, if drawn boxes are not accepted, or if a rescue copy is not saved.
        """
        if self.session.teaching.is_running and not self.session.teaching.by_itself:
            ask_to_close(self.window, self.session.teaching, close=self._close_anyway)
            return False
        self.live.store_waiting_as_drawn()
        self.keeper.keep()
        if self.session.drawn_count and not self._is_drawn_told:
            drawing.keep_unwritten(self.parts, then=self._ask_about_drawn)
            return False
        copy = self.project_watch.only_copy
        if copy is not None and not self._is_copy_told:
            ask_about_copy(self.window, copy, close=self._close_with_copy)
            return False
        if self.store.is_idle or self._closing.isActive():
            return True
        self._closing.start()
        return False

    def _ask_about_drawn(self) -> None:
        drawn, unwritten = self.session.drawn_count, len(self.session.left.unwritten)
        ask_about_drawn(self.window, drawn, unwritten=unwritten, close=self._close_with_drawn)

    def _close_anyway(self) -> None:
        self.teaching.cancel()
        self.window.close()

    def _close_with_copy(self) -> None:
        self._is_copy_told = True
        self.window.close()

    def _close_with_drawn(self) -> None:
        self._is_drawn_told = True
        self.window.close()
        self._is_drawn_told = self._closing.isActive()  # ask again unless the window is closing already

    def _close_when_stored(self) -> None:
        if self.store.is_idle:
            self.window.close()

    def _stay(self) -> None:
        """Do not close the window: the user must see the error first."""
        self._closing.stop()

    def _stay_to_tell(self, _: str, level: Level) -> None:
        if level.stays:
            self._stay()

    def close(self) -> bool:
        """Shut down all lanes, the store lane first; return False if a lane is still inside a native call."""
        self._closing.stop()
        self._patience.stop()
        self._painted.stop()
        self.collector.stop()
        self.teaching.stop()
        self.refine_all.stop()
        self.heads.stop()
        self.suggesting.stop()
        give_up_opening(self.session)
        self.folder_watch.stop()
        self.project_watch.stop()
        self.exports.close()
        self.downloads.close()
        self.keeper.keep()
        self.store.close()
        self.files.close(drain=True)
        self.second_look.stop()
        self.prefetch.stop()
        self._reader.stop()
        self._close_models()
        for lane in (self.refine, self.pictures, self.thumbnails, self.suggest, self.learn):
            lane.close()
        ended = self.store.join(_STORE_PATIENCE_S)
        ended = self.wait(_PATIENCE_S) and ended
        self.gui.close()
        return ended

    def wait(self, patience_s: float) -> bool:
        """Wait for each lane that `close` has ended, so long at most; return whether all have left."""
        lanes = (
            self.exports,
            self.downloads,
            self.files,
            self.refine,
            self.pictures,
            self.thumbnails,
            self.suggest,
            self.learn,
            self.encode,
        )
        inside = [lane for lane in lanes if not lane.join(patience_s)]
        return not inside

    def _close_models(self) -> None:
        self.encode.drop("features")
        if self.session.models is not None:
            self.encode.run(self.session.models.close)
        self.encode.close(drain=True)
