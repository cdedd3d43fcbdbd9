"""A refiner's folder: `refiner.safetensors` and `refiner.json`, saved whole and loaded strictly."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from core.bounded import MEGA, read_text
from core.encoders.hq_sam.encoder import HqSamEncoder
from core.encoders.image_features import Encoder
from core.encoders.weights.files import in_float32, load_state, load_strictly, sha256_of
from core.errors import BadInputError, BadWeightsError, StorageError, reason
from core.files import written_whole
from core.refiner.baseline_network import BaselineNetwork
from core.refiner.box_refiner import BoxRefiner, Calibration
from core.refiner.candidates import CandidateNetwork
from core.refiner.conservative import careful as as_careful
from core.refiner.margins import PIXELS, SIDE, Margin
from core.refiner.mask_refiner import MaskRefiner
from core.refiner.mask_then_box import MaskThenBox
from core.refiner.network import RefinerNetwork
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import TaughtRefiner
from core.resources import RESOURCES
from core.text import escaped, is_name

logger = logging.getLogger(__name__)

SHIPPED = RESOURCES / "weights" / "light"
BASELINE = RESOURCES / "weights" / "baseline"
"""The baseline refiner on the shipped encoder's features, to compare with; never offered for work."""
WEIGHTS_FILE = "refiner.safetensors"
CARD_FILE = "refiner.json"
REFINE_BY = ("auto", "refiner", "mask", "both")
FORMAT = 2
"""Of cards with margins; those without are written as 1, which older versions read."""
_LARGEST_CARD = 16 * MEGA
_LARGEST_FIGURE = 1e6
NETWORKS: Mapping[str, type[RefinerNetwork] | type[BaselineNetwork] | type[CandidateNetwork]] = {
    "box": RefinerNetwork,
    "baseline": BaselineNetwork,
    "candidates": CandidateNetwork,
}
"""The kinds of refiner that a folder may hold."""


@dataclass(frozen=True)
class RefinerCard:
    """What stands in refiner.json: the encoder it reads, its calibration, how it was made, and its kind of NETWORKS.

    margins: by name of category, of a refiner that was taught by corrections (see TaughtRefiner)
    """

    encoder: str
    calibration: Calibration = field(default_factory=Calibration)
    made_by: Mapping[str, object] = field(default_factory=dict)
    kind: str = "box"
    format: int = 1
    margins: Mapping[str, Margin] = field(default_factory=dict)


def load_refiner(folder: Path | None, encoder: Encoder, *, refine_by: str = "auto", careful: bool = False) -> Refiner:
    """The refiner in `folder` for `encoder`; None gives the shipped one, for HQ-SAM its own mask's tight box.

    `refine_by` of REFINE_BY: `refiner` the learned one alone, `mask` HQ-SAM's mask alone, `both` the mask and then
    the learned one, `auto` what is described above. `careful`: only boxes that are clearly off are moved. Raises
    BadWeightsError where the folder is incomplete or damaged,
    BadInputError where it reads another encoder or what is asked for does not exist.
    """
    found = _loaded(folder, encoder, refine_by=refine_by)
    logger.info("refiner %s (%s) is loaded from %s", found.name, found.identity, folder or "the program")
    return as_careful(found) if careful else found


def _loaded(folder: Path | None, encoder: Encoder, *, refine_by: str) -> Refiner:
    if refine_by not in REFINE_BY:
        raise BadInputError(f"There is no refine_by {refine_by}: use one of {', '.join(REFINE_BY)}.")
    mask = MaskRefiner(encoder) if isinstance(encoder, HqSamEncoder) else None
    if refine_by in ("mask", "both") and mask is None:
        raise BadInputError(
            f"The encoder {encoder.name} makes no masks: choose an HQ-SAM encoder, or refine by refiner."
        )
    if mask is not None and (refine_by == "mask" or (refine_by == "auto" and folder is None)):
        return mask
    if mask is not None and folder is None:
        raise BadInputError(f"No refiner is shipped for {encoder.name}: refine by mask, or name a refiner of your own.")
    learned = _learned_refiner(folder, encoder)
    return MaskThenBox(mask, learned) if mask is not None and refine_by == "both" else learned


def _learned_refiner(folder: Path | None, encoder: Encoder) -> Refiner:
    chosen = SHIPPED if folder is None else folder
    card = read_card(chosen)
    if card.encoder != encoder.identity:
        raise BadInputError(
            f"The refiner in {chosen} reads features of {card.encoder}, not of {encoder.identity}: choose that encoder."
        )
    weights = chosen / WEIGHTS_FILE
    network = NETWORKS[card.kind]()
    if isinstance(network, CandidateNetwork):
        raise BadInputError(f"{chosen} holds candidates beside a refiner, and no refiner: choose another folder.")
    load_strictly(network, in_float32(load_state(weights)), path=weights)
    baseline_name = "baseline refiner" if chosen == BASELINE else f"baseline refiner ({chosen.name})"
    name = "shipped" if folder is None else baseline_name if card.kind == "baseline" else chosen.name
    identity = f"{card.kind}-{sha256_of(weights)[:12]}"
    refiner = BoxRefiner(
        network, name=name, identity=identity, encoder=card.encoder, device=encoder.device, calibration=card.calibration
    )
    if not card.margins:
        return refiner
    identity = f"{identity}-{_digest(card.margins)}"
    return TaughtRefiner(refiner, card.margins, otherwise=_untaught(refiner, encoder), name=name, identity=identity)


def _untaught(refiner: BoxRefiner, encoder: Encoder) -> Refiner:
    """The shipped refiner for this encoder, or where there is none (a light encoder of one's own) the taught one."""
    if isinstance(encoder, HqSamEncoder) or read_card(SHIPPED).encoder == encoder.identity:
        return load_refiner(None, encoder)
    return refiner


def _digest(margins: Mapping[str, Margin]) -> str:
    text = json.dumps({name: margin.figures for name, margin in sorted(margins.items())})
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def read_card(folder: Path) -> RefinerCard:
    """The card in a refiner's folder. Raises BadWeightsError where it is missing, damaged or of a newer version."""
    path = folder / CARD_FILE
    try:
        values = json.loads(read_text(path, limit=_LARGEST_CARD))
        _check_kinds(values)
        kind = values.get("kind", "box")  # folders of before there were two kinds do not name it
        if values["format"] > FORMAT or kind not in NETWORKS:
            raise BadWeightsError(f"The refiner in {folder} was made by a newer BoxRefine: update BoxRefine.")
        return RefinerCard(
            encoder=values["encoder"],
            calibration=Calibration(**_figures("calibration", values["calibration"], Calibration)),
            made_by=values["made_by"],
            kind=kind,
            format=values["format"],
            margins={name: _margin(name, figures) for name, figures in values.get("margins", {}).items()},
        )
    except FileNotFoundError as error:
        raise BadWeightsError(f"There is no refiner in {folder} ({CARD_FILE} is missing): check the folder.") from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadWeightsError(f"{path} is damaged ({reason(error)}): use another refiner.") from error


_KINDS: Mapping[str, type] = {
    "encoder": str,
    "calibration": dict,
    "made_by": dict,
    "format": int,
    "kind": str,
    "margins": dict,
}


def _check_kinds(values: object) -> None:
    """Raises ValueError where a card's entries are not what they are called."""
    if not isinstance(values, dict):
        raise ValueError("it is no table")
    for name, kind in _KINDS.items():
        if name in values and type(values[name]) is not kind:
            raise ValueError(f"{name} is not of type {kind.__name__}")
    if not is_name(values["encoder"]):
        raise ValueError("its encoder is no name")


def _margin(name: str, figures: object) -> Margin:
    if (name and not is_name(name)) or not isinstance(figures, dict):  # boxes without a category have one, too
        raise ValueError("its margins are not of categories")
    unit = figures.get("unit", SIDE)
    if unit not in (SIDE, PIXELS):
        raise ValueError(f"the margin of “{name}” is of no known unit")
    edges = {edge: value for edge, value in figures.items() if edge != "unit"}
    return Margin(**_figures(f"margin of “{name}”", edges, Margin), unit=unit)


def _figures(what: str, values: Mapping[str, object], kind: type[Calibration] | type[Margin]) -> dict[str, float]:
    """Raises ValueError where a value is no number, one that moves a box out of every picture, or of no known name."""
    found: dict[str, float] = {}
    for name, value in values.items():
        if name not in kind.__dataclass_fields__:
            raise ValueError(f"its {what} has no {escaped(name)[:100]}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST_FIGURE:
            raise ValueError(f"the {name} of its {what} is no such number")
        found[name] = float(value)
    return found


def save_refiner(folder: Path, state: Mapping[str, Tensor], card: RefinerCard) -> None:
    """Write weights (as fp16) and card into `folder`, each whole or not at all. Raises StorageError."""
    save_weights(state, folder / WEIGHTS_FILE)
    save_text(json.dumps(asdict(card), indent=2) + "\n", folder / CARD_FILE)


def save_weights(state: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors as fp16 safetensors, whole or not at all. Raises StorageError."""
    halves = {name: as_stored(value) for name, value in state.items()}
    try:
        with written_whole(path) as beside:
            safetensors.torch.save_file(halves, beside)
    except (OSError, safetensors.SafetensorError) as error:
        raise StorageError(f"The weights could not be saved to {path} ({reason(error)}): check the disk.") from error


def save_text(text: str, path: Path) -> None:
    """Write text, whole or not at all. Raises StorageError."""
    try:
        with written_whole(path) as beside:
            beside.write_text(text, "utf-8")
    except OSError as error:
        raise StorageError(f"{path} could not be written ({reason(error)}): check the disk.") from error


def as_stored(value: Tensor) -> Tensor:
    """Weights are kept in fp16, counters as they are."""
    return value.detach().to("cpu", torch.float16 if value.is_floating_point() else value.dtype).contiguous()
