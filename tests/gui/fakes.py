"""The one fake: an encoder and a refiner that count their calls and inset a box by a few pixels."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike

from boxrefine_gui.state.loaded_models import Device, Models
from core.encoders.image_features import DETAIL_SHAPE, EMBEDDING_SHAPE, ImageFeatures
from core.features.cache.feature_cache import FeatureCache
from core.features.feature_source import FeatureSource
from core.geometry import Box, Frame, as_boxes
from core.images import Picture
from core.records import Candidate, Refinement
from core.refiner.margins import Margin
from core.refiner.protocol import Refiner
from core.settings import Settings
from tests.gui.fake_suggest import FakeKit

INSET = 2.0
CROP_INSET = 5.0
CONFIDENCE = (0.9, 0.8, 0.3, 0.75)


def inset(box: Box, by: float = INSET) -> Box:
    """What the fake refiner answers to a drawn box; on a crop's features it insets it by `CROP_INSET`."""
    return Box(box.x1 + by, box.y1 + by, box.x2 - by, box.y2 - by)


def diamond(box: Box) -> tuple[float, ...]:
    """The outline that the fake refiner gives a box: its edges' middles."""
    x, y = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
    return (box.x1, y, x, box.y1, box.x2, y, x, box.y2)


class FakeEncoder:
    """Features of zeros, held back while `gate` is closed."""

    name = "fake"
    identity = "fake-0001"
    device = torch.device("cpu")

    def __init__(self) -> None:
        self.calls = 0
        self.fault: Exception | None = None  # raised once
        self.pictures: list[int] = []  # the first value of each picture that was encoded, in their order
        self.gate = threading.Event()
        self.gate.set()

    def encode(self, picture: Picture, frame: Frame) -> ImageFeatures:
        assert self.gate.wait(30)
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        self.calls += 1
        self.pictures.append(int(picture[0, 0, 0]))
        half = torch.float16
        return ImageFeatures(
            torch.zeros(EMBEDDING_SHAPE, dtype=half), torch.zeros(DETAIL_SHAPE, dtype=half), frame, self.identity
        )


class FakeRefiner:
    """Insets by some pixels; it can be held back, or made to fail."""

    name = "fake refiner"
    identity = "fake-refiner-0001"

    def __init__(self) -> None:
        self.calls = 0
        self.makes_masks = False
        self.score = 0.9
        self.fault: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        assert self.gate.wait(30)
        self.calls += 1
        if self.fault is not None:
            raise self.fault
        by = INSET if features.frame.is_whole else CROP_INSET
        boxes = [inset(Box(*row), by) for row in as_boxes(np.asarray(drawn)).tolist()]
        outlines = [(diamond(box),) if self.makes_masks else () for box in boxes]
        return [
            Refinement(box, CONFIDENCE, self.score, outline=outline)
            for box, outline in zip(boxes, outlines, strict=True)
        ]


class FakeFinder:
    """Gives a box two other answers: twice as wide, and its left half."""

    def __init__(self) -> None:
        self.calls = 0
        self.count = 3
        self.margins: list[Margin | None] = []
        self.fault: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def judged_candidates(
        self, features: ImageFeatures, drawn: Box, answer: Refinement, *, refiner: Refiner, margin: Margin | None = None
    ) -> tuple[Candidate, ...]:
        assert self.gate.wait(30)
        self.calls += 1
        self.margins.append(margin)
        if self.fault is not None:
            raise self.fault
        box = answer.box
        found = (
            Candidate(box, 0.6, answer.edge_confidence, answer.score),
            Candidate(whole_of(box), 0.3, (0.9, 0.9, 0.9, 0.2), 0.8),
            Candidate(half_of(box), 0.1, (0.9, 0.9, 0.9, 0.9), 0.7, (1.0, 1.0, 1.0, 1.0)),
        )
        return found[: self.count]


def whole_of(box: Box) -> Box:
    """The second candidate of the fake finder for an answer."""
    return Box(box.x1, box.y1, box.x2 + box.width, box.y2)


def half_of(box: Box) -> Box:
    """The third one."""
    return Box(box.x1, box.y1, box.x1 + box.width / 2, box.y2)


class FakeModels:
    """Loads the two fakes, held back while `gate` is closed; `fault` makes the loading fail."""

    def __init__(self) -> None:
        self.encoder = FakeEncoder()
        self.refiner = FakeRefiner()
        self.finder: FakeFinder | None = None
        self.fault: Exception | None = None
        self.cache: FeatureCache | None = None
        self.reach = 0
        self.looks_twice = False
        self.suggest: FakeKit | None = None
        self.device = "cpu"
        self.gate = threading.Event()
        self.gate.set()
        self.loaded_on = ""
        self.on_close: Callable[[], None] = lambda: None

    def __call__(self, settings: Settings) -> Models:
        assert self.gate.wait(30)
        self.loaded_on = threading.current_thread().name
        if self.fault is not None:
            raise self.fault
        return Models(
            source=FeatureSource(self.encoder, self.cache),
            refiner=self.refiner,
            encoder_name=self.encoder.name,
            encoder_identity=self.encoder.identity,
            refiner_name=self.refiner.name,
            refiner_identity=self.refiner.identity,
            device=Device("cpu" if settings.device == "cpu" else self.device),
            looks_twice=self.looks_twice,
            finder=self.finder,
            close=lambda: self.on_close(),
            reach=self.reach,
            stats=lambda: self.cache.stats if self.cache else None,
            suggest=self.suggest,
        )

    def open_all(self) -> None:
        """Let everything that is held back go on, so that lanes can end."""
        gates = [self.gate, self.encoder.gate, self.refiner.gate]
        gates += [extra.gate for extra in (self.finder, self.suggest) if extra is not None]
        for gate in gates:
            gate.set()


def sample_like_pictures(folder: Path, names: tuple[str, ...] = ("a.png", "b.png", "c.png")) -> Path:
    """A folder of small pictures, each of other pixels."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        ramp = np.linspace(0, 255, 200 * 150 * 3).reshape(150, 200, 3)
        Image.fromarray(((ramp + 40 * number) % 256).astype(np.uint8)).save(folder / name)
    return folder
