"""The encoders and their properties: the one table that menus, options, help and defaults read.

Without torch, so that the window and `--help` can import it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.translation import tr


@dataclass(frozen=True)
class EncoderTraits:
    """The properties by which users choose an encoder, and by which the program treats it.

    work: billions of multiplications and additions a picture
    needs, gives: texts for the user
    shipped: its weights come with BoxRefine
    makes_masks: it can refine by a mask of its own
    second_look_pays: measurements show that a second look at a crop brings more than it costs
    quick_on_cpu: a CPU encodes a picture well below a second
    gpu_batch: pictures in a batch on a GPU
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


_LIGHT = EncoderTraits(
    "light",
    tr("Light (shipped)"),
    6,
    tr("any computer"),
    tr("boxes by the shipped refiner, at once"),
    shipped=True,
    makes_masks=False,
    second_look_pays=True,
    quick_on_cpu=True,
    gpu_batch=32,
)

TRAITS = (
    _LIGHT,
    replace(
        _LIGHT,
        name="light_1",
        title=tr("Light 1 (shipped before)"),
        gives=tr("boxes by refiners that were taught on it"),
    ),
    EncoderTraits(
        "vit_tiny",
        tr("HQ-SAM tiny"),
        81,
        tr("a CPU will do, a second or so a picture"),
        tr("boxes by masks"),
        gpu_batch=32,
    ),
    EncoderTraits("vit_b", tr("HQ-SAM base"), 1405, tr("a GPU is wanted"), tr("boxes by better masks"), gpu_batch=16),
    EncoderTraits("vit_l", tr("HQ-SAM large"), 3585, tr("a GPU is needed"), tr("boxes by still better masks")),
    EncoderTraits("vit_h", tr("HQ-SAM huge"), 6579, tr("a GPU with 8 GB is needed"), tr("boxes by the best masks")),
)
"""All encoders, the quickest first."""

ENCODERS = tuple(traits.name for traits in TRAITS)
SHIPPED = tuple(traits.name for traits in TRAITS if traits.shipped)


def traits_of(name: str) -> EncoderTraits:
    """The traits of the encoder `name`; an unknown encoder has its name as title and none of the abilities."""
    unknown = EncoderTraits(name, name, 0, "", "", makes_masks=False)
    return next((traits for traits in TRAITS if traits.name == name), unknown)


def title_of(name: str) -> str:
    """The title of the encoder `name` for the user."""
    return traits_of(name).title
