"""The verb `cache`: show, empty, check, export and import the feature cache."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.options import add_cache_options, open_cache
from core.cli.terminal import Figure, complain, say, summarize, table, watch
from core.cli.verb_help import VerbHelp, add_verb
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.features.cache.feature_cache import FeatureCache

HELP = VerbHelp(
    tr("Look after the feature cache: show its contents, empty it, check it, carry it to another machine."),
    tr("""\
Features are identified by the pixels of their pictures, so a pack that one machine exports serves any other that has
the same pictures in any folder: encode on a GPU server, label on a laptop."""),
    """
    boxrefine cache info
    boxrefine cache verify
    boxrefine cache clear --encoder vit_b
    boxrefine cache export --out harbour.tar --images harbour --encoder vit_h
    boxrefine cache import harbour.tar
    """,  # untranslated: commands
)
ENCODER_HELP = tr("only features of this encoder (vit_b), or of this identity (vit_b-14a9d662cd6f)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-verb for each operation on a cache."""
    verbs = parser.add_subparsers(metavar="WHAT", required=True)
    chosen: dict[str, argparse.ArgumentParser] = {}
    for name, (call, title) in WHAT.items():
        chosen[name] = add_verb(verbs, name, VerbHelp(title))
        add_cache_options(chosen[name], optional=False)
        chosen[name].set_defaults(look_after=call)
    for name in ("clear", "export"):
        chosen[name].add_argument("--encoder", metavar="NAME", help=ENCODER_HELP)
    export, taken = chosen["export"], chosen["import"]
    export.add_argument("--out", metavar="PACK.tar", type=Path, required=True, help=tr("file to write"))
    export.add_argument("--images", metavar="DIR", type=Path, help=tr("only features of the pictures in DIR"))
    taken.add_argument("pack", metavar="PACK.tar", type=Path, help=tr("file that boxrefine cache export wrote"))


def run(options: argparse.Namespace) -> int:
    """Run one sub-verb; return 2 where the cache could not be used."""
    with open_cache(options.cache) as cache:
        figures: Mapping[str, Figure] = options.look_after(options, cache)
        summarize({"cache": str(cache.folder), **figures})
        if cache.trouble:
            complain(cache.trouble)
            return 2
    return 0


def info(options: argparse.Namespace, cache: FeatureCache) -> Mapping[str, Figure]:
    """Print a table of the contents, and the size in use beside the budget."""
    from core.features.cache.cache_care import survey

    holdings = watch(survey(cache.folder), unit=tr("file"))
    held = sum(holding.nbytes for holding in holdings)
    rows = [
        [entry.encoder, entry.codec, str(entry.pictures), str(entry.crops), f"{entry.nbytes / 1e6:.1f}"]
        for entry in holdings
    ]
    say(table([tr("encoder"), tr("codec"), tr("pictures"), tr("crops"), "MB"], rows))
    size, budget = f"{held / 1e6:.1f}", f"{cache.disk_budget / 1e6:.1f}"
    used = tr(
        "{size} of at most {budget} MB in {folder}; what was used longest ago goes first.",
        size=size,
        budget=budget,
        folder=cache.folder,
    )
    say(f"\n{used}")
    return {"bytes": held, "budget": cache.disk_budget, "pictures": sum(entry.pictures for entry in holdings)}


def clear(options: argparse.Namespace, cache: FeatureCache) -> Mapping[str, Figure]:
    """Remove the features of one encoder, or all."""
    from core.features.cache.cache_care import clear

    removed, freed = watch(clear(cache, encoder=options.encoder), unit=tr("file"))
    if options.encoder is not None and not removed:
        say(tr("There are no features of {encoder} in {folder}.", encoder=options.encoder, folder=cache.folder))
    else:
        say(
            tr_plural(
                "{count} file removed, {size} MB free again.",
                "{count} files removed, {size} MB free again.",
                removed,
                size=f"{freed / 1e6:.1f}",
            )
        )
    return {"removed": removed, "bytes": freed}


def verify(options: argparse.Namespace, cache: FeatureCache) -> Mapping[str, Figure]:
    """Read every file, remove damaged ones, repair what was left half-written."""
    from core.features.cache.cache_care import verify

    found = watch(verify(cache), unit=tr("file"))
    say(
        tr(
            "Files: {whole} whole, {damaged} damaged and removed. Index: {repaired} entries repaired.",
            whole=found.whole,
            damaged=found.damaged,
            repaired=found.repaired,
        )
    )
    return {"whole": found.whole, "damaged": found.damaged, "mended": found.repaired}


def export(options: argparse.Namespace, cache: FeatureCache) -> Mapping[str, Figure]:
    """Write a cache pack."""
    from core.cli.options import check_output
    from core.features.cache.cache_pack import export_pack

    check_output(options.out)
    contents = None if options.images is None else read_contents(options.images, cache)
    packed = watch(export_pack(cache, options.out, encoder=options.encoder, contents=contents), unit=tr("file"))
    say(
        tr_plural(
            "The features of {count} picture or crop ({size} MB) are in {file}.",
            "The features of {count} pictures and crops ({size} MB) are in {file}.",
            packed.features,
            size=f"{packed.nbytes / 1e6:.1f}",
            file=options.out,
        )
    )
    return {"features": packed.features, "bytes": packed.nbytes, "out": str(options.out)}


def import_features(options: argparse.Namespace, cache: FeatureCache) -> Mapping[str, Figure]:
    """Read a cache pack."""
    from core.features.cache.cache_pack import import_pack

    packed = watch(import_pack(cache, options.pack), unit=tr("file"))
    say(
        tr_plural(
            "The features of {count} picture or crop ({size} MB) were taken in.",
            "The features of {count} pictures and crops ({size} MB) were taken in.",
            packed.features,
            size=f"{packed.nbytes / 1e6:.1f}",
        )
    )
    if packed.damaged:
        complain(
            tr_plural(
                "{count} entry of {file} was damaged and left out: copy it again.",
                "{count} entries of {file} were damaged and left out: copy it again.",
                packed.damaged,
                file=options.pack,
            )
        )
    return {"features": packed.features, "bytes": packed.nbytes, "damaged": packed.damaged}


def read_contents(folder: Path, cache: FeatureCache) -> frozenset[str]:
    """Read the content hashes of the pictures in a folder; report unreadable ones on stderr."""
    from core.errors import KnownError
    from core.features.feature_source import content_of
    from core.picture_folders import list_pictures

    contents = set()
    for path in list_pictures(folder, complain):
        try:
            contents.add(content_of(path, cache))
        except KnownError as error:
            complain(str(error))
    return frozenset(contents)


WHAT: Mapping[str, tuple[Callable[[argparse.Namespace, FeatureCache], Mapping[str, Figure]], str]] = {
    "info": (info, tr("Show what the cache holds, its size and its limit.")),
    "clear": (clear, tr("Remove features, of one encoder or all.")),
    "verify": (verify, tr("Read every file, remove damaged ones, repair what was left half-written.")),
    "export": (export, tr("Write features into one file, to be used on another machine.")),
    "import": (import_features, tr("Take in the features of such a file.")),
}
