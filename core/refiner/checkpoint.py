"""The folder of a refiner (`refiner.safetensors`, `refiner.json`): saved atomically, validated when loaded."""

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
from core.encoders.image_features import Encoder, as_mask_encoder
from core.encoders.shipped import SHIPPED_NAME
from core.encoders.weights.files import in_float32, load_state, load_strictly, sha256_of
from core.errors import BadInputError, BadWeightsError, StorageError, reason
from core.files import written_whole
from core.records import Drawing
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
from core.translation import tr

logger = logging.getLogger(__name__)

SHIPPED = RESOURCES / "weights" / "light"
SHIPPED_BEFORE = (RESOURCES / "weights" / "light_1",)
"""Earlier shipped refiners, each for the encoder of its name; see `core.encoders.catalogue.SHIPPED_ENCODERS`."""
BASELINE = RESOURCES / "weights" / "baseline"
"""The baseline refiner on the shipped encoder's features, for benchmarks only."""
WEIGHTS_FILE = "refiner.safetensors"
CARD_FILE = "refiner.json"
REFINE_BY = ("auto", "refiner", "mask", "both")
FORMAT = 3
"""Format of cards with `by_drawing`; those with margins alone are written as 2, others as 1, for older versions."""
_LARGEST_CARD = 16 * MEGA
_LARGEST_FIGURE = 1e6
NETWORKS: Mapping[str, type[RefinerNetwork] | type[BaselineNetwork] | type[CandidateNetwork]] = {
    "box": RefinerNetwork,
    "baseline": BaselineNetwork,
    "candidates": CandidateNetwork,
}
"""Network of each kind of refiner."""


@dataclass(frozen=True)
class RefinerCard:
    """Content of refiner.json.

    encoder: identity of the encoder whose features the refiner reads
    made_by: how it was trained
    kind: a key of NETWORKS
    margins: by name of category, for a refiner that was taught by corrections (see TaughtRefiner)
    by_drawing: calibrations for the drawings that the network was trained for
    """

    encoder: str
    calibration: Calibration = field(default_factory=Calibration)
    made_by: Mapping[str, object] = field(default_factory=dict)
    kind: str = "box"
    format: int = 1
    margins: Mapping[str, Margin] = field(default_factory=dict)
    by_drawing: Mapping[Drawing, Calibration] = field(default_factory=dict)


def load_refiner(
    folder: Path | None, encoder: Encoder, *, refine_by: str = "auto", careful: bool = False, rounds: bool = False
) -> Refiner:
    """Load the refiner in `folder` for `encoder`.

    With `refine_by="auto"`, a folder of None means the shipped refiner, for HQ-SAM the tight box of its mask. Other
    values of REFINE_BY: `refiner` for the learned refiner alone, `mask` for HQ-SAM's mask alone, `both` for the mask
    and then the learned refiner. `careful` moves only boxes that are clearly off. `rounds` is for batch jobs; see
    `BoxRefiner`.

    Raises BadWeightsError if the folder is incomplete or damaged, and BadInputError if the refiner reads another
    encoder's features or the requested one does not exist.
    """
    found = _load(folder, encoder, refine_by=refine_by, rounds=rounds)
    logger.info("refiner %s (%s) is loaded from %s", found.name, found.identity, folder or "the program")
    return as_careful(found) if careful else found


def _load(folder: Path | None, encoder: Encoder, *, refine_by: str, rounds: bool) -> Refiner:
    if refine_by not in REFINE_BY:
        raise BadInputError(
            tr("There is no refine_by {value}: use one of {values}.", value=refine_by, values=", ".join(REFINE_BY))
        )
    mask_encoder = as_mask_encoder(encoder)
    mask = None if mask_encoder is None else MaskRefiner(mask_encoder)
    if refine_by in ("mask", "both") and mask is None:
        raise BadInputError(
            tr(
                "The encoder {encoder} makes no masks: choose an HQ-SAM encoder, or refine by refiner.",
                encoder=encoder.name,
            )
        )
    if mask is not None and (refine_by == "mask" or (refine_by == "auto" and folder is None)):
        return mask
    if mask is not None and folder is None:
        raise BadInputError(
            tr(
                "No refiner is shipped for {encoder}: refine by mask, or name a refiner of your own.",
                encoder=encoder.name,
            )
        )
    learned = _learned_refiner(folder, encoder, rounds=rounds)
    return MaskThenBox(mask, learned) if mask is not None and refine_by == "both" else learned


def _learned_refiner(folder: Path | None, encoder: Encoder, *, rounds: bool) -> Refiner:
    chosen = shipped_folder(encoder) if folder is None else folder
    card = read_card(chosen)
    if card.encoder != encoder.identity:
        raise BadInputError(
            tr(
                "The refiner in {folder} reads features of {wanted}, not of {encoder}: choose that encoder.",
                folder=chosen,
                wanted=card.encoder,
                encoder=encoder.identity,
            )
        )
    weights = chosen / WEIGHTS_FILE
    network = NETWORKS[card.kind]()
    if isinstance(network, CandidateNetwork):
        raise BadInputError(tr("{folder} holds candidates and no refiner: choose another folder.", folder=chosen))
    load_strictly(network, in_float32(load_state(weights)), path=weights)
    baseline_name = "baseline refiner"  # untranslated: a name
    if chosen != BASELINE:
        baseline_name += f" ({chosen.name})"
    name = SHIPPED_NAME if folder is None else baseline_name if card.kind == "baseline" else chosen.name
    identity = f"{card.kind}-{sha256_of(weights)[:12]}"
    refiner = BoxRefiner(
        network,
        name=name,
        identity=identity,
        encoder=card.encoder,
        device=encoder.device,
        calibration=card.calibration,
        by_drawing=card.by_drawing if card.kind == "box" else {},
        rounds=rounds,
    )
    if not card.margins:
        return refiner
    identity = f"{identity}-{_digest(card.margins)}"
    otherwise = load_refiner(None, encoder, rounds=rounds) if has_shipped_refiner(encoder) else refiner
    return TaughtRefiner(refiner, card.margins, otherwise=otherwise, name=name, identity=identity)


def has_shipped_refiner(encoder: Encoder) -> bool:
    """Whether a refiner ships for this encoder; the masks of HQ-SAM count. Raises BadWeightsError."""
    return as_mask_encoder(encoder) is not None or read_card(shipped_folder(encoder)).encoder == encoder.identity


def shipped_folder(encoder: Encoder) -> Path:
    """The folder of the refiner that ships for an encoder; SHIPPED if none does. Raises BadWeightsError."""
    return next((folder for folder in SHIPPED_BEFORE if read_card(folder).encoder == encoder.identity), SHIPPED)


def _digest(margins: Mapping[str, Margin]) -> str:
    text = json.dumps({name: margin.figures for name, margin in sorted(margins.items())})
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def read_card(folder: Path) -> RefinerCard:
    """Read the card in a refiner's folder. Raises BadWeightsError if it is missing, damaged or of a newer version."""
    path = folder / CARD_FILE
    try:
        values = json.loads(read_text(path, limit=_LARGEST_CARD))
        _check_kinds(values)
        kind = values.get("kind", "box")  # missing in cards of early versions, which had only this kind
        if values["format"] > FORMAT or kind not in NETWORKS:
            raise BadWeightsError(
                tr("The refiner in {folder} was made by a newer BoxRefine: update BoxRefine.", folder=folder)
            )
        return RefinerCard(
            encoder=values["encoder"],
            calibration=_calibration(values["calibration"]),
            made_by=values["made_by"],
            kind=kind,
            format=values["format"],
            margins={name: _margin(name, figures) for name, figures in values.get("margins", {}).items()},
            by_drawing={Drawing(name): _calibration(figures) for name, figures in values.get("by_drawing", {}).items()},
        )
    except FileNotFoundError as error:
        raise BadWeightsError(
            tr("There is no refiner in {folder} ({file} is missing): check the folder.", folder=folder, file=CARD_FILE)
        ) from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadWeightsError(
            tr("{path} is damaged ({why}): use another refiner.", path=path, why=reason(error))
        ) from error


_KINDS: Mapping[str, type] = {
    "encoder": str,
    "calibration": dict,
    "made_by": dict,
    "format": int,
    "kind": str,
    "margins": dict,
    "by_drawing": dict,
}


def _check_kinds(values: object) -> None:
    """Check the types of a card's entries. Raises ValueError, with a reason for the user."""
    if not isinstance(values, dict):
        raise ValueError(tr("it is no table"))
    for name, kind in _KINDS.items():
        if name in values and type(values[name]) is not kind:
            raise ValueError(tr("{name} is not of type {type}", name=name, type=kind.__name__))
    if not is_name(values["encoder"]):
        raise ValueError(tr("its encoder is no name"))


def _calibration(figures: object) -> Calibration:
    if not isinstance(figures, dict):
        raise ValueError(tr("it is no table"))
    return Calibration(**_figures(tr("calibration"), figures, Calibration))


def _margin(name: str, figures: object) -> Margin:
    if (name and not is_name(name)) or not isinstance(figures, dict):  # the empty name stands for all categories
        raise ValueError(tr("its margins are not of categories"))
    unit = figures.get("unit", SIDE)
    if unit not in (SIDE, PIXELS):
        raise ValueError(tr("the margin of “{category}” is of no known unit", category=name))
    edges = {edge: value for edge, value in figures.items() if edge != "unit"}
    return Margin(**_figures(tr("margin of “{category}”", category=name), edges, Margin), unit=unit)


def _figures(part: str, values: Mapping[str, object], kind: type[Calibration] | type[Margin]) -> dict[str, float]:
    """Check the values of a part of a card: known names, and numbers of a plausible size. Raises ValueError."""
    found: dict[str, float] = {}
    for name, value in values.items():
        if name not in kind.__dataclass_fields__:
            raise ValueError(tr("its {part} has no {name}", part=part, name=escaped(name)[:100]))
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST_FIGURE:
            raise ValueError(tr("the {name} of its {part} is no such number", name=name, part=part))
        found[name] = float(value)
    return found


def save_refiner(folder: Path, state: Mapping[str, Tensor], card: RefinerCard) -> None:
    """Write weights (as fp16) and card into `folder`, each atomically. Raises StorageError.

    What the network did not learn about drawings is left out, so that older versions can read the rest.
    """
    used = {name: value for name, value in state.items() if not name.endswith(".drawing.of") or value.any()}
    save_weights(used, folder / WEIGHTS_FILE)
    save_text(json.dumps(asdict(card), indent=2) + "\n", folder / CARD_FILE)


def save_weights(state: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors as fp16 safetensors, atomically. Raises StorageError."""
    halves = {name: to_stored(value) for name, value in state.items()}
    try:
        with written_whole(path) as beside:
            safetensors.torch.save_file(halves, beside)
    except (OSError, safetensors.SafetensorError) as error:
        raise StorageError(
            tr("The weights could not be saved to {path} ({why}): check the disk.", path=path, why=reason(error))
        ) from error


def save_text(text: str, path: Path) -> None:
    """Write a text file atomically. Raises StorageError."""
    try:
        with written_whole(path) as beside:
            beside.write_text(text, "utf-8")
    except OSError as error:
        raise StorageError(
            tr("{path} could not be written ({why}): check the disk.", path=path, why=reason(error))
        ) from error


def to_stored(value: Tensor) -> Tensor:
    """Convert a tensor to its form in files: floating point as fp16, counters unchanged."""
    return value.detach().to("cpu", torch.float16 if value.is_floating_point() else value.dtype).contiguous()
