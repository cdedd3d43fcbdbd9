"""The layers that the canvas paints over the picture: one function for each, in one order from back to front.

They only read the session's state; nothing here computes boxes or decodes images.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from boxrefine_gui.canvas.brushes import (
    CHIP,
    CHIP_AIR,
    CHIP_TEXT,
    DASHED,
    SOLID,
    chip,
    filled,
    handles,
    outline,
    pen,
    tag,
)
from boxrefine_gui.canvas.handles import HANDLE_SIZE, edge_of
from boxrefine_gui.canvas.hints import (
    first_steps,
    refinement_is_off,
    why_no_picture,
    words_beside,
    words_in_doubt,
    words_on_selection,
    words_to_check,
)
from boxrefine_gui.canvas.outlines import paint_outline
from boxrefine_gui.canvas.scene import Scene
from boxrefine_gui.canvas.suggested import is_plain_suggestion
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets import scale, theme
from core.records import DOUBTFUL_BELOW, Correction, EdgeConfidence
from core.translation import tr

_FAINT = 0.35
_TINT = 48
_FAINT_HALO = QColor(0, 0, 0, 90)
_SURE: EdgeConfidence = (1.0, 1.0, 1.0, 1.0)
_TAG_FROM_WIDTH = 28.0
_MOST_TAGS = 150  # more names hide the picture and take too long to paint
_DOTS = QSizeF(24, 12)


def stored_key(scene: Scene) -> tuple[object, ...]:
    """The cache key of `paint_stored`: all that it depends on."""
    session = scene.session
    chosen = session.settings
    looks = chosen.show_masks, chosen.show_names, chosen.line_width, chosen.fill_opacity, chosen.name_size
    seen = scene.view, looks, _is_checking(session)
    return session.shown, session.categories, _restless(session), scene.hides, *seen


def paint_stored(painter: QPainter, scene: Scene) -> None:
    """Stored boxes that are not being changed, in the colors of their categories; a thousand of them in a few calls."""
    restless, shown = _restless(scene.session), QRectF(QPointF(0, 0), scene.size)
    rects = [
        (scene.view.to_screen(correction.accepted), correction.category_id, correction.confirmed)
        for correction in scene.session.shown
        if correction.id not in restless
    ]
    rects = [entry for entry in rects if entry[0].intersects(shown)]
    if scene.session.settings.show_masks:
        for correction in scene.session.shown:
            if correction.outline and correction.id not in restless:
                paint_outline(painter, scene.view, correction.outline, scene.color(correction.category_id))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen(theme.HALO, SOLID, scene.line(2.0) + 2.0))
    painter.drawRects([rect for rect, _, _ in rects])
    kinds: dict[tuple[int, bool], list[QRectF]] = {}
    for rect, category_id, confirmed in rects:
        kinds.setdefault((category_id, confirmed), []).append(rect)
    for (category_id, confirmed), alike in kinds.items():
        color = scene.color(category_id)
        painter.setBrush(filled(color, scene.session.settings.fill_opacity))
        painter.setPen(pen(color, SOLID if confirmed else DASHED, scene.line(2.0)))
        painter.drawRects(alike)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _paint_proposals(painter, scene, restless)
    if len(rects) <= _MOST_TAGS:
        names = _names(scene.session)
        for rect, category_id, _ in rects:
            if rect.width() >= _TAG_FROM_WIDTH:
                name, size = names.get(category_id, ""), scene.session.settings.name_size
                tag(painter, rect, name, scene.color(category_id), size=size)


def _paint_proposals(painter: QPainter, scene: Scene, restless: frozenset[int]) -> None:
    """Proposed refinements of the dashed boxes that are still to check.

    While one of them is being checked, the others are faint: where boxes overlap, the user must see which belong
    together.
    """
    waiting = [
        entry
        for entry in scene.session.shown
        if entry.proposal is not None and entry.id not in restless and not is_plain_suggestion(entry)
    ]
    rects = [scene.view.to_screen(entry.proposal) for entry in waiting if entry.proposal is not None]
    is_checking = _is_checking(scene.session)
    painter.setOpacity(_FAINT if is_checking else 1.0)
    painter.setPen(pen(theme.HALO, SOLID, scene.line(1.8) + 1.8))
    painter.drawRects(rects)
    painter.setPen(pen(theme.REFINED, SOLID, scene.line(1.8)))
    painter.drawRects(rects)
    painter.setOpacity(1.0)
    if len(rects) <= _MOST_TAGS and not is_checking:
        for entry, rect in zip(waiting, rects, strict=True):
            _doubtful_edges(painter, rect, entry.edge_confidence or _SURE)


def _names(session: Session) -> dict[int, str]:
    """Category id -> its name; empty if names are hidden."""
    shown = session.categories if session.settings.show_names else ()
    return {category.id: category.name for category in shown}


def _is_checking(session: Session) -> bool:
    return session.selected is not None and not session.selected.confirmed


def _restless(session: Session) -> frozenset[int]:
    """Ids of stored boxes that other layers paint: those being moved, or refined again."""
    again = session.draft.again if session.draft is not None else None
    return frozenset(session.moving) | ({again.id} if again is not None else set())


def paint_touched(painter: QPainter, scene: Scene) -> None:
    """Stored boxes under the mouse, or being moved."""
    names = _names(scene.session)
    selected = scene.session.also_ids | {scene.session.selected_id}
    touched = {scene.hovered_id, *scene.session.moving, *scene.banded} - selected
    if touched != {None}:
        for correction in scene.session.shown:
            if correction.id in touched:
                _paint_box(painter, scene, correction, names, width=2.8)


def paint_storing(painter: QPainter, scene: Scene) -> None:
    """Accepted boxes that the store has not confirmed yet, dotted."""
    image = scene.session.image
    for correction in scene.session.storing:
        if image is not None and correction.image_id == image.id:
            color = scene.color(max(correction.category_id, 1))
            outline(painter, scene.view.to_screen(correction.accepted), color, style=Qt.PenStyle.DotLine)


def paint_waiting(painter: QPainter, scene: Scene) -> None:
    """Accepted boxes whose refinement is not computed yet."""
    for draft in scene.session.waiting:
        rect = scene.view.to_screen(draft.drawn)
        outline(painter, rect, theme.DRAWN, style=DASHED, width=1.2)
        words = tr("refining") if scene.session.features is not None else tr("preparing the picture")
        chip(painter, scene.size, words, rect.bottomLeft() + QPointF(0, 4))


def paint_left(painter: QPainter, scene: Scene) -> None:
    """Drawn boxes that wait to be accepted, besides the current one."""
    image = scene.session.image
    for draft in scene.session.left.on(image.id) if image is not None else ():
        outline(painter, scene.view.to_screen(draft.drawn), theme.DRAWN, style=DASHED, width=1.2)
        if draft.box != draft.drawn:
            outline(painter, scene.view.to_screen(draft.box), theme.REFINED, width=1.6)


def paint_may_change(painter: QPainter, scene: Scene) -> None:
    """Three dots at the corner of boxes whose refinement may still change."""
    session = scene.session
    boxes = [session.box_of(entry) for entry in session.shown if entry.id in session.looking_stored]
    if session.draft is not None and session.draft.number in session.looking:
        boxes.append(session.draft.box)
    for box in boxes:
        corner = scene.view.to_screen(box).topRight()
        plate = QRectF(corner + QPointF(HANDLE_SIZE, -_DOTS.height()), _DOTS)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(CHIP)
        painter.drawRoundedRect(plate, 4, 4)
        painter.setBrush(theme.REFINED)
        for dot in (-1, 0, 1):
            painter.drawEllipse(plate.center() + QPointF(6 * dot, 0), 1.8, 1.8)


def paint_selected(painter: QPainter, scene: Scene) -> None:
    """The selected box, with handles and the edge that Ctrl+arrows move."""
    selected = scene.session.selected
    if selected is None or scene.session.draft is not None:
        return
    names = _names(scene.session)
    if scene.session.also_ids:
        _paint_selection(painter, scene, names)
        return
    rect = _paint_box(painter, scene, selected, names, width=2.6)
    color = scene.color(selected.category_id)
    if selected.proposal is not None and not is_plain_suggestion(selected):
        _paint_proposal(painter, scene, selected)
    elif selected.id not in scene.session.moving:
        _mark(painter, rect, selected.doubtful if selected.confirmed else _unsure(selected.edge_confidence or _SURE))
    _chosen_edge(painter, scene, rect)
    if not scene.is_dragging:
        handles(painter, rect, color)
        if not selected.confirmed:
            chip(painter, scene.size, words_to_check(selected, scene.session), rect.bottomLeft() + QPointF(0, 10))
        elif selected.doubtful and selected.id not in scene.session.moving:
            chip(painter, scene.size, words_in_doubt(selected, scene.session), rect.bottomLeft() + QPointF(0, 10))


def _paint_selection(painter: QPainter, scene: Scene, names: dict[int, str]) -> None:
    """Several selected boxes: tinted, and without handles."""
    rects = []
    for correction in scene.session.selection:
        rect = scene.view.to_screen(scene.session.box_of(correction))
        rects.append(rect)
        tint = QColor(scene.color(correction.category_id))
        tint.setAlpha(_TINT)
        painter.fillRect(rect, tint)
        _paint_box(painter, scene, correction, names, width=2.8)
    if not scene.is_dragging:
        lowest = max(rects, key=lambda rect: rect.bottom())
        chip(painter, scene.size, words_on_selection(scene.session), lowest.bottomLeft() + QPointF(0, 8))


def paint_band(painter: QPainter, scene: Scene) -> None:
    """The rubber band."""
    if scene.band is not None:
        rect, tint = scene.view.to_screen(scene.band), QColor(theme.DRAWN)
        tint.setAlpha(_TINT)
        painter.fillRect(rect, tint)
        outline(painter, rect, theme.DRAWN, style=DASHED, width=1.0)


def _paint_proposal(painter: QPainter, scene: Scene, correction: Correction) -> None:
    if correction.proposal is not None and correction.id not in scene.session.moving:
        rect = scene.view.to_screen(correction.proposal)
        outline(painter, rect, theme.REFINED, width=scene.line(2.4))
        _doubtful_edges(painter, rect, correction.edge_confidence or _SURE)


def paint_drawn(painter: QPainter, scene: Scene) -> None:
    """The drawn box: dashed, or solid if it is to stay unrefined."""
    draft = scene.session.draft
    if draft is None:
        return
    rect = scene.view.to_screen(draft.drawn)
    if draft.plain:
        outline(painter, rect, theme.DRAWN, width=scene.line(1.8))
    else:
        outline(painter, rect, theme.DRAWN, style=DASHED, width=scene.line(1.5))


def paint_mask(painter: QPainter, scene: Scene) -> None:
    """The mask of the refinement, as a tint."""
    draft = scene.session.draft
    if draft is None or draft.answer is None or not scene.session.settings.show_masks:
        return
    paint_outline(painter, scene.view, draft.answer.outline, theme.REFINED)


def paint_candidates(painter: QPainter, scene: Scene) -> None:
    """The other answers to the drawn box, thin and faint."""
    draft = scene.session.draft
    if draft is None or draft.answer is None or draft.nudged is not None:
        return
    for row, candidate in enumerate(draft.candidates):
        if row != draft.chosen:
            rect = scene.view.to_screen(candidate.box)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for color, width in ((_FAINT_HALO, 2.0), (theme.REFINED, 1.0)):
                painter.setPen(pen(color, SOLID, width))
                painter.drawRect(rect)


def paint_refinement(painter: QPainter, scene: Scene) -> None:
    """The refinement, or the box as the user changed it; doubtful edges are dashed and pink."""
    draft = scene.session.draft
    if draft is None:
        return
    rect = scene.view.to_screen(draft.box)
    if draft.nudged is not None:
        outline(painter, rect, theme.REFINED, width=scene.line(2.2))
    elif draft.answer is not None:
        outline(painter, rect, theme.REFINED, width=scene.line(2.2))
        _doubtful_edges(painter, rect, draft.answer.edge_confidence)
    if not scene.is_dragging:
        _chosen_edge(painter, scene, rect)
        handles(painter, rect, theme.REFINED)


def paint_hint(painter: QPainter, scene: Scene) -> None:
    """The state of the drawn box and its keys, as a text beside it."""
    draft = scene.session.draft
    if draft is None:
        return
    hint = words_beside(draft, scene.session, is_dragging=scene.is_dragging)
    if hint:
        rect = scene.view.to_screen(draft.box).united(scene.view.to_screen(draft.drawn))
        chip(painter, scene.size, hint, rect.bottomLeft() + QPointF(0, 6))


def paint_first_steps(painter: QPainter, scene: Scene) -> None:
    """The first steps, at the bottom of the canvas."""
    words = first_steps(scene.session)
    if words:
        width = QFontMetricsF(painter.font()).horizontalAdvance(words) + CHIP_AIR.width()
        chip(painter, scene.size, words, QPointF((scene.size.width() - width) / 2, scene.size.height() - 48))


def paint_sign(painter: QPainter, scene: Scene) -> None:
    """A coloured sign in the corner while the refinement is switched off."""
    words = refinement_is_off(scene.session)
    if words:
        chip(painter, scene.size, words, QPointF(scale.SMALL, scale.SMALL), theme.OFF)


def paint_sentence(painter: QPainter, scene: Scene) -> None:
    """Why there is no picture."""
    session = scene.session
    if session.picture is not None:
        return
    painter.setPen(QColor("#C8CDD4") if theme.is_dark() else QColor("#3C444E"))
    room = QRectF(QPointF(0, 0), scene.size).adjusted(60, 40, -60, -40)
    painter.drawText(room, int(CHIP_TEXT), why_no_picture(session))


LAYERS: tuple[Callable[[QPainter, Scene], None], ...] = (
    paint_touched,
    paint_storing,
    paint_waiting,
    paint_left,
    paint_selected,
    paint_mask,
    paint_drawn,
    paint_candidates,
    paint_refinement,
    paint_may_change,
    paint_band,
    paint_hint,
    paint_first_steps,
    paint_sign,
    paint_sentence,
)


def _paint_box(
    painter: QPainter, scene: Scene, correction: Correction, names: dict[int, str], *, width: float
) -> QRectF:
    rect = scene.view.to_screen(scene.session.box_of(correction))
    if not rect.intersects(QRectF(QPointF(0, 0), scene.size)):
        return rect
    color = scene.color(correction.category_id)
    settings = scene.session.settings
    painter.fillRect(rect, filled(color, settings.fill_opacity))
    outline(painter, rect, color, style=SOLID if correction.confirmed else DASHED, width=scene.line(width))
    if rect.width() >= _TAG_FROM_WIDTH:
        name = names.get(correction.category_id, "")
        is_selected = scene.session.is_selected(correction.id)
        tag(painter, rect, name, color, size=settings.name_size, is_selected=is_selected)
    return rect


def _doubtful_edges(painter: QPainter, rect: QRectF, confidence: EdgeConfidence) -> None:
    _mark(painter, rect, _unsure(confidence))


def _unsure(confidence: EdgeConfidence) -> tuple[int, ...]:
    return tuple(edge for edge, probability in enumerate(confidence) if probability < DOUBTFUL_BELOW)


def _mark(painter: QPainter, rect: QRectF, edges: tuple[int, ...]) -> None:
    for edge in edges:
        # On top of the box's line, which shows between the dashes.
        painter.setPen(pen(theme.DOUBTFUL, DASHED, 3.2))
        painter.drawLine(edge_of(rect, edge))


def _chosen_edge(painter: QPainter, scene: Scene, rect: QRectF) -> None:
    if scene.session.chosen_edge is not None:
        painter.setPen(pen(QColor("#FFFFFF"), SOLID, 5.0))
        line: QLineF = edge_of(rect, scene.session.chosen_edge)
        painter.drawLine(line)
        painter.setPen(pen(theme.DOUBTFUL, SOLID, 2.6))
        painter.drawLine(line)
