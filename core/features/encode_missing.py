"""Bringing the features of many pictures into the cache: only the missing ones are encoded, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import BadFileError
from core.features.feature_source import FeatureSource
from core.features.picture_memory import KnownPicture
from core.images import Picture
from core.progress import Job, Progress


@dataclass
class Extraction:
    """How many pictures were cached and how many had to be encoded, and a sentence for each that cannot be read."""

    hits: int = 0
    encoded: int = 0
    bad: dict[Path, str] = field(default_factory=dict)

    @property
    def hit_rate(self) -> float:
        """Share of the pictures whose features were there."""
        return self.hits / max(1, self.hits + self.encoded)


def encode_missing(paths: Sequence[Path], source: FeatureSource, *, batch: int) -> Job[Extraction]:
    """Encode the pictures that the cache of `source` does not hold, `batch` at a time."""
    done = Extraction()
    waiting: list[tuple[Path, Picture, KnownPicture]] = []
    for count, path in enumerate(paths):
        yield Progress(count, len(paths), f"preparing {path.name}", {"hit_rate": done.hit_rate})
        try:
            known = source.recall(path)
            if known is None or source.cached(path, known, None) is None:
                waiting.append((path, *source.read(path)))
            else:
                done.hits += 1
        except BadFileError as error:
            done.bad[path] = str(error)
        if len(waiting) == batch:
            source.encode_pictures(waiting)
            done.encoded += len(waiting)
            waiting.clear()
    if waiting:
        source.encode_pictures(waiting)
        done.encoded += len(waiting)
    yield Progress(len(paths), len(paths), "prepared", {"hit_rate": done.hit_rate})
    return done
