"""Pictures in batches, as for a GPU: the answers are those of one picture after the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

from core.encoders.catalogue import load_encoder
from core.encoders.image_features import Encoder
from core.errors import BadFileError
from core.features.cache.feature_cache import FeatureCache
from core.features.feature_source import FeatureSource
from core.geometry import Box, as_boxes
from core.inference.refine_pictures import DrawnPicture, Outcome, Work, reading_ahead, refine_pictures
from core.progress import run
from core.records import Drawing
from core.refiner.box_refiner import BoxRefiner
from core.refiner.checkpoint import load_refiner
from core.refiner.conservative import careful
from core.refiner.guarded import GuardedRefiner
from core.refiner.learned_margins import LearnedMargins
from core.refiner.margins import PIXELS, Margin
from core.refiner.protocol import Refiner
from core.refiner.together import Drawn, refine_together
from core.sample_project import sample_pictures
from tests.core.feature_files import CountingEncoder, save_picture

pytestmark = pytest.mark.slow


class Shipped(NamedTuple):
    """The shipped models, and pictures of the sample project."""

    encoder: Encoder
    refiner: Refiner
    paths: list[Path]


@pytest.fixture(scope="module")
def shipped() -> Shipped:
    encoder = load_encoder("light", "cpu")
    return Shipped(encoder, load_refiner(None, encoder), sample_pictures()[:3])


@pytest.fixture(autouse=True)
def in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the refiner take batches as it does on a GPU."""
    monkeypatch.setattr(BoxRefiner, "refine_together", BoxRefiner.refine_in_batches)


def boxes_on(count: int, *, seed: int = 0) -> list[Box]:
    random = np.random.default_rng(seed)
    low = random.uniform(0, 300, (count, 2))
    return [Box.of(row) for row in np.concatenate([low, low + random.uniform(20, 150, (count, 2))], axis=1)]


def refiners(refiner: Refiner) -> list[Refiner]:
    assert isinstance(refiner, BoxRefiner)
    wide = refiner.widened(Margin(2, 2, 2, 2, PIXELS))
    return [refiner, wide, refiner.of_drawing(Drawing.DRAG), careful(refiner), GuardedRefiner(careful(wide))]


def test_frames_together_have_the_answers_of_each(shipped: Shipped) -> None:
    source = FeatureSource(shipped.encoder, None)
    asked = [
        Drawn(source.of_path(path), as_boxes(boxes_on(count, seed=count)))
        for path, count in zip([*shipped.paths, shipped.paths[0]], (1, 5, 0, 70), strict=True)
    ]
    for refiner in refiners(shipped.refiner):
        together = refine_together(refiner, asked)
        for (features, boxes), answers in zip(asked, together, strict=True):
            for one, other in zip(refiner.refine(features, boxes), answers, strict=True):
                assert one.box == pytest.approx(other.box, abs=0.02)
                assert one.edge_confidence == pytest.approx(other.edge_confidence, abs=1e-3)
                assert one.margin == (other.margin and pytest.approx(other.margin, abs=1e-3))


@pytest.mark.parametrize("second_look", [False, True])
def test_pictures_in_batches_have_the_outcomes_of_each(
    shipped: Shipped, second_look: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [*shipped.paths, Path("missing.jpg"), shipped.paths[0]]
    refiner = LearnedMargins(shipped.refiner, {"cat": Margin(1, 1, 1, 1, PIXELS)})

    def outcomes(at_once: int, *, other_encoder: bool = False) -> dict[int, Outcome]:
        source = FeatureSource(shipped.encoder, None)

        def opened(number: int) -> DrawnPicture:
            picture, boxes = source.opened(paths[number]), boxes_on(4, seed=number)
            features = picture.of()
            if other_encoder and number == 1:
                features = replace(features, encoder="another")
            return DrawnPicture(picture, features, boxes, ["cat", None, "dog", "cat"])

        found: dict[int, Outcome] = {}
        work = Work(opened, refiner, second_look, at_once=at_once)
        run(refine_pictures(range(len(paths)), work, name=str, take=found.__setitem__))
        return found

    alone = outcomes(1)
    monkeypatch.setattr(shipped.encoder, "crops_at_once", 4)
    together = outcomes(4)
    assert isinstance(alone[3].error, BadFileError) and isinstance(together[3].error, BadFileError)
    for number in (0, 1, 2, 4):
        assert together[number].second_looks == alone[number].second_looks
        for one, other in zip(alone[number].answers, together[number].answers, strict=True):
            # Pixels may differ by one level, which moves edges that the refiner hardly sees.
            assert [*one.box] == pytest.approx([*other.box], abs=1.0)
            assert one.score == pytest.approx(other.score, abs=0.02)
    assert (sum(outcome.second_looks for outcome in alone.values()) > 3) == second_look
    mixed = outcomes(4, other_encoder=True)
    assert [number for number, outcome in mixed.items() if outcome.error] == [3, 1]
    assert len(mixed[0].answers) == 4


class CountingOnGpu(CountingEncoder):
    """Says that it computes on a GPU."""

    device = torch.device("cuda")


def test_cached_features_are_read_ahead_in_order(tmp_path: Path) -> None:
    paths = [save_picture(tmp_path / f"{number}.bmp", gray=number) for number in range(60)]
    encoder = CountingOnGpu()
    with FeatureCache(tmp_path / "cache", ram_budget=0) as cache:
        source = FeatureSource(encoder, cache, now_ns=lambda: 2**62)
        wanted = {path: source.of_path(path) for path in paths if path.stem != "7"}
        with reading_ahead(source, paths) as ahead:
            assert ahead is not None
            for path in paths:
                found = ahead.next()
                if path in wanted:
                    assert found is not None and torch.equal(found.embedding, wanted[path].embedding)
                else:
                    assert found is None
        assert encoder.encoded == 59
        with reading_ahead(FeatureSource(CountingEncoder(), cache), paths) as ahead:
            assert ahead is None
