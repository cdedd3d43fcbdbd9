"""The status bar: where the user is, what the encode lane is doing, with what and on which device."""

from __future__ import annotations

from PySide6.QtWidgets import QStatusBar

from boxrefine_gui.panels.status_words import activity_words, device_words, models_words, scan_words
from boxrefine_gui.panels.teach_panel import when
from boxrefine_gui.state.loaded_models import Models
from boxrefine_gui.state.session import Session
from boxrefine_gui.state.session_state import Readiness
from boxrefine_gui.widgets.elided_label import ElidedLabel
from boxrefine_gui.widgets.plain_text import PlainLabel
from core.encoders.traits import ENCODERS, title_of, traits_of


class StatusBar(QStatusBar):
    """A few words on the state of things."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.position = _label("Position in the list")
        self.activity = ElidedLabel("What is being prepared", least=26)
        self.ready = ElidedLabel("How far ahead images are prepared")
        self.zoom = _label("Zoom")
        self.model = ElidedLabel("Encoder and refiner")
        self.device = ElidedLabel("Device")
        self.addWidget(self.position)
        self.addWidget(self.activity, 1)
        for label in (self.ready, self.zoom, self.model, self.device):
            self.addPermanentWidget(label)
        self.setSizeGripEnabled(False)
        for signal in (session.image_changed, session.changed, session.pending_changed, session.left_changed):
            signal.connect(self._show_position)
        for signal in (session.models_changed, session.activity_changed, session.features_changed):
            signal.connect(self._show_models)
        session.settings_changed.connect(self._show_models)
        session.drawn_changed.connect(self._drawn_changed)
        session.teaching_changed.connect(self._show_models)
        session.changed.connect(self._show_models)
        self._has_draft = False
        self._show_position()
        self._show_models()

    def show_zoom(self, scale: float) -> None:
        """Device pixels an image pixel."""
        self.zoom.setText(f"{scale:.0%}")

    def _show_position(self) -> None:
        session = self._session
        if session.image is None or session.row is None:
            self.position.setText("")
            return
        boxes = session.counts.get(session.image.id, 0)
        text = f"{session.row + 1} of {len(session.images)}   {boxes} " + ("box" if boxes == 1 else "boxes")
        to_check = session.to_check.get(session.image.id, 0)
        text += f", {to_check} to check" if to_check else ""
        drawn = session.drawn_on(session.image.id)
        text += f", {drawn} not accepted" if drawn else ""
        is_saving = bool(session.storing or session.waiting)
        self.position.setText(text + ("   saving" if is_saving else ""))

    def _drawn_changed(self) -> None:
        """Only whether a box is drawn matters, not where the hand is."""
        has_draft = self._session.draft is not None
        if has_draft != self._has_draft:
            self._has_draft = has_draft
            self._show_models()

    def _show_models(self) -> None:
        session, models = self._session, self._session.models
        doing = [scan_words(session.scan)] if session.scan is not None else []
        doing += [activity_words(session.activity)] if session.activity is not None else []
        if models is None and session.activity is None and (note := models_words(session.models_state)):
            doing.append(note)
        if models is None:
            is_coming = session.activity is not None or session.models_state.is_loading
            doing.append("until it is there, boxes stay as drawn" if is_coming else "boxes stay as drawn")
        elif not session.snapping:
            key = session.keys.get("snapping")
            doing.append("refinement is switched off" + (f" ({key})" if key else ""))
        if session.teaching.is_running:
            left = session.teaching.time_left
            doing.append(f"teaching, {left} left" if left else "teaching")
        knows_how = any(session.counts.values()) or session.draft is not None
        idle = "ready" if knows_how or session.image is None else "drag a box around an object"
        self.activity.show_text("   ·   ".join(doing) or idle)
        self.model.show_text(_models_words(models, session) if models else "")
        self.device.show_text(device_words(models.device) if models else "")
        self.ready.show_text(_ahead(session) if models else "", _cache_words(session.readiness) if models else "")


def _models_words(models: Models, session: Session) -> str:
    """A taught refiner goes by the name that the list of refiners gives it."""
    name = models.encoder_name
    encoder = title_of(name) if name in ENCODERS and not traits_of(name).shipped else f"{name} encoder"
    taught = next((record for record in session.refiners if record.folder == models.refiner_folder), None)
    plain = f"{models.refiner_name} refiner" if taught is None else f"refiner of {when(taught.created)}"
    refiner = "boxes by its masks" if models.refines_by_masks else plain
    careful = session.settings.careful
    return f"{encoder}, {refiner}" + (", careful" if careful else "")


def _ahead(session: Session) -> str:
    ready = session.readiness
    if session.image is None or not ready.ahead:
        return ""
    return "next image ready" if ready.ahead == 1 else f"next {ready.ahead} images ready"


def _cache_words(ready: Readiness) -> str:
    """What the encode lane has done so far, for those who want to know."""
    share = (
        f"{ready.at_hand} of {ready.shown} pictures had their features when they were shown.\n" if ready.shown else ""
    )
    return (
        f"The next {ready.ahead} images are prepared.\n{share}"
        f"Features take {ready.ram_bytes / 1e6:.0f} MB of memory and {ready.disk_bytes / 1e6:.0f} MB of the disk."
    )


def _label(name: str) -> PlainLabel:
    label = PlainLabel()
    label.setAccessibleName(name)
    label.setContentsMargins(6, 0, 6, 0)
    return label
