"""A taught refiner: its margins by category, and how it is kept in its folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.encoders.catalogue import load_encoder
from core.encoders.image_features import Encoder, ImageFeatures
from core.errors import BadInputError
from core.geometry import Frame, as_boxes
from core.images import read_picture
from core.refiner.checkpoint import (
    CARD_FILE,
    SHIPPED_BEFORE,
    RefinerCard,
    load_refiner,
    read_card,
    save_refiner,
)
from core.refiner.guarded import GuardedRefiner
from core.refiner.margins import PIXELS, Margin
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import ALL_CATEGORIES, TaughtRefiner, for_category, rows_by_refiner
from core.sample_project import drawn_boxes, pictures_folder
from core.training.teach import load_start
from core.training.teach_config import TeachConfig

MARGINS = {ALL_CATEGORIES: Margin(1, 1, 1, 1, PIXELS), "cup": Margin(6, 6, 6, 6, PIXELS)}


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("light", "cpu")


@pytest.fixture(scope="module")
def features(encoder: Encoder) -> ImageFeatures:
    picture = read_picture(pictures_folder() / "coffee.png")
    return encoder.encode(picture, Frame.whole(width=picture.shape[1], height=picture.shape[0]))


@pytest.fixture
def folder(tmp_path: Path, encoder: Encoder) -> Path:
    """The shipped network with margins, saved as a taught refiner."""
    start = load_start(None, encoder, TeachConfig())
    card = RefinerCard(encoder.identity, start.card.calibration, format=2, margins=MARGINS)
    save_refiner(tmp_path / "taught", start.network.state_dict(), card)
    return tmp_path / "taught"


def coffee() -> list[object]:
    return [note.box for note in drawn_boxes().by_image()[1]]


def boxes_of(refiner: Refiner, features: ImageFeatures) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return as_boxes([answer.box for answer in refiner.refine(features, coffee())])


def without_doubt(folder: Path, encoder: Encoder, margins: dict[str, Margin]) -> Refiner:
    """The shipped network, which goes all the way that it proposes."""
    start = load_start(None, encoder, TeachConfig())
    all_the_way = replace(start.card.calibration, caution=0.0, least_move=0.0, sure_side=0.0)
    save_refiner(folder, start.network.state_dict(), RefinerCard(encoder.identity, all_the_way, margins=margins))
    return load_refiner(folder, encoder)


def test_each_taught_category_gets_its_margin(tmp_path: Path, encoder: Encoder, features: ImageFeatures) -> None:
    taught = without_doubt(tmp_path / "taught", encoder, MARGINS)
    plain = boxes_of(without_doubt(tmp_path / "plain", encoder, {}), features)
    wider = boxes_of(for_category(taught, "cup"), features)
    height, width = features.frame.image_height, features.frame.image_width
    wanted = np.clip(plain + [-6, -6, 6, 6], 0, [width, height, width, height])
    assert np.allclose(wider, wanted, atol=0.05)
    some = boxes_of(for_category(taught, None), features)
    assert np.allclose(some, np.clip(plain + [-1, -1, 1, 1], 0, [width, height, width, height]), atol=0.05)


def test_a_category_nobody_taught_goes_to_the_shipped_refiner(
    folder: Path, encoder: Encoder, features: ImageFeatures
) -> None:
    taught, shipped = load_refiner(folder, encoder), load_refiner(None, encoder)
    assert boxes_of(for_category(taught, "spoon"), features).tolist() == boxes_of(shipped, features).tolist()


def test_the_shipped_refiner_answers_for_every_category(encoder: Encoder) -> None:
    shipped = load_refiner(None, encoder)
    assert for_category(shipped, "cup") is shipped


def test_boxes_of_many_categories_are_shared_out(folder: Path, encoder: Encoder) -> None:
    taught, shipped = load_refiner(folder, encoder), load_refiner(None, encoder)
    parts = rows_by_refiner(taught, ["cup", "spoon", "cup", None])
    assert [rows for _, rows in parts] == [[0, 2], [1], [3]]
    assert parts[2][0] is taught
    assert rows_by_refiner(shipped, ["cup", "spoon"]) == [(shipped, [0, 1])]


def test_margins_survive_the_folder_and_are_part_of_the_identity(folder: Path, encoder: Encoder) -> None:
    assert read_card(folder).margins == MARGINS
    before = load_refiner(folder, encoder)
    assert isinstance(before, TaughtRefiner) and before.name == "taught"
    card = json.loads((folder / CARD_FILE).read_text("utf-8"))
    card["margins"]["cup"]["left"] = 9.0
    (folder / CARD_FILE).write_text(json.dumps(card), "utf-8")
    assert load_refiner(folder, encoder).identity != before.identity


def test_a_taught_refiner_has_the_name_of_its_folder_whatever_is_around_it(folder: Path, encoder: Encoder) -> None:
    plain = load_refiner(folder, encoder)
    careful = load_refiner(folder, encoder, careful=True)
    around = [plain, careful, GuardedRefiner(plain), GuardedRefiner(careful)]
    asked = [*around, *(for_category(refiner, "cup") for refiner in around)]
    assert {refiner.name for refiner in asked} == {folder.name}
    assert load_start(folder, encoder, TeachConfig()).name == folder.name


def test_a_card_of_before_there_were_margins_still_loads() -> None:
    (before,) = SHIPPED_BEFORE
    assert read_card(before).margins == {}
    assert read_card(before).format == 1


def test_a_refiner_of_another_encoder_cannot_be_the_start(tmp_path: Path, encoder: Encoder) -> None:
    start = load_start(None, encoder, TeachConfig())
    save_refiner(tmp_path, start.network.state_dict(), RefinerCard("vit_b-0123456789ab"))
    with pytest.raises(
        BadInputError, match=r"reads features of vit_b-0123456789ab, not of light-.*choose that encoder"
    ):
        load_start(tmp_path, encoder, TeachConfig())


def test_an_encoder_without_a_refiner_starts_afresh_and_leaves_boxes_nearly_where_they_are(
    features: ImageFeatures,
) -> None:
    class Other:
        name, identity, device = "other", "other-1", torch.device("cpu")

    start = load_start(None, Other(), TeachConfig())  # type: ignore[arg-type]
    assert start.fresh
    drawn = torch.tensor([[[100.0, 100, 400, 500]]])
    content = torch.tensor([[0.0, 0, 1024, 1024]])
    with torch.no_grad():
        found = start.network.eval()(features.embedding[None].float(), features.detail[None].float(), drawn, content)
    # With small last layers the distributions are nearly those of the prior, whose means are the drawn edges.
    assert (found[-1].boxes - drawn).abs().max() < 30
