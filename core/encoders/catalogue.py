"""Load an encoder by its name: the shipped light one, one of HQ-SAM's four, or a file of your own."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from core.encoders.image_features import Encoder
from core.encoders.light.encoder import LightEncoder, LightNetwork, backbone_of
from core.encoders.traits import ENCODERS, SHIPPED
from core.encoders.weights.files import in_float32, load_state, load_strictly, sha256_of
from core.encoders.weights.published import OFFICIAL, find_weights, weights_folder
from core.errors import BadInputError, BadWeightsError
from core.resources import RESOURCES
from core.translation import tr

__all__ = ["DEVICES", "ENCODERS", "SHIPPED_ENCODERS", "choose_device", "load_encoder", "load_light"]

SHIPPED_ENCODERS = {name: RESOURCES / "weights" / name / "encoder.safetensors" for name in SHIPPED}
"""Name -> weights. Earlier ones stay, because users have taught refiners that read their features."""
DEVICES = ("auto", "cpu", "cuda")

logger = logging.getLogger(__name__)


def choose_device(wanted: str) -> torch.device:
    """Choose the device `wanted`; `auto` is a GPU where there is one, else the CPU.

    Raises BadInputError for another name, or for cuda without a usable GPU.
    """
    if wanted not in DEVICES:
        raise BadInputError(tr("There is no device called {device}: use auto, cpu or cuda.", device=wanted))
    has_gpu = torch.cuda.is_available()
    if wanted == "cuda" and not has_gpu:
        raise BadInputError(tr("No CUDA GPU can be used here: install its driver, or use --device cpu."))
    if wanted == "cpu" or not has_gpu:
        return torch.device("cpu")
    # TF32 has 10 bits of mantissa: enough to train, but the boxes would differ from those of a CPU.
    torch.backends.cudnn.allow_tf32 = False
    return torch.device("cuda")


def load_encoder(name: str, device: str = "auto") -> Encoder:
    """Load the encoder `name` of ENCODERS, or the .safetensors file of a light encoder, on a device.

    Raises BadInputError for a name that does not exist, BadWeightsError where its weights are missing or damaged.
    """
    encoder = _load(name, device)
    logger.info("encoder %s is loaded on %s, fp32", encoder.identity, encoder.device)
    return encoder


def _load(name: str, device: str) -> Encoder:
    if name.endswith(".safetensors"):
        return load_light(Path(name), choose_device(device))
    if name in SHIPPED_ENCODERS:
        return load_light(SHIPPED_ENCODERS[name], choose_device(device), name=name)
    if name not in OFFICIAL:
        raise BadInputError(
            tr("There is no encoder called {name}: use one of {names}.", name=name, names=", ".join(ENCODERS))
        )
    weights = find_weights(name)
    if weights is None:
        raise BadWeightsError(
            tr(
                "The weights of {name} are not here: run boxrefine models download {name} (in the window: Ctrl+M), "
                "put {file} of huggingface.co/lkeab/hq-sam into {folder}, or use the encoder light.",
                name=name,
                file=OFFICIAL[name].file,
                folder=weights_folder(),
            )
        )
    # Imported here: it imports half of torchvision, which the light encoder does not need.
    from core.encoders.hq_sam.encoder import load_hq_sam

    return load_hq_sam(name, weights, choose_device(device))


def load_light(weights: Path, device: torch.device, *, name: str = "light") -> LightEncoder:
    """Load a light encoder from its safetensors file. Raises BadWeightsError."""
    state = load_state(weights)
    network = LightNetwork(backbone_of(state))
    load_strictly(network, in_float32(state), path=weights)
    return LightEncoder(network, identity=f"light-{sha256_of(weights)[:12]}", device=device, name=name)
