"""The light encoder: which backbone its weights are of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.encoders.catalogue import load_encoder
from core.encoders.light.encoder import BACKBONES, LightEncoder, LightNetwork, backbone_of
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


@pytest.mark.parametrize("backbone", list(BACKBONES))
def test_an_encoder_has_no_norms_left_and_computes_what_its_network_did(backbone: str) -> None:
    torch.manual_seed(0)
    network = LightNetwork(backbone).eval()
    for name, values in network.named_buffers():
        if name.endswith("running_var"):
            values.uniform_(0.5, 2.0)
    picture = torch.randn(1, 3, 512, 512)
    with torch.inference_mode():
        before = network(picture)
        encoder = LightEncoder(network, identity="light-test", device=torch.device("cpu"))
        after = encoder.batch_network().forward(picture)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    for was, found in zip(before, after, strict=True):
        assert (found - was).abs().max() < 1e-3 * was.abs().max()
