"""The part of the teaching panel for suggestions: from which probability on they are shown, and what to expect."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QSlider, QVBoxLayout, QWidget

from boxrefine_gui.operations import suggesting
from boxrefine_gui.operations.learning_heads import LEAST_IMAGES, LearningHeads
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.state.suggesting_state import Trust
from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel, set_tooltip
from core.head_records import HeadRecord
from core.translation import tr, tr_plural

_LOWEST, _HIGHEST, _STEP = 5, 99, 5
_TENTHS = 10


class SuggestControls(QWidget):
    """A line on what was learned, a button to learn at once, and the threshold with the precision to expect."""

    def __init__(self, parts: Parts, learning: LearningHeads) -> None:
        super().__init__()
        self._parts = parts
        self.words = _label(tr("What suggestions are learned from"))
        self.button = QPushButton(tr("Suggest now"))
        set_tooltip(self.button, tr("Learn from the accepted boxes at once, and suggest boxes on this image"))
        self.button.clicked.connect(learning.start)
        self.automatic = QCheckBox(tr("Automatic"))
        set_tooltip(self.automatic, tr("As many suggestions as possible, of which about four in five are right"))
        self.automatic.toggled.connect(self._toggled)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(_LOWEST, _HIGHEST)
        self.slider.setSingleStep(1)
        self.slider.setPageStep(_STEP)
        self.slider.setMinimumWidth(20)
        self.slider.setAccessibleName(tr("Least probability of a suggestion"))
        self.slider.valueChanged.connect(self._moved)
        self.slider.sliderReleased.connect(self._choose)
        self.precision = _label(tr("How many suggestions are right"))
        self.precision.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._arrange()
        session = parts.session
        for signal in (
            session.suggesting_changed, session.models_changed, session.settings_changed, session.project_changed,
        ):  # fmt: skip
            signal.connect(self._show)
        self._show()

    def _arrange(self) -> None:
        top, row = QHBoxLayout(), QHBoxLayout()
        heading = PlainLabel(tr("Suggestions"))
        font = heading.font()
        font.setBold(True)
        heading.setFont(font)
        heading.setMinimumWidth(1)
        top.addWidget(heading, 1)
        top.addWidget(self.button)
        row.addWidget(self.slider, 1)
        row.addWidget(self.automatic)
        layout = QVBoxLayout(self)
        scale.margins(layout, scale.NONE, scale.TIGHT)
        layout.addLayout(top)
        layout.addWidget(self.words)
        layout.addLayout(row)
        layout.addWidget(self.precision)

    def _show(self) -> None:
        session = self._parts.session
        state, kit = session.suggesting, session.models.suggest if session.models is not None else None
        self.words.setText(self._words())
        self.button.setEnabled(kit is not None and session.project_path is not None and not state.is_learning)
        trust = state.suggester.trust if state.suggester is not None else None
        is_shown = trust is not None and session.settings.suggest
        for widget in (self.slider, self.automatic, self.precision):
            widget.setVisible(is_shown)
        if trust is None:
            return
        chosen = session.settings.suggest_threshold
        with QSignalBlocker(self.automatic), QSignalBlocker(self.slider):
            self.automatic.setChecked(not chosen)
            if not self.slider.isSliderDown():
                self.slider.setValue(round(100 * (chosen or trust.threshold)))
        self._show_precision()

    def _words(self) -> str:
        session = self._parts.session
        state = session.suggesting
        if session.models is not None and session.models.suggest is None:
            return suggesting.NO_NETWORK
        if not session.settings.suggest:
            return tr("Switched off in the menu Model.")
        if state.is_learning:
            return tr("Learning to suggest, {percent} % done", percent=state.percent)
        if state.sentence:
            return state.sentence
        if state.used is None:
            return tr_plural(
                "Boxes are suggested once a category is on {count} image.",
                "Boxes are suggested once a category is on {count} images.",
                LEAST_IMAGES,
            )
        return tr("Learned from {boxes}.", boxes=numbers_of(state.used))

    def _show_precision(self) -> None:
        suggester = self._parts.session.suggesting.suggester
        if suggester is not None:
            self.precision.setText(precision_words(suggester.trust, self.slider.value() / 100))

    def _toggled(self, is_automatic: bool) -> None:
        suggesting.choose_threshold(self._parts, 0.0 if is_automatic else self.slider.value() / 100)

    def _moved(self) -> None:
        """Show what to expect during the drag; the suggestions follow when the slider is released."""
        self._show_precision()
        if not self.slider.isSliderDown():
            self._choose()

    def _choose(self) -> None:
        suggesting.choose_threshold(self._parts, self.slider.value() / 100)


def precision_words(trust: Trust, threshold: float) -> str:
    """What to expect of suggestions with at least this probability."""
    right = min(round(_TENTHS * trust.expected_precision(threshold)), _TENTHS)
    words = tr("From {percent} % on: about {right} in 10 are right.", percent=round(100 * threshold), right=right)
    share = round(_TENTHS * trust.expected_share(threshold))
    if not share:
        return words
    return tr("{words} They are about {share} in 10 of all objects.", words=words, share=share)


def numbers_of(head: HeadRecord) -> str:
    """The numbers of boxes and images that a head was learned from."""
    boxes, images = (_count(head.data.get(name)) for name in ("boxes", "images"))
    return tr(
        "{boxes} on {images}",
        boxes=tr_plural("{count} box", "{count} boxes", boxes),
        images=tr_plural("{count} image", "{count} images", images),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 10**12 else 0


def _label(name: str) -> PlainLabel:
    label = PlainLabel()
    label.setWordWrap(True)
    label.setMinimumWidth(1)
    label.setAccessibleName(name)
    return label
