"""Requests to find objects in one picture; calling them on a lane gives boxes to store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from boxrefine_gui.state.loaded_models import Models
from boxrefine_gui.state.suggesting_state import Suggester, Suggestion
from core.head_records import PictureContext
from core.records import Correction, ImportedBox, Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.encoders.image_features import ImageFeatures
    from core.refiner.margins import Margin


@dataclass(frozen=True)
class SuggestRequest:
    """Request to find the objects of all categories of a head in one picture.

    `features` are None if the picture is not open: those in the cache are used then, and without any the result is
    None. `threshold` is the least probability, None for the automatic one.
    """

    models: Models
    suggester: Suggester
    path: Path
    context: PictureContext
    features: ImageFeatures | None = None
    threshold: float | None = None
    margins: Mapping[str, Margin] = field(default_factory=dict)

    def __call__(self) -> list[ImportedBox] | None:
        features = self.features or self.models.source.at_hand(self.path)
        if features is None:
            return None
        found = self.suggester.suggest(
            features,
            self.models.with_margins(self.models.refiner, self.margins),
            known=self.context.known,
            rejected=self.context.labels.rejected,
            threshold=self.threshold,
        )
        return to_store(found, self.context.labels.id, self.suggester.identity, self.models)


@dataclass(frozen=True)
class RestRequest:
    """Request to find the other objects of one category in the open picture, by its accepted boxes there."""

    models: Models
    features: ImageFeatures
    context: PictureContext
    category: str
    threshold: float | None = None
    margins: Mapping[str, Margin] = field(default_factory=dict)

    def __call__(self) -> list[ImportedBox]:
        models, labels = self.models, self.context.labels
        assert models.suggest is not None
        examples = [entry for entry in labels.boxes if entry[1] == self.category]
        rejected = [entry for entry in labels.rejected if entry[1] == self.category]
        suggester = models.suggest.from_examples(self.features, examples, rejected=rejected)
        found = suggester.suggest(
            self.features,
            models.with_margins(models.refiner, self.margins),
            known=self.context.known,
            rejected=rejected,
            threshold=self.threshold,
        )
        return to_store(found, labels.id, suggester.identity, models)


def to_store(found: Sequence[Suggestion], image_id: int, head: str, models: Models) -> list[ImportedBox]:
    """Convert suggestions to boxes to check: the refined box, with the one that the head found as the drawn one."""
    boxes = []
    for each in found:
        origin = Origin("", each.found, head, each.probability)
        box = Correction(image_id, 0, each.found, each.answer.box, origin=origin, confirmed=False)
        made_by = {"encoder": models.encoder_identity, "refiner": models.refiner_identity}
        boxes.append(ImportedBox(each.category, box.with_answer(each.answer, **made_by)))
    return boxes
