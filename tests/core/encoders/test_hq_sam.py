"""HQ-SAM loads strictly, and its features and masks are those of SamPredictor at the same weights."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from core.encoders.hq_sam.encoder import (
    BOXES_AT_ONCE,
    HqSamEncoder,
    empty_network,
    load_hq_sam,
    resized,
    to_frame,
    to_image,
)
from core.encoders.image_features import DETAIL_SHAPE, EMBEDDING_SHAPE, ImageFeatures
from core.encoders.weights.files import load_state, load_strictly, sha256_of
from core.errors import BadInputError, BadWeightsError
from core.geometry import Frame
from tests.core.hq_weights import empty_vit_tiny, shapes_picture

pytestmark = pytest.mark.slow

LARGE_VARIABLE = "BOXREFINE_TEST_LARGE"
WIDTH, HEIGHT = 457, 301
PICTURE = shapes_picture(width=WIDTH, height=HEIGHT)
WHOLE = Frame.whole(width=WIDTH, height=HEIGHT)
BOXES = np.array([[20, 30, 200, 150], [100.5, 50.25, 400.75, 290.5], [0, 0, WIDTH, HEIGHT]])


def test_features_have_their_shapes_and_names(hq_encoder: HqSamEncoder, hq_features: ImageFeatures) -> None:
    assert hq_features.embedding.shape == EMBEDDING_SHAPE
    assert hq_features.detail.shape == DETAIL_SHAPE
    assert {hq_features.embedding.dtype, hq_features.detail.dtype} == {torch.float16}
    assert hq_features.embedding.device.type == "cpu"
    assert hq_features.nbytes == 6 * 1024**2
    assert (hq_features.frame, hq_features.encoder) == (WHOLE, hq_encoder.identity)
    assert hq_features.embedding.is_contiguous()
    assert not hq_features.embedding.is_inference()


def test_the_identity_is_the_name_and_the_checksum(hq_encoder: HqSamEncoder, hq_weights: Path) -> None:
    assert hq_encoder.identity == f"vit_tiny-{sha256_of(hq_weights)[:12]}"
    assert (hq_encoder.name, hq_encoder.device.type, hq_encoder.official) == ("vit_tiny", "cpu", False)


@pytest.fixture(scope="module")
def answers(hq_weights: Path) -> list[tuple[Tensor, float]]:
    """Mask logits and expected IoU of each of BOXES by the package's own SamPredictor, box by box."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from segment_anything_hq import SamPredictor
    network = empty_vit_tiny()
    load_strictly(network, load_state(hq_weights), path=hq_weights)
    network.eval()  # once more: vit_tiny works out its attention biases here, from what was loaded
    predictor = SamPredictor(network)
    predictor.set_image(PICTURE)
    asked = [predictor.predict(box=box, multimask_output=False, hq_token_only=False) for box in BOXES]
    return [(torch.from_numpy(low[0]), float(score[0])) for _, score, low in asked]


def test_masks_are_those_of_sam_predictor(
    hq_encoder: HqSamEncoder, hq_features: ImageFeatures, answers: list[tuple[Tensor, float]]
) -> None:
    logits, scores = hq_encoder.masks(hq_features, to_frame(BOXES, WHOLE))
    for ours, score, (theirs, their_score) in zip(logits, scores, answers, strict=True):
        # Ours went through fp16 features, which cost about a thousandth.
        assert float((ours - theirs).abs().max()) < 0.01 * float(theirs.std())
        assert float(score) == pytest.approx(their_score, abs=1e-3)
        assert float(((ours > 0) == (theirs > 0)).float().mean()) > 0.999


def free_memory() -> int:
    """Bytes that a test may take."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text("ascii").splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


def random_state(network: nn.Module) -> dict[str, Tensor]:
    """Small random numbers for every weight, around one for what scales a normalised layer."""
    generator = torch.Generator().manual_seed(7)
    state = {}
    for key, value in network.state_dict().items():
        around = 1.0 if value.dim() == 1 and key.endswith("weight") else 0.0
        state[key] = torch.empty(value.shape).uniform_(-0.04, 0.04, generator=generator) + around
    return state


class Remembering(nn.Module):
    """An image encoder that answers the same picture from memory, so that two readers of it cost one encode."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self._encoder = encoder
        self.asked: list[Tensor] = []
        self._answer: object = None
        self.img_size = 1024

    def forward(self, pixels: Tensor) -> object:
        self.asked.append(pixels)
        if len(self.asked) == 1:
            self._answer = self._encoder(pixels)
        return self._answer


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "gigabytes"), [pytest.param("vit_b", 3, marks=pytest.mark.long), ("vit_l", 5), ("vit_h", 8)]
)
def test_masks_of_every_backbone_are_those_of_sam_predictor(name: str, gigabytes: int) -> None:
    if name != "vit_b" and not os.environ.get(LARGE_VARIABLE):
        pytest.skip(f"{name} takes more than a minute: set {LARGE_VARIABLE} to any value")
    if free_memory() < gigabytes * 10**9:
        pytest.skip(f"{name} wants {gigabytes} GB of memory")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from segment_anything_hq import SamPredictor
    network: Any = empty_network(name).eval()
    network.load_state_dict(random_state(network), assign=True)
    network.requires_grad_(False)
    network.image_encoder = Remembering(network.image_encoder)
    predictor = SamPredictor(network)
    predictor.set_image(PICTURE)
    encoder = HqSamEncoder(network, name=name, sha256="0" * 64, device=torch.device("cpu"))
    features = encoder.encode(PICTURE, WHOLE)
    theirs, ours = network.image_encoder.asked
    assert torch.allclose(theirs, ours, atol=1e-5)
    logits, scores = encoder.masks(features, to_frame(BOXES, WHOLE))
    for row, box in enumerate(BOXES):
        _, score, low = predictor.predict(box=box, multimask_output=False, hq_token_only=False)
        wanted = torch.from_numpy(low[0])
        assert float((logits[row] - wanted).abs().max()) < 0.01 * float(wanted.std())
        assert float(scores[row]) == pytest.approx(float(score[0]), abs=1e-3)


def test_the_boxes_of_a_batch_do_not_mix(hq_encoder: HqSamEncoder, hq_features: ImageFeatures) -> None:
    boxes = to_frame(np.tile(BOXES, (BOXES_AT_ONCE // 3 + 1, 1)), WHOLE)
    assert len(boxes) > BOXES_AT_ONCE
    logits = hq_encoder.mask_logits(hq_features, boxes)
    assert logits.shape == (len(boxes), 256, 256)
    assert torch.allclose(logits[:3], logits[-3:], atol=1e-4)
    assert not torch.allclose(logits[0], logits[1], atol=1e-2)


def test_safetensors_are_as_good(
    hq_encoder: HqSamEncoder, hq_features: ImageFeatures, hq_weights: Path, tmp_path: Path
) -> None:
    path = tmp_path / "own.safetensors"
    safetensors.torch.save_file(load_state(hq_weights), path)
    encoder = load_hq_sam("vit_tiny", path, torch.device("cpu"))
    assert encoder.identity != hq_encoder.identity
    ours = encoder.mask_logits(replace(hq_features, encoder=encoder.identity), BOXES[:1])
    assert torch.equal(ours, hq_encoder.mask_logits(hq_features, BOXES[:1]))


def test_a_checkpoint_with_a_key_missing_or_renamed_is_refused_by_name(hq_weights: Path, tmp_path: Path) -> None:
    state = load_state(hq_weights)
    moved = state.pop("mask_decoder.hf_token.weight")
    torch.save(state, tmp_path / "missing.pth")
    with pytest.raises(BadWeightsError, match=r"missing\.pth .*1 missing, first mask_decoder\.hf_token\.weight"):
        load_hq_sam("vit_tiny", tmp_path / "missing.pth", torch.device("cpu"))
    torch.save(state | {"mask_decoder.hq_token.weight": moved}, tmp_path / "renamed.pth")
    with pytest.raises(BadWeightsError, match=r"renamed\.pth .*unexpected, first mask_decoder\.hq_token\.weight"):
        load_hq_sam("vit_tiny", tmp_path / "renamed.pth", torch.device("cpu"))


def test_a_checkpoint_of_another_backbone_or_cut_short_is_refused(hq_weights: Path, tmp_path: Path) -> None:
    with pytest.raises(BadWeightsError, match=f"{hq_weights.name} are of another model"):
        load_hq_sam("vit_b", hq_weights, torch.device("cpu"))
    cut = tmp_path / "cut.pth"
    cut.write_bytes(hq_weights.read_bytes()[:1_000_000])
    with pytest.raises(BadWeightsError, match=r"cut\.pth is cut short"):
        load_hq_sam("vit_tiny", cut, torch.device("cpu"))
    with pytest.raises(BadInputError, match="no HQ-SAM encoder vit_s"):
        load_hq_sam("vit_s", hq_weights, torch.device("cpu"))


def test_a_frame_is_encoded_as_if_it_were_the_picture(hq_encoder: HqSamEncoder) -> None:
    frame = Frame(100, 40, 200, 120, WIDTH, HEIGHT)
    part = hq_encoder.encode(PICTURE, frame)
    alone = hq_encoder.encode(np.ascontiguousarray(PICTURE[40:160, 100:300]), Frame.whole(width=200, height=120))
    assert torch.equal(part.embedding, alone.embedding)
    assert torch.equal(part.detail, alone.detail)


def test_a_frame_of_another_picture_is_refused(hq_encoder: HqSamEncoder) -> None:
    with pytest.raises(BadInputError, match="457x301, not 300x301"):
        hq_encoder.encode(PICTURE, Frame.whole(width=300, height=301))


def test_odd_boxes_and_odd_features_are_refused(hq_encoder: HqSamEncoder, hq_features: ImageFeatures) -> None:
    assert hq_encoder.mask_logits(hq_features, np.zeros((0, 4))).shape == (0, 256, 256)
    with pytest.raises(BadInputError, match=r"Box 2 of 2 is not finite \(1, nan, 3, 4\)"):
        hq_encoder.mask_logits(hq_features, [[1, 2, 3, 4], [1, float("nan"), 3, 4]])
    other = replace(hq_features, encoder="light-123")
    with pytest.raises(BadInputError, match="features are of light-123"):
        hq_encoder.mask_logits(other, BOXES)


@pytest.mark.parametrize(
    ("width", "height", "size"), [(457, 301, (1024, 674)), (1000, 4000, (256, 1024)), (5000, 1, (1024, 1))]
)
def test_frame_pixels_are_those_of_the_resized_picture(width: int, height: int, size: tuple[int, int]) -> None:
    frame = Frame(10, 20, width, height, width + 10, height + 20)
    assert resized(frame) == size
    corner = [[10, 20, 10 + width, 20 + height]]
    assert np.allclose(to_frame(corner, frame), [[0, 0, *size]])
    assert np.allclose(to_image(to_frame(corner, frame), frame), corner)
