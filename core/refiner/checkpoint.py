"""A refiner's folder: `refiner.safetensors` and `refiner.json`, saved whole and loaded strictly."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from core.encoders.hq_sam import HqSamEncoder
from core.encoders.image_features import Encoder
from core.encoders.weights import load_state, load_strictly, sha256_of
from core.errors import BadInputError, BadWeightsError, StorageError, reason
from core.refiner.box_refiner import BoxRefiner, Calibration
from core.refiner.careful import careful as as_careful
from core.refiner.margins import Margin
from core.refiner.mask_refiner import MaskRefiner
from core.refiner.mask_then_box import MaskThenBox
from core.refiner.network import RefinerNetwork
from core.refiner.refine import Refiner
from core.refiner.seed_network import SeedNetwork
from core.refiner.taught_refiner import TaughtRefiner
from core.resources import RESOURCES

SHIPPED = RESOURCES / "weights" / "light"
SEED_BASELINE = RESOURCES / "weights" / "seed"
"""The seed's refiner on the shipped encoder's features, to compare with; never offered for work."""
WEIGHTS_FILE = "refiner.safetensors"
CARD_FILE = "refiner.json"
REFINE_BY = ("auto", "refiner", "mask", "both")
FORMAT = 2
"""Of cards with margins; those without are written as 1, which older versions read."""
NETWORKS: Mapping[str, type[RefinerNetwork] | type[SeedNetwork]] = {
    "box": RefinerNetwork,
    "seed": SeedNetwork,
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
    load_strictly(network, {key: value.float() for key, value in load_state(weights).items()}, path=weights)
    seeds = "seed's refiner" if chosen == SEED_BASELINE else f"seed's refiner ({chosen.name})"
    name = "shipped" if folder is None else seeds if card.kind == "seed" else chosen.name
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
        values = json.loads(path.read_text("utf-8"))
        kind = str(values.get("kind", "box"))  # folders of before there were two kinds do not name it
        if values["format"] > FORMAT or kind not in NETWORKS:
            raise BadWeightsError(f"The refiner in {folder} was made by a newer BoxRefine: update BoxRefine.")
        return RefinerCard(
            encoder=str(values["encoder"]),
            calibration=Calibration(**values["calibration"]),
            made_by=dict(values["made_by"]),
            kind=kind,
            format=int(values["format"]),
            margins={str(name): Margin(**margin) for name, margin in values.get("margins", {}).items()},
        )
    except FileNotFoundError as error:
        raise BadWeightsError(f"There is no refiner in {folder} ({CARD_FILE} is missing): check the folder.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadWeightsError(f"{path} is damaged ({reason(error)}): use another refiner.") from error


def save_refiner(folder: Path, state: Mapping[str, Tensor], card: RefinerCard) -> None:
    """Write weights (as fp16) and card into `folder`, each whole or not at all. Raises StorageError."""
    save_weights(state, folder / WEIGHTS_FILE)
    save_text(json.dumps(asdict(card), indent=2) + "\n", folder / CARD_FILE)


def save_weights(state: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors as fp16 safetensors beside `path` and rename. Raises StorageError."""
    halves = {name: as_stored(value) for name, value in state.items()}
    beside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        safetensors.torch.save_file(halves, beside)
        beside.replace(path)
    except (OSError, safetensors.SafetensorError) as error:
        beside.unlink(missing_ok=True)
        raise StorageError(f"The weights could not be saved to {path} ({reason(error)}): check the disk.") from error


def save_text(text: str, path: Path) -> None:
    """Write text beside `path` and rename. Raises StorageError."""
    beside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, "utf-8")
        beside.replace(path)
    except OSError as error:
        raise StorageError(f"{path} could not be written ({reason(error)}): check the disk.") from error


def as_stored(value: Tensor) -> Tensor:
    """Weights are kept in fp16, counters as they are."""
    return value.detach().to("cpu", torch.float16 if value.is_floating_point() else value.dtype).contiguous()
