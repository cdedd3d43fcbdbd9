"""A learned head as bytes, as a project stores it: what was learned, and how far it can be trusted."""

from __future__ import annotations

import json
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from core.errors import BadWeightsError
from core.suggest.gallery import gallery_numbers, gallery_tensors, read_gallery
from core.suggest.judge import Judge
from core.suggest.learn import Head
from core.suggest.learner import identity_of
from core.suggest.network import SuggestNetwork
from core.suggest.solver import Learned
from core.suggest.suggester import Suggester
from core.suggest.trust import Trust
from core.translation import tr

FORMAT = 2
"""2 since heads have a gallery, if a judge is to be asked; those without one are of format 1."""

_LARGEST = 64 * 1024 * 1024


def to_bytes(suggester: Suggester, *, network: str) -> bytes:
    """Write what a suggester has learned; `network` is the identity of its network."""
    head, trust = suggester.head, suggester.trust
    about = {
        "format": FORMAT if trust.judge else 1,
        "network": network,
        "encoder": suggester.encoder,
        "names": list(head.names),
        "trust": {**vars(trust), "shifts": dict(trust.shifts)},
    }
    tensors = {"planes": head.learned.planes, "reaches": head.learned.reaches, "examples": head.examples}
    if trust.judge and head.gallery is not None:
        about["gallery"] = gallery_numbers(head.gallery)
        tensors |= gallery_tensors(head.gallery)
    whole = {name: value.contiguous() for name, value in tensors.items()}
    return bytes(safetensors.torch.save(whole, {"about": json.dumps(about)}))


def from_bytes(
    content: bytes, network: SuggestNetwork, *, identity: str, encoder: str, judge: Judge | None = None
) -> Suggester:
    """Read a head that `to_bytes` wrote, for the network of this identity and the encoder of this one.

    A head that no judge was asked for needs none. Raises BadWeightsError if it is damaged, of a newer version, or of
    another network, encoder or judge.
    """
    about, tensors = _parts(content, width=len(network.prior.plane))
    asked = about["trust"].judge
    known = judge.identity if judge is not None else ""
    if about["network"] != identity or about["encoder"] != encoder or asked not in ("", known):
        raise BadWeightsError(
            tr("What was learned for suggestions belongs to another version of BoxRefine: it is learned again.")
        )
    head = Head(about["names"], Learned(tensors["planes"], tensors["reaches"]), tensors["examples"], about["gallery"])
    return Suggester(
        network, head, about["trust"], encoder=encoder, identity=identity_of(head), judge=judge if asked else None
    )


def _parts(content: bytes, *, width: int) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read and check all parts. Raises BadWeightsError."""
    damaged = BadWeightsError(tr("What was learned for suggestions is damaged: it is learned again."))
    if len(content) > _LARGEST:
        raise damaged
    try:
        tensors = safetensors.torch.load(content)
        size = int.from_bytes(content[:8], "little")
        about = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["about"])
        newer = about["format"] > FORMAT
        names = tuple(about["names"])
        trust = _trust(about["trust"])
        gallery = read_gallery(about["gallery"], tensors, width=width - 1) if trust.judge else None
        usable = all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
        usable = usable and (gallery is None or len(gallery.shown) == len(names))
        usable = usable and all(
            tuple(tensors[name].shape) == (len(names), *shape)
            and tensors[name].dtype == torch.float32
            and bool(torch.isfinite(tensors[name]).all())
            for name, shape in {"planes": (width,), "reaches": (4, width), "examples": ()}.items()
        )
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged from error
    if newer:
        raise BadWeightsError(tr("What was learned for suggestions is of a newer BoxRefine: update BoxRefine."))
    if not usable:
        raise damaged
    return {**about, "names": names, "trust": trust, "gallery": gallery}, tensors


def _trust(values: dict[str, Any]) -> Trust:
    """Read how far a head can be trusted. Raises ValueError, KeyError or TypeError."""
    numbers = [float(values[name]) for name in ("slope", "shift", "threshold")]
    shifts = {str(name): float(value) for name, value in values["shifts"].items()}
    probabilities = tuple(float(value) for value in values["probabilities"])
    right = tuple(bool(value) for value in values["right"])
    judge, usual = str(values.get("judge", "")), tuple(float(value) for value in values.get("usual", ()))
    every = [*numbers, *shifts.values(), *probabilities, *usual]
    if len(right) != len(probabilities) or not all(abs(value) < 1e6 for value in every):
        raise ValueError("implausible figures")
    slope, shift, threshold = numbers
    return Trust(slope, shift, shifts, threshold, probabilities, right, int(values["objects"]), judge, usual)
