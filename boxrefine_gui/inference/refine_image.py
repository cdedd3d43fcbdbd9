"""Request to refine stored boxes of one image on the encode lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from boxrefine_gui.state.loaded_models import Models
from core.errors import BadFileError
from core.inference.guess_drawing import Moves
from core.records import Correction, ImageRecord
from core.translation import tr

if TYPE_CHECKING:
    from core.refiner.margins import Margin


@dataclass(frozen=True)
class RefineImageRequest:
    """Request to refine boxes of one image; calling it on the encode lane returns them with their refinements.

    `moves` are those of the boxes of earlier images, which show how boxes were drawn; the encode lane adds to them.
    """

    models: Models
    image: ImageRecord
    asked: Sequence[Correction]
    categories: Mapping[int, str]
    margins: Mapping[str, Margin] = field(default_factory=dict)
    moves: Moves = field(default_factory=Moves)

    def __call__(self) -> list[Correction]:
        from core.inference.refine_many import refine_guessing
        from core.progress import run

        models, path = self.models, self.image.path
        picture = models.source.opened(path, keep_crops=False)
        features = picture.of()
        now, then = (features.frame.image_width, features.frame.image_height), (self.image.width, self.image.height)
        if now != then:
            raise BadFileError(
                tr(
                    "The picture {path} is {width} x {height} pixels and was {old_width} x {old_height} when its boxes "
                    "were drawn: open it and look at them, or put the old one back.",
                    path=path,
                    width=now[0],
                    height=now[1],
                    old_width=then[0],
                    old_height=then[1],
                )
            )
        job = refine_guessing(
            [correction.drawn for correction in self.asked],
            [self.categories.get(correction.category_id) for correction in self.asked],
            moves=self.moves,
            drawing=None,
            picture=picture,
            features=features,
            refiner=models.with_margins(models.refiner, self.margins),
            second_look=models.looks_twice,
            closer=False,  # crops of single boxes take so long that the next opened image would have to wait
        )
        answers, _ = run(job)
        return [
            correction.with_answer(answer, encoder=models.encoder_identity, refiner=models.refiner_identity)
            for correction, answer in zip(self.asked, answers, strict=True)
        ]
