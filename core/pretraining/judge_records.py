"""Records of finds: what is known about them, whether they are right, and how today's rule rates them, in one file."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import BadFileError, reason
from core.files import written_whole
from core.suggest.judging import KNOWN
from core.suggest.suggester import Refined, Suggester
from core.suggest.trust import Judged, Trust

Numbers = NDArray[Any]

_FINDS = {
    "known": np.float32, "boxes": np.float32, "category": np.int32, "places": np.int32, "today": np.float32,
    "overlap": np.float32, "object": np.int32, "picture": np.int32, "episode": np.int32, "left_out": np.bool_,
}  # fmt: skip
_EPISODES = {
    "size": np.int32, "given": np.int32, "objects": np.int32, "tested": np.int32, "threshold": np.float32,
    "whole": np.bool_, "set": np.int32,
}  # fmt: skip


@dataclass(frozen=True)
class Records:
    """N finds and E episodes.

    known: (N, K) `KNOWN`; boxes: (N, 4) refined, image pixels; category, places: (N,) of the head, of the peak
    today: (N,) the probability that the trust in its head gives; overlap: (N,) the IoU with a true box of its category,
    0 below 0.5; object: (N,) which one, or -1; picture: (N,); episode: (N,) row of the episode
    left_out: (N,) on a labelled picture that was left out, of which `today` and `boxes` are 0
    size, given, objects, tested, threshold, whole, set: (E,) labelled pictures, examples in the picture itself, objects
    to be found, pictures searched, the automatic threshold of the trust, whether pictures were done, row in `sets`
    """

    known: Numbers
    boxes: Numbers
    category: Numbers
    places: Numbers
    today: Numbers
    overlap: Numbers
    object: Numbers
    picture: Numbers
    episode: Numbers
    left_out: Numbers
    size: Numbers
    given: Numbers
    objects: Numbers
    tested: Numbers
    threshold: Numbers
    whole: Numbers
    set: Numbers
    sets: tuple[str, ...]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each find is right: (N,)."""
        return np.asarray(self.overlap > 0)


class RecordsMaker:
    """Collects the episodes of one draw of a set."""

    def __init__(self) -> None:
        self._finds: list[dict[str, Numbers]] = []
        self._episodes: list[dict[str, float]] = []

    def episode(self, *, size: int, given: int, boxes: int, tested: int, trust: Trust, whole: bool) -> None:
        """Begin an episode, to which all finds belong that follow."""
        self._episodes.append(
            {"size": size, "given": given, "objects": boxes, "tested": tested, "threshold": trust.threshold}
            | {"whole": whole, "set": 0}
        )

    def left_out(self, judged: Judged, names: Sequence[str]) -> None:
        """Add the finds of a labelled picture that was left out; `names` are the head's categories."""
        count, rows = len(judged.right), [list(names).index(each) for each in judged.categories]
        nothing = np.zeros(count)
        self._add(
            known=judged.known, boxes=np.zeros((count, 4)), category=rows,
            places=nothing, today=nothing, overlap=judged.right.astype(float), object=nothing - 1, picture=nothing - 1,
            left_out=nothing + 1,
        )  # fmt: skip

    def finds(self, found: Refined, suggester: Suggester, overlap: Numbers, row: Numbers, *, picture: int) -> None:
        """Add the finds of a picture; `overlap` and `row` are the IoU and number of each one's object."""
        count = len(found.names)
        self._add(
            known=found.known, boxes=found.boxes, category=found.peaks.categories, places=found.peaks.places,
            today=suggester.trust.probability(found.peaks.logits, found.names), overlap=overlap, object=row,
            picture=np.full(count, picture), left_out=np.zeros(count),
        )  # fmt: skip

    def _add(self, **columns: Numbers | Sequence[int]) -> None:
        known = np.asarray(columns["known"])
        episode = np.full(len(known), len(self._episodes) - 1)
        whole = {**columns, "episode": episode}
        self._finds.append({name: np.asarray(whole[name], kind) for name, kind in _FINDS.items()})

    def records(self) -> Records:
        """What was collected."""
        columns: dict[str, Numbers] = {}
        for name, kind in _FINDS.items():
            empty: Numbers = np.zeros((0, _width(name)) if _width(name) else 0, kind)
            columns[name] = np.concatenate([empty, *(each[name] for each in self._finds)])
        for name, kind in _EPISODES.items():
            columns[name] = np.array([each[name] for each in self._episodes], kind)
        return _records(columns, ("",))


def _records(columns: dict[str, Numbers], sets: tuple[str, ...]) -> Records:
    return Records(sets=sets, **{name: columns[name] for name in (*_FINDS, *_EPISODES)})


def _width(name: str) -> int:
    return {"known": len(KNOWN), "boxes": 4}.get(name, 0)


def save_records(records: Records, path: Path) -> None:
    """Write records as NPZ, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: value for name, value in vars(records).items() if name != "sets"}
    with written_whole(path) as beside, beside.open("wb") as file:
        np.savez_compressed(file, **columns, names=np.array(KNOWN))


def load_records(parts: Sequence[tuple[str, Path]]) -> Records:
    """Read the records of draws, each with the name of its set, as one.

    Raises BadFileError if one is damaged or of another version.
    """
    sets = tuple(sorted({name for name, _ in parts}))
    columns: dict[str, list[Numbers]] = {name: [] for name in (*_FINDS, *_EPISODES)}
    episodes = 0
    for name, path in parts:
        try:
            # numpy leaves a file that it cannot read open, unless it is given an open one.
            with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
                if tuple(file["names"].tolist()) != KNOWN:
                    raise ValueError("it is of another version")
                part = {column: file[column] for column in columns}
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise BadFileError(f"{path} is no record of finds ({reason(error)}): delete it.") from error
        part["set"] = np.full(len(part["size"]), sets.index(name), np.int32)
        part["episode"] = part["episode"] + episodes
        episodes += len(part["size"])
        for column, values in part.items():
            columns[column].append(values)
    return _records({column: np.concatenate(values) for column, values in columns.items()}, sets)
