"""The status bar: position in the list, running work, encoder and refiner, and the device."""

from __future__ import annotations

from PySide6.QtWidgets import QStatusBar

from boxrefine_gui.panels.list_words import progress_words
from boxrefine_gui.panels.status_words import activity_words, device_words, models_words, scan_words, sight_words
from boxrefine_gui.panels.teach_panel import when
from boxrefine_gui.state.loaded_models import Models
from boxrefine_gui.state.pointer import Where
from boxrefine_gui.state.session import Session
from boxrefine_gui.state.session_state import Readiness
from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.elided_label import ElidedLabel
from boxrefine_gui.widgets.plain_text import PlainLabel
from core.encoders.shipped import SHIPPED_NAME
from core.encoders.traits import ENCODERS, title_of, traits_of
from core.translation import tr, tr_plural


class StatusBar(QStatusBar):
    """Shows the session's state in short texts."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.position = _label(tr("Position in the list"))
        self.progress = ElidedLabel(tr("Progress of the project"), least=34)
        self.activity = ElidedLabel(tr("What is being prepared"), least=26)
        self.ready = ElidedLabel(tr("How far ahead images are prepared"))
        self.where = _label(tr("Pixel under the pointer, and size of the dragged box"))
        self.zoom = _label(tr("Zoom"))
        self.model = ElidedLabel(tr("Encoder and refiner"))
        self.device = ElidedLabel(tr("Device"))
        self.addWidget(self.position)
        self.addWidget(self.progress)
        self.addWidget(self.activity, 1)
        self.sight = ElidedLabel(tr("Hidden and locked categories"), least=20)
        bold = self.sight.font()
        bold.setBold(True)
        self.sight.setFont(bold)
        for label in (self.sight, self.ready, self.where, self.zoom, self.model, self.device):
            self.addPermanentWidget(label)
        self.setSizeGripEnabled(False)
        for signal in (session.image_changed, session.changed, session.pending_changed, session.left_changed):
            signal.connect(self._show_position)
        for listed in (session.listed.reset, session.listed.changed):
            listed.connect(self._show_position)
        session.changed.connect(self._show_progress)
        for signal in (session.models_changed, session.activity_changed, session.features_changed):
            signal.connect(self._show_models)
        session.settings_changed.connect(self._show_models)
        session.margins_changed.connect(self._show_models)
        session.drawn_changed.connect(self._drawn_changed)
        session.sight_changed.connect(self._show_sight)
        session.teaching_changed.connect(self._show_models)
        session.suggesting_changed.connect(self._show_models)
        session.changed.connect(self._show_models)
        self._has_draft = False
        self._show_position()
        self._show_models()

    def show_zoom(self, scale: float) -> None:
        """Show the zoom; `scale` is device pixels an image pixel."""
        self.zoom.setText(f"{scale:.0%}")

    def _show_sight(self) -> None:
        self.sight.show_text(sight_words(self._session))

    def show_where(self, where: Where | None) -> None:
        """Show the pixel under the pointer, and the size of the dragged box."""
        if where is None:
            self.where.setText("")
            return
        place = f"{where.x}, {where.y}"
        self.where.setText(place if where.size is None else f"{place}   {where.size[0]} × {where.size[1]}")
        # It grows and never shrinks: the texts beside it would move with the pointer.
        self.where.setMinimumWidth(max(self.where.minimumWidth(), self.where.sizeHint().width()))

    def _show_position(self) -> None:
        session = self._session
        if session.image is None or session.row is None:
            self.position.setText("")
            return
        boxes = [tr_plural("{count} box", "{count} boxes", session.counts.get(session.image.id, 0))]
        if to_check := session.to_check.get(session.image.id, 0):
            boxes.append(tr("{count} to check", count=to_check))
        if drawn := session.drawn_on(session.image.id):
            boxes.append(tr("{count} not accepted", count=drawn))
        images, place = session.way
        place_words = tr("{row} of {count}", row=0 if place is None else place + 1, count=len(images))
        if not session.listed.is_whole:
            is_listed = session.place is not None
            words = tr("{place} listed", place=place_words), tr("{place}, not listed", place=place_words)
            place_words = words[0] if is_listed else words[1]
        parts = [place_words, ", ".join(boxes)]
        parts += [tr("saving")] if session.storing or session.waiting else []
        self.position.setText("   ".join(parts))

    def _show_progress(self) -> None:
        self.progress.show_text(progress_words(self._session))

    def _drawn_changed(self) -> None:
        """Update only when a drawn box appears or disappears, not while it moves."""
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
            doing.append(tr("until it is there, boxes stay as drawn") if is_coming else tr("boxes stay as drawn"))
        elif not session.snapping:
            key = session.keys.get("snapping")
            is_off = tr("refinement is switched off")
            doing.append(tr("refinement is switched off ({key})", key=key) if key else is_off)
        if session.teaching.is_running:
            left = session.teaching.time_left
            doing.append(tr("teaching, {time} left", time=left) if left else tr("teaching"))
        if session.suggesting.is_learning:
            doing.append(tr("learning to suggest, {percent} %", percent=session.suggesting.percent))
        knows_how = any(session.counts.values()) or session.draft is not None
        idle = tr("ready") if knows_how or session.image is None else tr("draw a box around an object")
        self.activity.show_text("   ·   ".join(doing) or idle)
        self.model.show_text(_models_words(models, session) if models else "")
        self.device.show_text(*device_words(models.device) if models else ("", ""))
        self.ready.show_text(_ahead(session) if models else "", _cache_words(session.readiness) if models else "")


def _models_words(models: Models, session: Session) -> str:
    """Encoder and refiner; a taught refiner has the same name as in the list of refiners."""
    name = models.encoder_name
    if traits_of(name).shipped:
        encoder = tr("light encoder")
    else:
        encoder = title_of(name) if name in ENCODERS else tr("{name} encoder", name=name)
    taught = next((record for record in session.refiners if record.folder == models.refiner_folder), None)
    if models.refines_by_masks:
        refiner = tr("boxes by its masks")
    elif taught is not None:
        refiner = tr("refiner of {time}", time=when(taught.created))
    elif models.refiner_name == SHIPPED_NAME:
        refiner = tr("shipped refiner")
    else:
        refiner = tr("{name} refiner", name=models.refiner_name)
    if session.margins:
        refiner = tr("{refiner} with margins", refiner=refiner)
    if session.settings.careful:
        return tr("{encoder}, {refiner}, careful", encoder=encoder, refiner=refiner)
    return tr("{encoder}, {refiner}", encoder=encoder, refiner=refiner)


def _ahead(session: Session) -> str:
    ready = session.readiness
    if session.image is None or not ready.ahead:
        return ""
    return tr_plural("next image ready", "next {count} images ready", ready.ahead)


def _cache_words(ready: Readiness) -> str:
    """What the encode lane has prepared, and the size of the cache."""
    lines = [tr_plural("The next image is prepared.", "The next {count} images are prepared.", ready.ahead)]
    if ready.shown:
        lines.append(
            tr_plural(
                "{ready} of {count} picture had its features when it was shown.",
                "{ready} of {count} pictures had their features when they were shown.",
                ready.shown,
                ready=ready.at_hand,
            )
        )
    ram, disk = f"{ready.ram_bytes / 1e6:.0f} MB", f"{ready.disk_bytes / 1e6:.0f} MB"
    lines.append(tr("Features take {ram} of memory and {disk} of the disk.", ram=ram, disk=disk))
    return "\n".join(lines)


def _label(name: str) -> PlainLabel:
    label = PlainLabel()
    label.setAccessibleName(name)
    label.setContentsMargins(scale.SMALL, scale.NONE, scale.SMALL, scale.NONE)
    return label
