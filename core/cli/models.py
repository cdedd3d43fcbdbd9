"""Get, check and remove the weights of HQ-SAM's encoders; the light encoder is shipped and needs none of this.

Downloads come from huggingface.co, or from the mirror that HF_ENDPOINT names, through HTTPS_PROXY if that is set; one
that broke off or was cancelled goes on where it stopped. A file counts only with the published SHA-256. Offline, get
the file elsewhere and add it.

examples:
  boxrefine models list
  boxrefine models download vit_tiny
  boxrefine models add vit_b sam_hq_vit_b.pth
  boxrefine models verify
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.terminal import Figure, complain, say, summarise, table, watch

if TYPE_CHECKING:
    from core.encoders.weights.model_folder import HeldWeights

HQ_NAMES = "vit_tiny, vit_b, vit_l or vit_h"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-verb for each thing to do with weights."""
    verbs = parser.add_subparsers(metavar="WHAT", required=True)
    listing = verbs.add_parser("list", help="the encoders, what they need, and which are here")
    listing.set_defaults(do=list_encoders)
    bring = verbs.add_parser("download", help="download the published weights of an encoder")
    bring.set_defaults(do=bring_weights)
    add = verbs.add_parser("add", help="take in a weights file that you have")
    add.set_defaults(do=add_weights)
    drop = verbs.add_parser("remove", help="remove an encoder's weights")
    drop.set_defaults(do=remove_weights)
    check = verbs.add_parser("verify", help="read weights whole and compare them with what they were")
    check.set_defaults(do=verify_weights)
    for parser in (bring, add, drop):
        parser.add_argument("encoder", metavar="NAME", help=HQ_NAMES)
    check.add_argument("encoder", metavar="NAME", nargs="?", help=f"{HQ_NAMES}; without it, all that are here")
    add.add_argument("file", metavar="FILE", type=Path, help="a .pth or .safetensors file; it stays where it is")


def run(options: argparse.Namespace) -> int:
    """Do it, summarise; 2 where weights that were checked are damaged."""
    from core.encoders.weights.published import weights_folder

    figures: Mapping[str, Figure] = options.do(options)
    summarise({"weights": str(weights_folder()), **figures})
    return 2 if figures.get("damaged") else 0


def list_encoders(options: argparse.Namespace) -> Mapping[str, Figure]:
    """A table of the encoders."""
    from core.encoders.traits import SHIPPED, TRAITS
    from core.encoders.weights.model_folder import held_weights
    from core.encoders.weights.published import OFFICIAL, weights_folder

    rows, here = [], list(SHIPPED)
    for traits in TRAITS:
        held = held_weights(traits.name)
        if held is not None:
            here.append(traits.name)
        size = f"{OFFICIAL[traits.name].size / 1e6:.0f}" if not traits.shipped else "shipped"
        rows.append([traits.name, size, str(traits.work), traits.needs, traits.gives, state_of(traits.name, held)])
    say(table(["encoder", "MB", "GFLOP a picture", "needs", "gives", "weights"], rows))
    say(f"\nWeights are kept in {weights_folder()}.")
    encoders: list[Figure] = list(here)
    return {"here": encoders}


def state_of(name: str, held: HeldWeights | None) -> str:
    """Whether one can use an encoder now."""
    from core.encoders.traits import traits_of

    if traits_of(name).shipped:
        return "here"
    if held is None:
        return f"boxrefine models download {name}"
    return "here" if held.official else "here, your own"


def bring_weights(options: argparse.Namespace) -> Mapping[str, Figure]:
    """Download and convert."""
    from core.encoders.weights.model_folder import bring

    path = watch(bring(options.encoder), unit="MB")
    say(
        f"The weights of {options.encoder} are here: use them by --encoder {options.encoder}, or choose them in the "
        "window's menu Model."
    )
    return {"encoder": options.encoder, "file": str(path)}


def add_weights(options: argparse.Namespace) -> Mapping[str, Figure]:
    """Take a file in."""
    from core.encoders.weights.model_folder import add_file

    held = watch(add_file(options.encoder, options.file), unit="step")
    if not held.official:
        complain(
            f"{options.file} is not the published file of {options.encoder}, so it is taken for weights of your own."
        )
    say(f"The weights of {options.encoder} are here.")
    return {"encoder": options.encoder, "file": str(held.path), "official": held.official}


def remove_weights(options: argparse.Namespace) -> Mapping[str, Figure]:
    """Remove."""
    from core.encoders.weights.model_folder import remove

    freed = remove(options.encoder)
    words = f"{freed / 1e6:.1f} MB free again." if freed else f"There were no weights of {options.encoder} to remove."
    say(words)
    return {"encoder": options.encoder, "bytes": freed}


def verify_weights(options: argparse.Namespace) -> Mapping[str, Figure]:
    """Check one encoder's weights, or all."""
    from core.encoders.weights.model_folder import verify
    from core.encoders.weights.published import OFFICIAL, find_weights
    from core.errors import BadWeightsError

    names = [options.encoder] if options.encoder else [name for name in OFFICIAL if find_weights(name)]
    whole: list[Figure] = []
    damaged: list[Figure] = []
    for name in names:
        try:
            held = watch(verify(name), unit="step")
        except BadWeightsError as error:
            complain(str(error))
            damaged.append(name)
        else:
            say(f"{name}: whole, " + ("the published weights" if held.official else "weights of your own"))
            whole.append(name)
    return {"whole": whole, "damaged": damaged}
