"""PictureSizes: corrects the stored size of an image that differs from its decoded picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boxrefine_gui.operations.box_verbs import Parts
from boxrefine_gui.state.level import Level
from core.records import Changes
from core.translation import tr

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore


class PictureSizes:
    """Compares the size of the open picture with the project's once it is decoded.

    Earlier versions took the size of some turned pictures from the wrong place, and a file may be replaced. Boxes keep
    their pixels, because their right places are unknown.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        parts.session.picture_changed.connect(self._compare)

    def _compare(self) -> None:
        session = self._parts.session
        image, picture = session.image, session.picture
        if image is None or picture is None or image.id < 1 or picture.image_id != image.id:
            return
        width, height = picture.size.width(), picture.size.height()
        if (width, height) == (image.width, image.height):
            return

        def correct(project: ProjectStore) -> Changes:
            return Changes() if project.read_only else project.correct_size(image.id, width, height)

        session.renew_size(image.id, width=width, height=height)
        has_boxes = bool(session.counts.get(image.id, 0) or session.drawn_on(image.id))
        sentence = tr(
            "{name} has {width} x {height} pixels, and the project had {old_width} x {old_height}: it has the right "
            "size now.",
            name=image.path.name,
            width=width,
            height=height,
            old_width=image.width,
            old_height=image.height,
        )
        if has_boxes:
            sentence = f"{sentence} {tr('The boxes on it keep their pixels: look at them.')}"
        session.tell(sentence, Level.WARNING if has_boxes else Level.INFO)
        self._parts.store.write(correct, on_done=session.apply)
