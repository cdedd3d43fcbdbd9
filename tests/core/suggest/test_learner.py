"""From a few labelled pictures a head finds the objects of other ones; what the user rejected does not come again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.encoders.catalogue import load_encoder
from core.encoders.image_features import Encoder, ImageFeatures
from core.errors import BadInputError, BadWeightsError
from core.features.feature_source import FeatureSource
from core.geometry import Box, iou
from core.head_records import Named, PictureLabels
from core.progress import run
from core.refiner.checkpoint import load_refiner
from core.refiner.protocol import Refiner
from core.suggest.extracts import read_cells
from core.suggest.head_file import from_bytes, to_bytes
from core.suggest.learner import HeadLearner, learn_from_examples
from core.suggest.network import SuggestNetwork
from core.suggest.shipped import load_shipped_network
from core.suggest.suggester import MOST, Suggester, Suggestion
from tests.core.suggest.discs import save_discs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("light", "cpu")


@pytest.fixture(scope="module")
def refiner(encoder: Encoder) -> Refiner:
    return load_refiner(None, encoder)


@pytest.fixture(scope="module")
def network(encoder: Encoder) -> SuggestNetwork:
    return load_shipped_network(encoder)


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> dict[int, PictureLabels]:
    folder = tmp_path_factory.mktemp("discs")
    found = {seed: save_discs(folder / f"{seed}.png", seed=seed) for seed in range(5)}
    source = FeatureSource(encoder, None)
    FEATURES.update({seed: source.of_path(folder / f"{seed}.png") for seed in found})
    return found


FEATURES: dict[int, ImageFeatures] = {}


@pytest.fixture(scope="module")
def learned(network: SuggestNetwork, labels: dict[int, PictureLabels], encoder: Encoder) -> Suggester:
    learner = HeadLearner(network, encoder=encoder.identity)
    found = run(learner.learn([labels[seed] for seed in range(4)], FEATURES.get))
    assert found is not None
    return found


def share_found(suggestions: list[Suggestion], wanted: Named) -> float:
    """Of the wanted boxes, the share that a suggestion of the same category covers."""
    hits = 0
    for box, name in wanted:
        own = [each.answer.box for each in suggestions if each.category == name]
        hits += any(iou(np.array([box]), np.array([each]))[0] > 0.6 for each in own)
    return hits / len(wanted)


def test_the_objects_of_the_next_picture_are_found(
    learned: Suggester, labels: dict[int, PictureLabels], refiner: Refiner
) -> None:
    found = learned.suggest(FEATURES[4], refiner)
    assert learned.names == ("disc", "square")
    assert share_found(found, labels[4].boxes) >= 0.8
    assert len(found) <= 12
    assert all(0 <= each.probability <= 1 for each in found)
    assert [each.probability for each in found] == sorted((each.probability for each in found), reverse=True)


def test_known_and_rejected_boxes_do_not_come_again(
    learned: Suggester, labels: dict[int, PictureLabels], refiner: Refiner
) -> None:
    whole = labels[4].boxes
    found = learned.suggest(FEATURES[4], refiner, known=whole[:3], rejected=whole[3:5])
    assert share_found(found, whole[:5]) == 0
    assert share_found(found, whole[5:]) >= 0.6


def test_only_the_categories_that_were_asked_for_are_suggested(learned: Suggester, refiner: Refiner) -> None:
    found = learned.suggest(FEATURES[4], refiner, categories=["square"])
    assert {each.category for each in found} == {"square"}


def test_one_example_finds_the_rest_of_the_picture(
    network: SuggestNetwork, labels: dict[int, PictureLabels], encoder: Encoder, refiner: Refiner
) -> None:
    discs = [entry for entry in labels[4].boxes if entry[1] == "disc"]
    suggester = learn_from_examples(network, FEATURES[4], discs[:1], encoder=encoder.identity)
    found = suggester.suggest(FEATURES[4], refiner, known=discs[:1], threshold=0.2)
    assert share_found(found, tuple(discs[1:])) >= 0.8


def test_a_rejected_find_is_less_likely_in_other_pictures_too(
    network: SuggestNetwork, labels: dict[int, PictureLabels], encoder: Encoder
) -> None:
    # Squares were accepted as "thing" in one picture; in the next ones the user rejects them.
    plain = [PictureLabels(seed, tuple((box, "thing") for box, _ in labels[seed].boxes)) for seed in (0,)]
    refused = [
        PictureLabels(
            seed,
            tuple((box, "thing") for box, name in labels[seed].boxes if name == "disc"),
            rejected=tuple((box, "thing") for box, name in labels[seed].boxes if name == "square"),
        )
        for seed in (1, 2, 3)
    ]
    before = run(HeadLearner(network, encoder=encoder.identity).learn(plain, FEATURES.get))
    after = run(HeadLearner(network, encoder=encoder.identity).learn([*plain, *refused], FEATURES.get))
    assert before is not None
    assert after is not None
    squares = [box for box, name in labels[4].boxes if name == "square"]

    def mean_logit(suggester: Suggester) -> float:
        peaks, _, _ = suggester.find(FEATURES[4], read_cells(network, FEATURES[4], encoder=encoder.identity))
        near = [
            max(
                (logit for box, logit in zip(peaks.boxes, peaks.logits, strict=True) if _covers(box, square)),
                default=-9,
            )
            for square in squares
        ]
        return float(np.mean(near))

    assert mean_logit(after) < mean_logit(before) - 1


def _covers(box: np.ndarray, other: Box) -> bool:
    return bool(iou(box[None], np.array([other]))[0] > 0.5)


def test_unchanged_pictures_are_read_once(
    network: SuggestNetwork, labels: dict[int, PictureLabels], encoder: Encoder
) -> None:
    asked: list[int] = []

    def features_of(id: int) -> ImageFeatures:
        asked.append(id)
        return FEATURES[id]

    learner = HeadLearner(network, encoder=encoder.identity)
    for last in (2, 3):
        run(learner.learn([labels[seed] for seed in range(last)], features_of))
    fresh = [asked.count(seed) for seed in range(3)]
    # Each picture is read for its extract once, and once more in each run that leaves it out.
    assert fresh == [3, 3, 2]


@pytest.mark.parametrize(
    "said",
    [[], [PictureLabels(0, ())], [PictureLabels(0, (), done=True)], [PictureLabels(7, ((Box(0, 0, 9, 9), "a"),))]],
)
def test_too_little_to_learn_from_gives_none(
    said: list[PictureLabels], network: SuggestNetwork, labels: dict[int, PictureLabels], encoder: Encoder
) -> None:
    assert run(HeadLearner(network, encoder=encoder.identity).learn(said, FEATURES.get)) is None


@pytest.mark.long
def test_two_thousand_objects_are_learned_and_suggestions_have_a_limit(
    network: SuggestNetwork, labels: dict[int, PictureLabels], encoder: Encoder, refiner: Refiner
) -> None:
    random = np.random.default_rng(0)
    corners = random.uniform(0, 200, (2000, 2))
    many = tuple((Box(x, y, x + 9, y + 9), "dot") for x, y in corners.tolist())
    found = run(HeadLearner(network, encoder=encoder.identity).learn([replace(labels[0], boxes=many)], FEATURES.get))
    assert found is not None
    assert len(found.suggest(FEATURES[1], refiner, threshold=0.0)) <= MOST


def test_features_of_another_encoder_are_refused(learned: Suggester, refiner: Refiner) -> None:
    with pytest.raises(BadInputError, match="encode the image again"):
        learned.suggest(replace(FEATURES[4], encoder="other-1"), refiner)


def test_a_head_comes_back_from_its_bytes(learned: Suggester, network: SuggestNetwork, refiner: Refiner) -> None:
    content = to_bytes(learned, network="net-1")
    again = from_bytes(content, network, identity="net-1", encoder=learned.encoder)
    assert again.identity == learned.identity
    assert again.trust == learned.trust
    before, after = (each.suggest(FEATURES[4], refiner) for each in (learned, again))
    assert [each.found for each in after] == [each.found for each in before]


@pytest.mark.parametrize("change", ["cut", "other network", "other encoder", "newer", "nan", "no bytes"])
def test_a_head_that_cannot_be_used_is_refused(change: str, learned: Suggester, network: SuggestNetwork) -> None:
    content = to_bytes(learned, network="net-1")
    encoder, identity = learned.encoder, "net-1"
    if change == "cut":
        content = content[:-10]
    elif change == "other network":
        identity = "net-2"
    elif change == "other encoder":
        encoder = "light-other"
    elif change == "newer":
        content = content.replace(b'\\"format\\": 1', b'\\"format\\": 9')
    elif change == "nan":
        content = content[:-4] + np.float32(np.nan).tobytes()
    else:
        content = b""
    with pytest.raises(BadWeightsError):
        from_bytes(content, network, identity=identity, encoder=encoder)


def test_learning_can_be_cancelled_at_each_step(
    network: SuggestNetwork, labels: dict[int, PictureLabels], encoder: Encoder
) -> None:
    learner = HeadLearner(network, encoder=encoder.identity)
    said = [labels[seed] for seed in range(2)]
    for steps in range(5):
        job = learner.learn(said, FEATURES.get)
        for _ in range(steps):
            next(job)
        job.close()
    assert run(learner.learn(said, FEATURES.get)) is not None
