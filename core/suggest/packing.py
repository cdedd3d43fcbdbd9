"""Pack what a head has learned into bytes and back, without running code of the file that holds them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from core.errors import BadWeightsError
from core.suggest.learn import Head
from core.suggest.learner import identity_of
from core.suggest.network import WIDTH
from core.suggest.solver import Learned
from core.suggest.trust import Trust
from core.translation import tr

FORMAT = 1
_LARGEST = 64 * 1024**2
_ABOUT, _PLANES, _REACHES, _EXAMPLES = "about", "planes", "reaches", "examples"


def pack_head(head: Head, trust: Trust, *, network: str) -> bytes:
    """A head and its trust as bytes; `network` is the identity of the network whose cells it reads."""
    about = {"format": FORMAT, "network": network, "names": list(head.names), "trust": asdict(trust)}
    text = torch.tensor(list(json.dumps(about).encode()), dtype=torch.uint8)
    return save(
        {
            _ABOUT: text,
            _PLANES: head.learned.planes.contiguous(),
            _REACHES: head.learned.reaches.contiguous(),
            _EXAMPLES: head.examples.contiguous(),
        }
    )


def unpack_head(packed: bytes, *, network: str) -> tuple[Head, Trust, str]:
    """The head, its trust and its identity. Raises BadWeightsError if they are damaged or of another version."""
    try:
        if len(packed) > _LARGEST:
            raise ValueError(tr("it is too large"))
        tensors = load(packed)
        about = json.loads(bytes(tensors[_ABOUT].to(torch.uint8).tolist()))
        if type(about["format"]) is int and about["format"] > FORMAT:
            raise BadWeightsError(
                tr("What this project has learned to suggest was stored by a newer BoxRefine: update BoxRefine.")
            )
        if about["network"] != network:
            raise ValueError(tr("it is of another network"))
        head = _head_of(about["names"], tensors)
        return head, _trust_of(about["trust"]), identity_of(head)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError, RuntimeError) as error:
        raise BadWeightsError(
            tr("What this project has learned to suggest is damaged ({why}): it is learned again.", why=error)
        ) from error


def _head_of(names: object, tensors: dict[str, Tensor]) -> Head:
    if not isinstance(names, list) or not all(type(name) is str for name in names):
        raise ValueError(tr("it has no names"))
    count = len(names)
    shapes = {_PLANES: (count, WIDTH + 1), _REACHES: (count, 4, WIDTH + 1), _EXAMPLES: (count,)}
    for name, shape in shapes.items():
        if tuple(tensors[name].shape) != shape or not bool(torch.isfinite(tensors[name]).all()):
            raise ValueError(tr("{name} is not what it should be", name=name))
    planes, reaches, examples = (tensors[name].float() for name in shapes)
    return Head(tuple(names), Learned(planes, reaches), examples)


def _trust_of(values: Mapping[str, object]) -> Trust:
    known = {field.name for field in fields(Trust)}
    held = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if name in known}
    trust = Trust(**held)  # type: ignore[arg-type]
    figures = [trust.slope, trust.shift, trust.threshold, *trust.shifts.values(), *trust.probabilities, *trust.right]
    if not all(math.isfinite(number) for number in (*figures, trust.objects)):  # raises TypeError for what is no number
        raise ValueError(tr("its figures are no numbers"))
    return trust
