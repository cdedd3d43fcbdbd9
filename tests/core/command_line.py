"""Running verbs as a user does, and a small batch of real pictures to run them on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from core.encoders.light.encoder import LightNetwork
from core.encoders.weights.files import sha256_of
from core.refiner.checkpoint import RefinerCard, save_refiner, save_weights
from core.refiner.network import RefinerNetwork
from core.sample_project import drawn_boxes, pictures_folder


@dataclass(frozen=True)
class Said:
    """What a verb left behind: its exit code, its last line, its sentences."""

    code: int
    summary: dict[str, Any]
    out: str
    sentences: list[str]


Verb = Callable[..., Said]


@dataclass
class Batch:
    """A folder of two pictures, a COCO file of their drawn boxes, and a place for the result."""

    images: Path
    boxes: Path
    out: Path
    document: dict[str, Any]

    @classmethod
    def make(cls, folder: Path) -> Batch:
        """Coffee (boxes 1 to 3) and cat (4 to 7) of the sample project."""
        images = folder / "pictures é 写"
        images.mkdir(parents=True)
        document = dict(drawn_boxes().document)
        document["images"] = sorted((i for i in document["images"] if i["id"] <= 2), key=lambda image: image["id"])
        document["annotations"] = [note for note in document["annotations"] if note["image_id"] <= 2]
        for image in document["images"]:
            with Image.open(pictures_folder() / image["file_name"]) as picture:
                picture.save(images / image["file_name"])
        batch = cls(images, folder / "coarse.json", folder / "refined.json", document)
        batch.write()
        return batch

    def write(self) -> None:
        """Write the document as it is now."""
        self.boxes.write_text(json.dumps(self.document), "utf-8")

    def note(self, id: int) -> dict[str, Any]:
        """A drawn annotation, to be changed before `write`."""
        return next(note for note in self.document["annotations"] if note["id"] == id)

    def refined(self) -> dict[int, dict[str, Any]]:
        """Annotations of the result by id."""
        return {note["id"]: note for note in json.loads(self.out.read_text("utf-8"))["annotations"]}

    @property
    def arguments(self) -> list[str]:
        return ["--images", str(self.images), "--boxes", str(self.boxes), "--out", str(self.out)]


def save_untrained(folder: Path) -> Path:
    """A light encoder and its refiner at random weights, in the files that training leaves."""
    torch.manual_seed(0)
    encoder = folder / "encoder.safetensors"
    save_weights(LightNetwork().state_dict(), encoder)
    card = RefinerCard(encoder=f"light-{sha256_of(encoder)[:12]}")
    save_refiner(folder, RefinerNetwork().state_dict(), card)
    return folder
