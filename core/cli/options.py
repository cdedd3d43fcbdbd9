"""Options that several verbs share, and what they build: the encoder, its cache, the refiner."""

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

if TYPE_CHECKING:
    from core.encoders.image_features import Encoder
    from core.features.cache.feature_cache import FeatureCache
    from core.features.feature_source import FeatureSource

ENCODER_HELP = f"{', '.join(ENCODERS)}, or the .safetensors file of a light encoder of your own"


def add_encoder_options(parser: argparse.ArgumentParser) -> None:
    """--encoder and --device."""
    parser.add_argument("--encoder", metavar="NAME", default="light", help=ENCODER_HELP)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")


def add_careful_option(parser: argparse.ArgumentParser) -> None:
    """--careful."""
    text = "the boxes are right but for a few: move only those that are clearly off"
    parser.add_argument("--careful", action="store_true", help=text)


def add_cache_options(parser: argparse.ArgumentParser, *, optional: bool = True) -> None:
    """--cache and, where the verb makes sense without one, --no-cache."""
    parser.add_argument("--cache", metavar="DIR", type=Path, help="feature cache to use instead of the user's own")
    if optional:
        parser.add_argument("--no-cache", action="store_true", help="keep no features")
    else:
        parser.set_defaults(no_cache=False)


@contextmanager
def open_source(
    options: argparse.Namespace, *, in_memory: bool = True, load: Callable[[str, str], Encoder] | None = None
) -> Iterator[FeatureSource]:
    """The features of pictures, by the chosen encoder on the chosen device, through the chosen cache.

    `in_memory`: whether memory holds what was last used; only for those who come back to it. `load` makes the encoder
    from its name and the device, load_encoder if None.
    """
    from core.encoders.catalogue import load_encoder
    from core.features.feature_source import FeatureSource

    encoder = (load or load_encoder)(options.encoder, options.device)
    cache = None if options.no_cache else open_cache(options.cache, in_memory=in_memory)
    try:
        yield FeatureSource(encoder, cache)
    finally:
        if cache is not None:
            cache.close()
            if cache.trouble:
                complain(cache.trouble)  # nothing is wrong with the result, but the next run will take as long


def open_cache(folder: Path | None, *, in_memory: bool = True) -> FeatureCache:
    """The feature cache in `folder`, or the user's own, with the budgets of the settings, or nothing in memory."""
    from core.features.cache.feature_cache import FeatureCache
    from core.settings import cache_folder, load_settings, settings_path

    settings = load_settings(settings_path())
    return FeatureCache(
        folder or cache_folder(settings),
        disk_budget=settings.cache_disk_budget,
        ram_budget=settings.cache_ram_budget if in_memory else 0,
        codec=settings.cache_codec,
    )


def source_figures(source: FeatureSource) -> dict[str, Figure]:
    """For the summary: who encoded, where, and how often the cache helped."""
    stats = source.cache.stats if source.cache else None
    return {
        "encoder": source.encoder.name,
        "encoder_identity": source.encoder.identity,
        "device": str(source.encoder.device),
        "cache_hits": stats.hits if stats else 0,
        "cache_misses": stats.misses if stats else 0,
    }


def check_output(path: Path) -> None:
    """Refuse a file that cannot be written before hours of work go into it. Raises StorageError."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise StorageError(f"{path} cannot be written: name a file in a folder where you may write.")


def check_folder(folder: Path) -> None:
    """Refuse a folder of pictures that is none, which else each picture would say. Raises BadFileError."""
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "does not exist"
        raise BadFileError(f"The folder of pictures {folder} {what}: check the path.")
