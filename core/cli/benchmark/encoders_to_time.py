"""Encoders for benchmarks of speed. HQ-SAM's run at random weights, just as fast, if theirs are not installed."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

    from core.encoders.image_features import Encoder


def encoder_to_time(name: str, device: str = "auto") -> Encoder:
    """Load the encoder `name`, with random weights if it is HQ-SAM's and its weights are not installed."""
    from core.encoders.catalogue import choose_device, load_encoder
    from core.encoders.hq_sam.cpu_kernels import quicken
    from core.encoders.hq_sam.encoder import HqSamEncoder
    from core.encoders.hq_sam.fused_attention import fuse_attention

    if not is_at_random(name):
        return load_encoder(name, device)
    network = random_network(name)
    fuse_attention(network)
    chosen = choose_device(device)
    if chosen.type == "cpu":
        quicken(network.get_submodule("image_encoder"))
    return HqSamEncoder(network, name=name, sha256="0" * 64, device=chosen)


def is_at_random(name: str) -> bool:
    """Whether `encoder_to_time` uses random weights for the encoder `name`."""
    from core.encoders.weights.published import OFFICIAL, find_weights

    return name in OFFICIAL and find_weights(name) is None


@contextmanager
def cache_to_time(options: argparse.Namespace) -> Iterator[None]:
    """Use a temporary cache if the weights are random, whose features are useless, unless the user named a cache."""
    if options.cache is not None or not is_at_random(options.encoder):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="boxrefine-") as folder:
        options.cache = Path(folder)
        yield


def random_network(name: str) -> nn.Module:
    """Build HQ-SAM as segment-anything-hq does, at random weights, which are as fast as trained ones."""
    from core.encoders.hq_sam.encoder import empty_network

    network = empty_network(name)
    network.load_state_dict(random_state(name), assign=True)
    return network.eval().requires_grad_(False)


def random_state(name: str) -> dict[str, Tensor]:
    """Make random weights of an HQ-SAM encoder, for benchmarks of speed only."""
    import torch

    from core.encoders.hq_sam.encoder import empty_network

    generator = torch.Generator().manual_seed(0)
    shapes = {key: value.shape for key, value in empty_network(name).state_dict().items()}
    return {key: torch.empty(shape).uniform_(-0.02, 0.02, generator=generator) for key, shape in shapes.items()}
