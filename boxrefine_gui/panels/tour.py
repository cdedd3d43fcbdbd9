"""The tour: a card above the categories that asks for one step after the other, and waits for the user to do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAction, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolBar, QVBoxLayout, QWidget

from boxrefine_gui.operations import opening
from boxrefine_gui.operations.box_verbs import choose_settings
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.panels.tour_steps import STEPS, TourStep
from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel, without_mnemonic
from core.translation import tr

MARK = "tour"
"""The property of the toolbar button that the present step is about; the style sheet draws a ring around it."""


class Tour(QFrame):
    """Offers itself once on the sample project; it never blocks the window, and never takes the keyboard by itself."""

    left = Signal()  # the tour has ended, and the keyboard was in it
    wanted = Signal()  # the card has to be visible

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self._at: int | None = None  # None while it is only offered; len(STEPS) after the last one
        self._actions: Mapping[str, QAction] = {}
        self._bar: QToolBar | None = None
        self.setObjectName("tour")
        self.setAccessibleName(tr("Tour"))
        self.title, self.sentence = PlainLabel(), PlainLabel()
        self.skip, self.back, self.next = (_button() for _ in range(3))
        self._arrange()
        self.skip.clicked.connect(self.end)
        self.back.clicked.connect(partial(self._step, -1))
        self.next.clicked.connect(partial(self._step, 1))
        session = parts.session
        session.project_changed.connect(self._offer)
        for signal in (session.drawn_changed, session.changed, session.settings_changed):
            signal.connect(self._look)
        self._write()
        self.hide()

    def connect_to(self, actions: Mapping[str, QAction], bar: QToolBar) -> None:
        """Listen to the actions, which end steps, and mark their buttons in the toolbar."""
        self._actions, self._bar = actions, bar
        for step in STEPS:
            if step.action and step.is_done is None:
                actions[step.action].triggered.connect(partial(self._triggered, step))

    @property
    def step(self) -> TourStep | None:
        """The step that waits for the user."""
        return STEPS[self._at] if self._at is not None and self._at < len(STEPS) else None

    def begin(self) -> None:
        """Show the first step, on the sample project."""
        self._remember()
        if not self._is_on_sample:
            opening.open_sample(self._parts)
        self._show(0)
        self.wanted.emit()

    def end(self) -> None:
        """Hide the card; the menu Help shows it again."""
        if self.isHidden():
            return
        self._remember()
        had_focus = self.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False
        self._at = None
        self._mark()
        self.hide()
        if had_focus:
            self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.end()
        else:
            super().keyPressEvent(event)

    @property
    def _is_on_sample(self) -> bool:
        path = self._parts.session.project_path
        return path is not None and opening.is_sample(str(path))

    def _offer(self) -> None:
        """Offer the tour on the sample project alone; one that has begun goes on."""
        if not self._is_on_sample:
            self.setVisible(self._at is not None and self.isVisible())
        elif not self._parts.session.settings.tour_seen and self.isHidden():
            self._show(None)

    def _remember(self) -> None:
        settings = self._parts.session.settings
        if not settings.tour_seen:
            choose_settings(self._parts, replace(settings, tour_seen=True))

    def _step(self, by: int) -> None:
        if self._at is None:
            self.begin()
        elif self._at + by > len(STEPS):
            self.end()
        else:
            self._show(max(self._at + by, 0))

    def _triggered(self, step: TourStep, _: bool = False) -> None:
        if self.step is step:
            self._step(1)

    def _look(self, _: object = None) -> None:
        step = self.step
        if step is not None and step.is_done is not None and step.is_done(self._parts.session):
            self._step(1)
        elif self.isVisible():
            self._write()  # the keys may be others now

    def _show(self, at: int | None) -> None:
        self._at = at
        self._write()
        self._mark()
        self.show()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, self.sentence.text()))

    def _write(self) -> None:
        at, step = self._at, self.step
        self.back.setText(tr("Back"))
        self.back.setVisible(bool(at))
        self.skip.setVisible(at != len(STEPS))
        self.skip.setText(tr("No, thanks") if at is None else tr("Skip"))
        if at is None:
            self.title.setText(tr("New here?"))
            self.sentence.setText(tr("A tour of one minute shows how it goes, on this sample."))
            self.next.setText(tr("Begin"))
        elif step is None:
            self.title.setText(tr("That is all"))
            help = self._key_of("shortcuts")
            self.sentence.setText(tr("{key} shows all keys; open a folder of your own pictures now.", key=help))
            self.next.setText(tr("Close"))
        else:
            self.title.setText(tr("Step {number} of {count}", number=at + 1, count=len(STEPS)))
            self.sentence.setText(step.words.format(key=self._key_of(step.action)))
            self.next.setText(tr("Next"))

    def _key_of(self, action: str) -> str:
        """The key of an action; its title in the menu if the user has taken the key away."""
        if not action:
            return ""
        return self._parts.session.keys.get(action) or without_mnemonic(self._actions[action].text())

    def _mark(self) -> None:
        """Mark the button of the present step, and no other one."""
        wanted = self.step.action if self.step is not None else ""
        for id, action in self._actions.items():
            button = self._bar.widgetForAction(action) if self._bar is not None else None
            if button is not None and bool(button.property(MARK)) != (id == wanted):
                button.setProperty(MARK, id == wanted)
                button.style().unpolish(button)
                button.style().polish(button)

    def _arrange(self) -> None:
        scale.set_type(self.title, is_bold=True)
        self.sentence.setWordWrap(True)
        buttons = QHBoxLayout()
        buttons.setSpacing(scale.TIGHT)
        buttons.addWidget(self.skip)
        buttons.addStretch(1)
        buttons.addWidget(self.back)
        buttons.addWidget(self.next)
        card = QFrame()
        card.setObjectName("card")
        column = QVBoxLayout(card)
        scale.margins(column, scale.MEDIUM, scale.SMALL)
        column.setSpacing(scale.SMALL)
        for label in (self.title, self.sentence):
            column.addWidget(label)
        column.addLayout(buttons)
        around = QVBoxLayout(self)
        scale.margins(around, scale.TIGHT)
        around.addWidget(card)


class _Button(QPushButton):
    """A button as wide as its word, so that three of them fit into a narrow panel."""

    def minimumSizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 2 * scale.MEDIUM + scale.TIGHT, scale.CONTROL)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()


def _button(parent: QWidget | None = None) -> QPushButton:
    button = _Button("", parent)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keyboard with the canvas
    return button
