"""The encoders by name, and what each can do: the one table that menus, options, help and defaults read.

Without torch, so that the window and `--help` may look at it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EncoderTraits:
    """What one chooses an encoder by, and what else the program decides by it.

    work: billions of multiplications and additions a picture; needs, gives: for people
    shipped: its weights come with BoxRefine; makes_masks: it can refine by a mask of its own
    second_look_pays: a second look at a crop was measured to bring more than it costs
    quick_on_cpu: a CPU encodes a picture well below a second; gpu_batch: pictures at once on a GPU
    """

    name: str
    title: str
    work: int
    needs: str
    gives: str
    shipped: bool = False
    makes_masks: bool = True
    second_look_pays: bool = False
    quick_on_cpu: bool = False
    gpu_batch: int = 8


TRAITS = (
    EncoderTraits(
        "light",
        "Light (shipped)",
        6,
        "any computer",
        "boxes by the shipped refiner, at once",
        shipped=True,
        makes_masks=False,
        second_look_pays=True,
        quick_on_cpu=True,
        gpu_batch=32,
    ),
    EncoderTraits(
        "vit_tiny", "HQ-SAM tiny", 81, "a CPU will do, a second or so a picture", "boxes by masks", gpu_batch=32
    ),
    EncoderTraits("vit_b", "HQ-SAM base", 1405, "a GPU is wanted", "boxes by better masks", gpu_batch=16),
    EncoderTraits("vit_l", "HQ-SAM large", 3585, "a GPU is needed", "boxes by still better masks"),
    EncoderTraits("vit_h", "HQ-SAM huge", 6579, "a GPU with 8 GB is needed", "boxes by the best masks"),
)
"""All encoders, the quickest first."""

ENCODERS = tuple(traits.name for traits in TRAITS)
SHIPPED = tuple(traits.name for traits in TRAITS if traits.shipped)


def traits_of(name: str) -> EncoderTraits:
    """The traits of the encoder `name`; one that is not in the table goes by its name and can do nothing special."""
    unknown = EncoderTraits(name, name, 0, "", "", makes_masks=False)
    return next((traits for traits in TRAITS if traits.name == name), unknown)


def title_of(name: str) -> str:
    """What people call the encoder `name`."""
    return traits_of(name).title
