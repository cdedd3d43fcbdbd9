"""Options that several verbs share, and what they build: the encoder, its cache, the refiner."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.features.feature_cache import FeatureCache
    from core.features.feature_source import FeatureSource

ENCODER_NAMES = ("light", "vit_tiny", "vit_b", "vit_l", "vit_h")  # written out, since the catalogue imports torch


def add_encoder_options(parser: argparse.ArgumentParser) -> None:
    """--encoder and --device."""
    parser.add_argument("--encoder", metavar="NAME", default="light", help=f"one of {', '.join(ENCODER_NAMES)}")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")


def add_cache_options(parser: argparse.ArgumentParser) -> None:
    """--cache and --no-cache."""
    parser.add_argument("--cache", metavar="DIR", type=Path, help="feature cache to use instead of the user's own")
    parser.add_argument("--no-cache", action="store_true", help="keep no features")


@contextmanager
def open_source(options: argparse.Namespace) -> Iterator[FeatureSource]:
    """The features of pictures, by the chosen encoder on the chosen device, through the chosen cache."""
    from core.encoders.catalogue import load_encoder
    from core.features.feature_source import FeatureSource

    encoder = load_encoder(options.encoder, device=options.device)
    cache = None if options.no_cache else open_cache(options.cache)
    try:
        yield FeatureSource(encoder, cache)
    finally:
        if cache is not None:
            cache.close()


def open_cache(folder: Path | None) -> FeatureCache:
    """The feature cache in `folder`, or the user's own, with the budgets of the settings."""
    from core.features.feature_cache import FeatureCache
    from core.settings import cache_folder, load_settings, settings_path

    settings = load_settings(settings_path())
    return FeatureCache(
        folder or cache_folder(settings),
        disk_budget=settings.cache_disk_budget,
        ram_budget=settings.cache_ram_budget,
    )
