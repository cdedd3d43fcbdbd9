"""The layer that names the tones of the picture, so that an inverted one is not taken for the file."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter

from boxrefine_gui.canvas.brushes import chip
from boxrefine_gui.canvas.hints import keys_and_words
from boxrefine_gui.canvas.scene import Scene
from boxrefine_gui.state.session import Session
from core.tones import AS_IT_IS, Channel
from core.translation import tr

_AT = QPointF(8, 1e6)
"""The lower left corner: the chip moves into the canvas."""


def paint_tones(painter: QPainter, scene: Scene) -> None:
    """The tones at the lower left corner, with the key that ends them."""
    if scene.session.tones != AS_IT_IS and scene.session.picture is not None:
        chip(painter, scene.size, tone_words(scene.session), _AT)


def tone_words(session: Session) -> str:
    """How the shown picture differs from the file."""
    tones = session.tones
    channels = {
        Channel.ALL: "",
        Channel.RED: tr("red channel"),
        Channel.GREEN: tr("green channel"),
        Channel.BLUE: tr("blue channel"),
    }
    words = [
        tr("brightness {value:+d}", value=tones.brightness) if tones.brightness else "",
        tr("contrast {value:+d}", value=tones.contrast) if tones.contrast else "",
        tr("gamma {value:+d}", value=tones.gamma) if tones.gamma else "",
        tr("inverted") if tones.inverted else "",
        channels[tones.channel],
        keys_and_words(session, ("as_it_is", tr("as it is"))),
    ]
    return "   ".join(filter(None, words))
