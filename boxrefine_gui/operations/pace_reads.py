"""Read the accepted boxes of the project for the pace of labelling, in parts, so that boxes are stored in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from boxrefine_gui.operations.parts import Parts
from core.pace import AcceptedWork

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

_AT_ONCE = 2_000


def read_work(parts: Parts, *, on_done: Callable[[list[AcceptedWork]], None]) -> None:
    """Call `on_done` with all accepted boxes; not at all if another project is opened meanwhile."""
    found: list[AcceptedWork] = []

    def read_from(first: int, last: int) -> None:
        def read(project: ProjectStore) -> list[AcceptedWork]:
            return project.accepted_work(first, min(first + _AT_ONCE - 1, last))

        def done(part: list[AcceptedWork]) -> None:
            found.extend(part)
            if first + _AT_ONCE <= last:
                read_from(first + _AT_ONCE, last)
            else:
                on_done(found)

        parts.store.read(read, on_done=done)

    parts.store.read(lambda project: project.last_correction_id(), on_done=lambda last: read_from(1, last))
