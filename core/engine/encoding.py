"""Callables that encode batches of pictures: classes for Ray Data's `map_batches`, a function for `mapInPandas`.

A class is made once for each worker, loads its encoder, and then takes batch after batch. Rows have the column
`picture`, a path or an address, and may have `number`, which comes back. Each row comes back with `state`, one of
`core.engine.rows`, and `note`, a sentence on what went wrong. The features go to the caches of the plan.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from core.engine.plan import WorkerPlan
from core.engine.rows import CACHED, DECODED, ENCODED, FAILED, REFUSED, Rows, columns, numbers_of, pictures_of
from core.engine.witness import Witness
from core.errors import BadFileError, KnownError
from core.features.cache.feature_cache import FeatureCache
from core.features.cache.feature_key import FeatureKey
from core.features.encoding.batches import BatchEncoder, Prepared
from core.features.encoding.encode_pipeline import EncodePipeline, Pace
from core.features.encoding.read_ahead import Found, PictureReader
from core.features.feature_source import FeatureSource
from core.object_store.remote_file import PictureFile
from core.progress import run
from core.translation import tr

if TYPE_CHECKING:
    import pandas as pd

State = tuple[str, str]


class EncodePictures:
    """Reads and encodes the pictures of a batch on one worker, in threads, as `boxrefine encode` does."""

    def __init__(self, plan: WorkerPlan, witness: Witness | None = None) -> None:
        """Load the encoder. A worker that the plan refuses answers each row so."""
        self._plan = plan
        self._witness = witness
        self._source, self._refused = load_plan(plan)

    def __call__(self, rows: Rows) -> Rows:
        """Encode the pictures of a batch."""
        numbers, pictures = numbers_of(rows), pictures_of(rows)
        refused = [(REFUSED, self._refused)] * len(numbers)
        states = refused if self._source is None else list(self._states(numbers, pictures))
        return _answered(numbers, pictures, states, self._source)

    def _states(self, numbers: list[int], pictures: list[PictureFile]) -> Iterator[State]:
        block = numbers[0] if numbers else 0
        killers = self._witness.start(block) if self._witness is not None else None
        if killers is None:
            yield from self._encode(pictures)
            return
        assert self._witness is not None
        for number, picture in zip(numbers, pictures, strict=True):
            if number in killers:
                yield FAILED, sentence_of_killer(picture)
                continue
            self._witness.begin(block, number)
            yield from self._encode([picture])

    def _encode(self, pictures: list[PictureFile]) -> list[State]:
        assert self._source is not None
        states: list[State] = []
        pipeline = EncodePipeline(
            self._source,
            self._batches,
            Pace(readers=self._plan.readers, batch=self._plan.batch, writers=2),
            on_cpu=self._on_cpu,
            complain=_ignore,
            notice=lambda found: states.append(state_of(found)),
        )
        run(pipeline.run(pictures))
        cache = self._source.cache
        if cache is None:
            return states
        trouble = trouble_of(cache)
        if trouble:
            states = [(FAILED, trouble) if state == ENCODED else (state, note) for state, note in states]
        return states + [(FAILED, trouble)] * (len(pictures) - len(states))

    @cached_property
    def _batches(self) -> BatchEncoder:
        assert self._source is not None
        return BatchEncoder(self._source.encoder, precision=self._plan.precision)

    def _on_cpu(self) -> BatchEncoder:
        from core.encoders.catalogue import load_encoder

        return BatchEncoder(load_encoder(self._plan.encoder, "cpu"), precision=self._plan.precision)


class DecodePictures:
    """Reads pictures on a worker without a GPU, and makes of each the input of the network.

    Rows that come back with the state `decoded` have pixels (S, S, 3) uint8, and `key`, `width` and `height` for
    `EncodePixels`; the pixels of others are zero.
    """

    def __init__(self, plan: WorkerPlan, witness: Witness | None = None) -> None:
        """Load the encoder on the CPU, as it knows how to resize pictures."""
        self._plan = replace(plan, device="cpu")
        self._witness = witness
        self._source, self._refused = load_plan(self._plan)

    def __call__(self, rows: Rows) -> Rows:
        """Decode the pictures of a batch."""
        numbers, pictures = numbers_of(rows), pictures_of(rows)
        killers = self._witness.start(numbers[0]) if self._witness is not None and numbers else None
        found: list[Found] = []
        for number, picture in zip(numbers, pictures, strict=True):
            if killers is not None and number in killers:
                found.append(BadFileError(sentence_of_killer(picture)))
                continue
            if killers is not None and self._witness is not None:
                self._witness.begin(numbers[0], number)
            found.append(self._reader.read(picture) if self._source is not None else None)
        states = [state_of(each) if not self._refused else (REFUSED, self._refused) for each in found]
        return _decoded(numbers, pictures, states, found, side=self._reader.side if self._source is not None else 1)

    @cached_property
    def _reader(self) -> PictureReader:
        assert self._source is not None
        batches = BatchEncoder(self._source.encoder, precision=self._plan.precision)
        return PictureReader(self._source, batches.prepare, side=batches.side)


class EncodePixels:
    """Encodes what `DecodePictures` has read, on a worker that holds the network."""

    def __init__(self, plan: WorkerPlan) -> None:
        """Load the encoder."""
        self._plan = plan
        self._source, self._refused = load_plan(plan)

    def __call__(self, rows: Rows) -> Rows:
        """Encode the decoded rows of a batch, `plan.batch` at a time, and store their features."""
        states = list(zip(rows["state"], rows["note"], strict=True))
        waiting = [row for row, (state, _) in enumerate(states) if state == DECODED]
        if self._source is None:
            states = [(REFUSED, self._refused)] * len(states)
            waiting = []
        for start in range(0, len(waiting), self._plan.batch):
            chosen = waiting[start : start + self._plan.batch]
            for row, state in zip(chosen, self._encode(rows, chosen), strict=True):
                states[row] = state
        numbers = [int(number) for number in rows["number"]]
        return _answered(numbers, rows["picture"], [(str(state), str(note)) for state, note in states], self._source)

    def _encode(self, rows: Rows, chosen: list[int]) -> list[State]:
        assert self._source is not None and self._source.cache is not None
        keys = [FeatureKey.of_text(str(rows["key"][row])) for row in chosen]
        prepared = [
            Prepared(
                torch.from_numpy(np.array(rows["pixels"][row])),
                int(rows["width"][row]),
                int(rows["height"][row]),
                key.frame,
            )
            for row, key in zip(chosen, keys, strict=True)
        ]
        cache = self._source.cache
        for key, features in zip(keys, self._batches.start(prepared, size=self._plan.batch).features(), strict=True):
            cache.put(key, features)
        trouble = trouble_of(cache)
        return [(FAILED, trouble) if trouble else (ENCODED, "")] * len(chosen)

    @cached_property
    def _batches(self) -> BatchEncoder:
        assert self._source is not None
        return BatchEncoder(self._source.encoder, precision=self._plan.precision)


def _answered(
    numbers: list[int], pictures: Sequence[object], states: list[State], source: FeatureSource | None
) -> Rows:
    """The rows of an answer; the first one has the rows for the manifest of the shared cache, unless it is written."""
    shared = source.cache.shared if source is not None and source.cache is not None else None
    listing = [""] * len(numbers)
    if shared is not None:
        shared.flush()
        rows = shared.take_rows()
        if rows and listing:
            listing[0] = json.dumps(rows)
    return columns(
        number=numbers,
        picture=[str(picture) for picture in pictures],
        state=[state for state, _ in states],
        note=[note for _, note in states],
        listing=listing,
    )


def _decoded(
    numbers: list[int], pictures: list[PictureFile], states: list[State], found: list[Found], *, side: int
) -> Rows:
    ready = [each if isinstance(each, tuple) else None for each in found]
    pixels = np.zeros((len(found), side, side, 3), np.uint8)
    for place, entry in zip(pixels, ready, strict=True):
        if entry is not None:
            place[:] = entry[1].pixels.numpy()
    kept = columns(
        number=numbers,
        picture=[str(picture) for picture in pictures],
        state=[DECODED if entry else state for entry, (state, _) in zip(ready, states, strict=True)],
        note=[note for _, note in states],
        key=[entry[0].text if entry else "" for entry in ready],
        width=[entry[1].width if entry else 0 for entry in ready],
        height=[entry[1].height if entry else 0 for entry in ready],
    )
    return kept | {"pixels": pixels}


def trouble_of(cache: FeatureCache) -> str:
    """One sentence on why a cache, or the shared one behind it, does not keep features; empty where it does."""
    shared = cache.shared.trouble if cache.shared is not None and cache.shared.writes else None
    return cache.trouble or shared or ""


def load_plan(plan: WorkerPlan) -> tuple[FeatureSource | None, str]:
    """Load the source of a plan, or give the sentence why it is refused."""
    try:
        return plan.load(), ""
    except KnownError as error:
        return None, str(error)


def sentence_of_killer(picture: PictureFile) -> str:
    """What is reported on a picture that has ended two processes."""
    return tr("The picture {path} ends the process that reads it: replace it.", path=picture)


def state_of(found: Found) -> State:
    """What became of a picture that a reader has read."""
    if found is None:
        return CACHED, ""
    return (FAILED, str(found)) if isinstance(found, KnownError) else (ENCODED, "")


def encode_frames(frames: Iterable[pd.DataFrame], plan: WorkerPlan) -> Iterator[pd.DataFrame]:
    """Encode the pictures of data frames: `functools.partial(encode_frames, plan=plan)` for Spark's `mapInPandas`.

    Frames have the column `picture`, and may have `number`; those that come back have the columns of
    `EncodePictures`.
    """
    import pandas as pd

    worker = EncodePictures(plan)
    for frame in frames:
        found: dict[str, Any] = worker({name: frame[name].tolist() for name in frame.columns})
        yield pd.DataFrame(found)


def _ignore(_: str) -> None:
    """The note of each row has the sentence."""
