"""The light encoder: which backbone its weights are of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.encoders.catalogue import load_encoder
from core.encoders.light.encoder import BACKBONES, LightNetwork, backbone_of
from core.geometry import Frame
from core.refiner.checkpoint import save_weights


@pytest.mark.parametrize("backbone", list(BACKBONES))
def test_weights_tell_their_backbone(backbone: str) -> None:
    assert backbone_of(LightNetwork(backbone).state_dict()) == backbone


def test_an_encoder_with_the_larger_backbone_loads_and_encodes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = tmp_path / "encoder.safetensors"
    save_weights(LightNetwork("lite2").state_dict(), path)
    encoder = load_encoder(str(path), "cpu")
    features = encoder.encode(np.zeros((60, 80, 3), np.uint8), Frame.whole(width=80, height=60))
    assert features.embedding.shape == (256, 64, 64)
    assert features.detail.shape == (32, 256, 256)
