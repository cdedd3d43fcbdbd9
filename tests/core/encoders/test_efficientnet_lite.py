"""EfficientNet-Lite without timm: the same keys and, to the bit, the same levels as timm's."""

from __future__ import annotations

import subprocess
import sys

import pytest
import timm
import torch
from torch import nn

from core.encoders.light.efficientnet_lite import LITE, READ, EfficientNetLite

pytestmark = pytest.mark.slow


def timms(kind: str, *, drop_path: float = 0.0) -> nn.Module:
    """timm's, with statistics as training might leave them, so that no norm passes values on as they are."""
    network: nn.Module = timm.create_model(
        f"tf_efficientnet_{kind}", pretrained=False, features_only=True, drop_path_rate=drop_path
    )
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
    return network


@pytest.mark.parametrize("kind", list(LITE))
@pytest.mark.parametrize("learns", [False, True])
def test_levels_are_timms_to_the_bit(kind: str, learns: bool) -> None:
    torch.manual_seed(0)
    theirs, ours = timms(kind, drop_path=0.2).train(learns), EfficientNetLite(kind, drop_path=0.2).train(learns)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict(), strict=True)
    pictures = torch.randn(2, 3, 131, 96)  # odd sides, where padding has a larger part
    with torch.no_grad():
        torch.manual_seed(1)
        wanted = theirs(pictures)
        torch.manual_seed(1)  # blocks are left out by chance while it learns
        found = ours(pictures)
    assert [tuple(level.shape) for level in found] == [tuple(level.shape) for level in wanted]
    assert all(torch.equal(ours_, theirs_) for ours_, theirs_ in zip(found, wanted, strict=True))
    assert [level.shape[1] for level in found] == [LITE[kind][place].channels for place in READ]


def test_weights_at_random_keep_the_size_of_what_passes_through() -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        levels = EfficientNetLite("lite0").train()(torch.randn(2, 3, 64, 64))
    assert all(0.3 < float(level.std()) < 5 for level in levels)


def test_what_the_window_loads_brings_neither_timm_nor_torchs_compiler() -> None:
    program = """
import sys
from core.encoders.catalogue import load_encoder
from core.refiner.checkpoint import load_refiner
load_refiner(None, load_encoder("light", "cpu"))
print({"timm", "torchvision", "torch._dynamo", "sympy", "huggingface_hub"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "set()"  # importing them would take as long as torch, with Python's lock held
