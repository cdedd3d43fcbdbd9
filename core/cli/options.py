"""Options that several verbs share, and the objects that they choose: the encoder and its feature cache."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.terminal import Figure, complain
from core.encoders.traits import ENCODERS
from core.errors import BadFileError, StorageError
from core.object_store.address import Address, path_or_address
from core.translation import tr

if TYPE_CHECKING:
    from core.encoders.image_features import Encoder
    from core.features.cache.feature_cache import FeatureCache
    from core.features.cache.shared_cache import SharedCache
    from core.features.feature_source import FeatureSource
    from core.records import Drawing

ENCODER_HELP = tr("{encoders}, or the .safetensors file of a light encoder of your own", encoders=", ".join(ENCODERS))
OWN_REFINER_HELP = tr("a refiner of your own instead of the shipped one")
IMAGES_HELP = tr("folder of pictures, or its address, such as s3://bucket/pictures")
PROJECT_HELP = tr("a project file, or the folder that holds one")


def add_encoder_options(parser: argparse.ArgumentParser) -> None:
    """Add --encoder and --device."""
    parser.add_argument("--encoder", metavar="NAME", default="light", help=ENCODER_HELP)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help=tr("where to compute"))


def add_careful_option(parser: argparse.ArgumentParser) -> None:
    """Add --careful."""
    text = tr("the boxes are right but for a few: move only those that are clearly off")
    parser.add_argument("--careful", action="store_true", help=text)


DRAWN = ("auto", "drag", "coarse", "placed")


def add_drawn_option(parser: argparse.ArgumentParser) -> None:
    """Add --drawn; see `drawing_of`."""
    text = tr(
        "how the boxes were drawn: by mouse drags, coarsely, or placed well; auto: as far as they would move shows it"
    )
    parser.add_argument("--drawn", choices=DRAWN, default="auto", help=text)


def drawing_of(options: argparse.Namespace) -> Drawing | None:
    """Return the value of --drawn; None for auto, but PLACED with --careful."""
    from core.records import Drawing

    if options.drawn == "auto":
        return Drawing.PLACED if options.careful else None
    return Drawing(options.drawn)


def add_cache_options(parser: argparse.ArgumentParser, *, optional: bool = True) -> None:
    """Add --cache, --shared-cache and, where the verb can do without a cache (`optional`), --no-cache."""
    folder = tr("feature cache to use instead of the user's own")
    shared = tr("address or folder of a cache that a team shares, instead of that of the settings")
    parser.add_argument("--cache", metavar="DIR", type=Path, help=folder)
    parser.add_argument("--shared-cache", metavar="URL", type=path_or_address, help=shared)
    if optional:
        parser.add_argument("--no-cache", action="store_true", help=tr("keep no features"))
    else:
        parser.set_defaults(no_cache=False)


@contextmanager
def open_source(
    options: argparse.Namespace, *, in_memory: bool = True, load: Callable[[str, str], Encoder] | None = None
) -> Iterator[FeatureSource]:
    """Open the source of features: the chosen encoder on the chosen device, with the chosen cache.

    `in_memory`: keep recent features in memory too, for verbs that read a picture's features more than once.
    `load` makes the encoder from its name and the device, load_encoder if None.
    """
    from core.encoders.catalogue import load_encoder
    from core.features.feature_source import FeatureSource

    encoder = (load or load_encoder)(options.encoder, options.device)
    shared = getattr(options, "shared_cache", None)
    cache = None if options.no_cache else open_cache(options.cache, in_memory=in_memory, shared=shared)
    try:
        yield FeatureSource(encoder, cache)
    finally:
        if cache is not None:
            cache.close()
            if cache.trouble:
                complain(cache.trouble)  # the result is right, but the next run has to encode again
            if cache.shared is not None and cache.shared.trouble:
                complain(cache.shared.trouble)


def open_cache(folder: Path | None, *, in_memory: bool = True, shared: Path | Address | None = None) -> FeatureCache:
    """Open the feature cache in `folder`, or the user's own, with the budgets of the settings.

    Without `in_memory` it holds features on the disk only. `shared` is read and written beside it.
    """
    from core.features.cache.feature_cache import FeatureCache
    from core.settings import cache_folder, load_settings, settings_path

    settings = load_settings(settings_path())
    return FeatureCache(
        folder or cache_folder(settings),
        disk_budget=settings.cache_disk_budget,
        ram_budget=settings.cache_ram_budget if in_memory else 0,
        codec=settings.cache_codec,
        shared=open_shared(shared, settings.shared_cache),
    )


def open_shared(chosen: Path | Address | None, setting: str) -> SharedCache | None:
    """Open the shared cache that an option names, else the setting; None without either.

    Raises BadInputError if its driver is not installed.
    """
    from core.features.cache.shared_cache import shared_cache

    place = chosen if chosen is not None else path_or_address(setting) if setting else None
    if place is None or str(place) in ("", "."):
        return None
    cache = shared_cache(place)
    cache.check_driver()
    return cache


def has_own_place(options: argparse.Namespace) -> bool:
    """Whether all workers of an engine keep features in one place: on one machine, or where the options name it."""
    from core.settings import load_settings, settings_path

    named = options.address is None or options.cache is not None or options.shared_cache is not None
    return named or bool(load_settings(settings_path()).shared_cache)


def source_figures(source: FeatureSource) -> dict[str, Figure]:
    """The figures of a source for the JSON summary: encoder, device, hits and misses of the cache."""
    stats = source.cache.stats if source.cache else None
    return {
        "encoder": source.encoder.name,
        "encoder_identity": source.encoder.identity,
        "device": str(source.encoder.device),
        "cache_hits": stats.hits if stats else 0,
        "cache_misses": stats.misses if stats else 0,
        **_shared_figures(source.cache.shared if source.cache else None),
    }


def _shared_figures(shared: SharedCache | None) -> dict[str, Figure]:
    if shared is None:
        return {}
    stats = shared.stats
    return {"shared_cache": str(shared.address), "shared_hits": stats.read, "shared_written": stats.written}


def check_output(path: Path) -> None:
    """Raise StorageError where a file cannot be written; called before hours of work go into it."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise StorageError(tr("{file} cannot be written: name a file in a folder where you may write.", file=path))


def check_folder(folder: Path | Address) -> None:
    """Raise BadFileError for a folder of pictures that is none: one error instead of one for each picture.

    An address is checked when its pictures are listed.
    """
    if isinstance(folder, Address) or folder.is_dir():
        return
    if folder.exists():
        raise BadFileError(tr("The folder of pictures {folder} is no folder: check the path.", folder=folder))
    raise BadFileError(tr("The folder of pictures {folder} does not exist: check the path.", folder=folder))
