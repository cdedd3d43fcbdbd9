"""The verb `models`: download, add, check and remove the weights of HQ-SAM's encoders."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.terminal import Figure, complain, say, summarize, table, watch
from core.cli.verb_help import VerbHelp, add_verb
from core.translation import tr

if TYPE_CHECKING:
    from core.encoders.weights.model_folder import HeldWeights

HELP = VerbHelp(
    tr("Get, check and remove the weights of HQ-SAM's encoders; the light encoder is shipped and needs none of this."),
    tr("""\
Downloads come from huggingface.co, or from the mirror that HF_ENDPOINT names, through HTTPS_PROXY if that is set; one
that broke off or was cancelled goes on where it stopped. A file counts only with the published SHA-256. Offline, get
the file elsewhere and add it."""),
    """
    boxrefine models list
    boxrefine models download vit_tiny
    boxrefine models add vit_b sam_hq_vit_b.pth
    boxrefine models verify
    """,  # untranslated: commands
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-verb for each operation on weights."""
    verbs = parser.add_subparsers(metavar="WHAT", required=True)
    listing = add_verb(verbs, "list", VerbHelp(tr("List the encoders, what they need, and which are installed.")))
    listing.set_defaults(do=list_encoders)
    fetch = add_verb(verbs, "download", VerbHelp(tr("Download the published weights of an encoder.")))
    fetch.set_defaults(do=download_weights)
    add = add_verb(verbs, "add", VerbHelp(tr("Take in a weights file that you have.")))
    add.set_defaults(do=add_weights)
    drop = add_verb(verbs, "remove", VerbHelp(tr("Remove an encoder's weights.")))
    drop.set_defaults(do=remove_weights)
    check = add_verb(verbs, "verify", VerbHelp(tr("Read weights whole and compare them with their checksums.")))
    check.set_defaults(do=verify_weights)
    names, file = tr("vit_tiny, vit_b, vit_l or vit_h"), tr("a .pth or .safetensors file; it stays where it is")
    for parser in (fetch, add, drop):
        parser.add_argument("encoder", metavar="NAME", help=names)
    all_names = tr("vit_tiny, vit_b, vit_l or vit_h; without it, all that are installed")
    check.add_argument("encoder", metavar="NAME", nargs="?", help=all_names)
    add.add_argument("file", metavar="FILE", type=Path, help=file)


def run(options: argparse.Namespace) -> int:
    """Run one sub-verb; return 2 where weights that were checked are damaged."""
    from core.encoders.weights.published import weights_folder

    figures: Mapping[str, Figure] = options.do(options)
    summarize({"weights": str(weights_folder()), **figures})
    return 2 if figures.get("damaged") else 0


def list_encoders(options: argparse.Namespace) -> Mapping[str, Figure]:
    """Print a table of the encoders."""
    from core.encoders.traits import SHIPPED, TRAITS
    from core.encoders.weights.model_folder import held_weights
    from core.encoders.weights.published import OFFICIAL, weights_folder

    rows, here = [], list(SHIPPED)
    for traits in TRAITS:
        held = held_weights(traits.name)
        if held is not None:
            here.append(traits.name)
        size = f"{OFFICIAL[traits.name].size / 1e6:.0f}" if not traits.shipped else tr("shipped")
        rows.append([traits.name, size, str(traits.work), traits.needs, traits.gives, state_of(traits.name, held)])
    say(table([tr("encoder"), "MB", tr("GFLOP a picture"), tr("needs"), tr("gives"), tr("weights")], rows))
    place = tr("Weights are kept in {folder}.", folder=weights_folder())
    say(f"\n{place}")
    encoders: list[Figure] = list(here)
    return {"here": encoders}


def state_of(name: str, held: HeldWeights | None) -> str:
    """Whether the weights of an encoder are installed, else the command that downloads them."""
    from core.encoders.traits import traits_of

    if traits_of(name).shipped:
        return tr("here")
    if held is None:
        return f"boxrefine models download {name}"  # untranslated: a command
    return tr("here") if held.official else tr("here, your own")


def download_weights(options: argparse.Namespace) -> Mapping[str, Figure]:
    """Download and convert."""
    from core.encoders.weights.model_folder import bring

    path = watch(bring(options.encoder), unit=tr("MB"))
    say(
        tr(
            "The weights of {encoder} are here: use them by --encoder {encoder}, or choose them in the window's menu "
            "Model.",
            encoder=options.encoder,
        )
    )
    return {"encoder": options.encoder, "file": str(path)}


def add_weights(options: argparse.Namespace) -> Mapping[str, Figure]:
    """Convert a file of the user and add it to the weights folder."""
    from core.encoders.weights.model_folder import add_file

    held = watch(add_file(options.encoder, options.file), unit=tr("step"))
    if not held.official:
        complain(
            tr(
                "{file} is not the published file of {encoder}, so it is taken for weights of your own.",
                file=options.file,
                encoder=options.encoder,
            )
        )
    say(tr("The weights of {encoder} are here.", encoder=options.encoder))
    return {"encoder": options.encoder, "file": str(held.path), "official": held.official}


def remove_weights(options: argparse.Namespace) -> Mapping[str, Figure]:
    """Remove the weights of an encoder."""
    from core.encoders.weights.model_folder import remove

    freed = remove(options.encoder)
    if freed:
        say(tr("{size} MB free again.", size=f"{freed / 1e6:.1f}"))
    else:
        say(tr("There were no weights of {encoder} to remove.", encoder=options.encoder))
    return {"encoder": options.encoder, "bytes": freed}


def verify_weights(options: argparse.Namespace) -> Mapping[str, Figure]:
    """Check the weights of one encoder, or of all that are installed."""
    from core.encoders.weights.model_folder import verify
    from core.encoders.weights.published import OFFICIAL, find_weights
    from core.errors import BadWeightsError

    names = [options.encoder] if options.encoder else [name for name in OFFICIAL if find_weights(name)]
    whole: list[Figure] = []
    damaged: list[Figure] = []
    for name in names:
        try:
            held = watch(verify(name), unit=tr("step"))
        except BadWeightsError as error:
            complain(str(error))
            damaged.append(name)
        else:
            official = tr("{encoder}: whole, the published weights", encoder=name)
            say(official if held.official else tr("{encoder}: whole, weights of your own", encoder=name))
            whole.append(name)
    return {"whole": whole, "damaged": damaged}
