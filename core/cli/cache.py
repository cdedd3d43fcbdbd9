"""Look after the feature cache: what it holds, emptying it, checking it, carrying it to another machine.

Features are known by their pictures' pixels, so a pack that one machine exports serves any other that has the same
pictures, wherever they lie there: encode on a GPU server, label on a laptop.

examples:
  boxrefine cache info
  boxrefine cache verify
  boxrefine cache clear --encoder vit_b
  boxrefine cache export --out harbour.tar --images harbour --encoder vit_h
  boxrefine cache import harbour.tar
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.options import add_cache_options, open_cache
from core.cli.terminal import Figure, complain, say, summarise, table, watch

if TYPE_CHECKING:
    from core.features.cache.feature_cache import FeatureCache

ENCODER_HELP = "only features of this encoder (vit_b), or of this identity (vit_b-14a9d662cd6f)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-verb for each thing to do with a cache."""
    verbs = parser.add_subparsers(metavar="WHAT", required=True)
    chosen: dict[str, argparse.ArgumentParser] = {}
    for name, (call, meaning) in WHAT.items():
        chosen[name] = verbs.add_parser(name, help=meaning, description=meaning[0].upper() + meaning[1:] + ".")
        add_cache_options(chosen[name], optional=False)
        chosen[name].set_defaults(look_after=call)
    for name in ("clear", "export"):
        chosen[name].add_argument("--encoder", metavar="NAME", help=ENCODER_HELP)
    chosen["export"].add_argument("--out", metavar="PACK.tar", type=Path, required=True, help="file to write")
    chosen["export"].add_argument("--images", metavar="DIR", type=Path, help="only features of the pictures in DIR")
    chosen["import"].add_argument("pack", metavar="PACK.tar", type=Path, help="what boxrefine cache export wrote")


def run(options: argparse.Namespace) -> int:
    """Do one thing; 2 where the cache could not be used."""
    with open_cache(options.cache) as cache:
        figures: Mapping[str, Figure] = options.look_after(options, cache)
        summarise({"cache": str(cache.folder), **figures})
        if cache.trouble:
            complain(cache.trouble)
            return 2
    return 0


def info(options: argparse.Namespace, cache: FeatureCache) -> Mapping[str, Figure]:
    """A table of what is there, and of what there may be."""
    from core.features.cache.cache_care import survey

    holdings = watch(survey(cache.folder), unit="file")
    held = sum(holding.nbytes for holding in holdings)
    rows = [
        [entry.encoder, entry.codec, str(entry.pictures), str(entry.crops), f"{entry.nbytes / 1e6:.1f}"]
        for entry in holdings
    ]
    say(table(["encoder", "codec", "pictures", "crops", "MB"], rows))
    budget = cache.disk_budget / 1e6
    say(f"\n{held / 1e6:.1f} of at most {budget:.1f} MB in {cache.folder}; what was used longest ago goes first.")
    return {"bytes": held, "budget": cache.disk_budget, "pictures": sum(entry.pictures for entry in holdings)}


def clear(options: argparse.Namespace, cache: FeatureCache) -> Mapping[str, Figure]:
    """Remove the features of one encoder, or all."""
    from core.features.cache.cache_care import clear

    removed, freed = watch(clear(cache, encoder=options.encoder), unit="file")
    if options.encoder is not None and not removed:
        say(f"There are no features of {options.encoder} in {cache.folder}.")
    else:
        say(f"{removed} files removed, {freed / 1e6:.1f} MB free again.")
    return {"removed": removed, "bytes": freed}


def verify(options: argparse.Namespace, cache: FeatureCache) -> Mapping[str, Figure]:
    """Read every file; damaged ones go, and what was left half-done is mended."""
    from core.features.cache.cache_care import verify

    found = watch(verify(cache), unit="file")
    say(f"{found.whole} files are whole, {found.damaged} were damaged and are removed, {found.mended} entries mended.")
    return {"whole": found.whole, "damaged": found.damaged, "mended": found.mended}


def export(options: argparse.Namespace, cache: FeatureCache) -> Mapping[str, Figure]:
    """Write a cache pack."""
    from core.cli.options import check_output
    from core.features.cache.cache_pack import export_pack

    check_output(options.out)
    contents = None if options.images is None else contents_of(options.images, cache)
    packed = watch(export_pack(cache, options.out, encoder=options.encoder, contents=contents), unit="file")
    say(f"The features of {packed.features} pictures and crops ({packed.nbytes / 1e6:.1f} MB) are in {options.out}.")
    return {"features": packed.features, "bytes": packed.nbytes, "out": str(options.out)}


def take_in(options: argparse.Namespace, cache: FeatureCache) -> Mapping[str, Figure]:
    """Read a cache pack."""
    from core.features.cache.cache_pack import import_pack

    packed = watch(import_pack(cache, options.pack), unit="file")
    say(f"{packed.features} features ({packed.nbytes / 1e6:.1f} MB) taken in.")
    if packed.damaged:
        complain(f"{packed.damaged} entries of {options.pack} were damaged and left out: copy it again.")
    return {"features": packed.features, "bytes": packed.nbytes, "damaged": packed.damaged}


def contents_of(folder: Path, cache: FeatureCache) -> frozenset[str]:
    """The content hashes of the pictures in a folder; those that cannot be read are told."""
    from core.errors import KnownError
    from core.features.feature_source import content_of
    from core.images import list_pictures

    contents = set()
    for path in list_pictures(folder):
        try:
            contents.add(content_of(path, cache))
        except KnownError as error:
            complain(str(error))
    return frozenset(contents)


WHAT: Mapping[str, tuple[Callable[[argparse.Namespace, FeatureCache], Mapping[str, Figure]], str]] = {
    "info": (info, "what the cache holds, how large it is and may become"),
    "clear": (clear, "remove features, of one encoder or all"),
    "verify": (verify, "read every file, remove damaged ones, mend what was left half-done"),
    "export": (export, "write features into one file, to be used on another machine"),
    "import": (take_in, "take in the features of such a file"),
}
