"""The encoders one can choose, and loading them: the shipped light one, HQ-SAM's four, or a trained file."""

from __future__ import annotations

from pathlib import Path

import torch

from core.encoders.image_features import Encoder
from core.encoders.light.encoder import LightEncoder, LightNetwork, backbone_of
from core.encoders.traits import ENCODERS
from core.encoders.weights.files import in_float32, load_state, load_strictly, sha256_of
from core.encoders.weights.published import OFFICIAL, find_weights, weights_folder
from core.errors import BadInputError, BadWeightsError
from core.resources import RESOURCES

__all__ = ["DEVICES", "ENCODERS", "SHIPPED_ENCODER", "choose_device", "load_encoder", "load_light"]

SHIPPED_ENCODER = RESOURCES / "weights" / "light" / "encoder.safetensors"
DEVICES = ("auto", "cpu", "cuda")


def choose_device(wanted: str) -> torch.device:
    """`auto` takes a GPU where there is one. Raises BadInputError where cuda is asked for and missing."""
    if wanted not in DEVICES:
        raise BadInputError(f"There is no device called {wanted}: use auto, cpu or cuda.")
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise BadInputError("No CUDA GPU can be used here: install its driver, or use --device cpu.")
    if wanted == "cpu" or not there:
        return torch.device("cpu")
    # 10 bits of mantissa would be enough to train, but would move boxes against those that a CPU finds.
    torch.backends.cudnn.allow_tf32 = False
    return torch.device("cuda")


def load_encoder(name: str, device: str = "auto") -> Encoder:
    """The encoder `name` of ENCODERS, or a light encoder's own .safetensors file, ready on a device.

    Raises BadInputError for a name that does not exist, BadWeightsError where its weights are missing or damaged.
    """
    if name.endswith(".safetensors"):
        return load_light(Path(name), choose_device(device))
    if name == "light":
        return load_light(SHIPPED_ENCODER, choose_device(device))
    if name not in OFFICIAL:
        raise BadInputError(f"There is no encoder called {name}: use one of {', '.join(ENCODERS)}.")
    weights = find_weights(name)
    if weights is None:
        file = OFFICIAL[name].file
        raise BadWeightsError(
            f"The weights of {name} are not here: run boxrefine models download {name} (in the window: Ctrl+M), put "
            f"{file} of huggingface.co/lkeab/hq-sam into {weights_folder()}, or use the encoder light."
        )
    from core.encoders.hq_sam.encoder import (
        load_hq_sam,  # it pulls half of torchvision in, which light users never need
    )

    return load_hq_sam(name, weights, choose_device(device))


def load_light(weights: Path, device: torch.device) -> LightEncoder:
    """A light encoder from its safetensors file. Raises BadWeightsError."""
    state = load_state(weights)
    network = LightNetwork(backbone_of(state))
    load_strictly(network, in_float32(state), path=weights)
    return LightEncoder(network, identity=f"light-{sha256_of(weights)[:12]}", device=device)
