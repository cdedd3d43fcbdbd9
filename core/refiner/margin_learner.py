"""MarginLearner: the margins of a project's categories, kept up to date as its user accepts boxes."""

from __future__ import annotations

from collections.abc import Iterable

from core.refiner.learned_margins import MOST_BOXES, learn_margin
from core.refiner.margins import Margin
from core.store.project_reads import ProjectReads


class MarginLearner:
    """Learns the margins of one project for one refiner; only boxes that this refiner has moved count.

    After a change it reads the categories of the changed images again, at most MOST_BOXES boxes each.
    """

    def __init__(self, *, encoder: str, refiner: str) -> None:
        """`encoder` and `refiner` are identities."""
        self._encoder = encoder
        self._refiner = refiner
        self._margins: dict[int, Margin] = {}
        self._images: dict[int, set[int]] = {}  # by category: the images of the boxes that it was learned from
        self._is_new = True

    def learn(self, project: ProjectReads, changed: Iterable[int] | None = None) -> dict[str, Margin]:
        """Return the margins that are not zero, by name of category, after changes of these images; None: of any.

        `project` is the same one in every call, though its file may move. Call it on the project's thread. Raises as
        the reads of the project do.
        """
        categories = project.categories()
        for id in self._stale(project, changed, {category.id for category in categories}):
            answers = project.accepted_answers(id, encoder=self._encoder, refiner=self._refiner, most=MOST_BOXES)
            self._images[id] = {answer.image_id for answer in answers}
            self._margins[id] = learn_margin(answers)
        learned = ((category.name, self._margins.get(category.id, Margin())) for category in categories)
        return {name: margin for name, margin in learned if any(margin.edges)}

    def _stale(self, project: ProjectReads, changed: Iterable[int] | None, categories: set[int]) -> set[int]:
        if changed is None or self._is_new:
            self._is_new = False
            return categories
        images = set(changed)
        lost = {id for id, learned_from in self._images.items() if not images.isdisjoint(learned_from)}
        return (project.categories_on(images) | lost) & categories


def project_margins(project: ProjectReads, *, encoder: str, refiner: str) -> dict[str, Margin]:
    """Return the margins that a project's accepted boxes teach a refiner at once, by name of category.

    `encoder` and `refiner` are identities. Raises as the reads of the project do.
    """
    return MarginLearner(encoder=encoder, refiner=refiner).learn(project)
