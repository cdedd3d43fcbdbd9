"""Fill the feature cache with a folder of pictures.

Pictures whose features are cached already cost only their decoding. One that cannot be read is told on stderr, the
others go on, and the exit code is then 2.

examples:
  boxrefine encode --images harbour
  boxrefine encode --images harbour --encoder vit_h --device cuda --cache /data/features
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.options import add_cache_options, add_encoder_options, open_source, source_figures
from core.cli.terminal import complain, summarise, watch
from core.errors import BadInputError, KnownError
from core.progress import Job, Progress

if TYPE_CHECKING:
    from core.features.feature_source import FeatureSource


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--images and the options of encoder and cache."""
    parser.add_argument("--images", metavar="DIR", type=Path, required=True, help="folder of pictures")
    add_encoder_options(parser)
    add_cache_options(parser, optional=False)


def run(options: argparse.Namespace) -> int:
    """Encode every picture; 2 where one could not be read, or its features not be kept."""
    from core.images import SUFFIXES, list_pictures

    paths = list_pictures(options.images)
    if not paths:
        kinds = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
        raise BadInputError(f"The folder {options.images} holds no pictures ({kinds}): name the folder they lie in.")
    start = time.perf_counter()
    with open_source(options) as source:
        encoded = watch(encode_pictures(paths, source, complain), unit="image")
        summarise(
            {
                "images": encoded,
                "boxes": 0,
                "seconds": round(time.perf_counter() - start, 3),
                "refiner": None,
                **source_figures(source),
            }
        )
        kept = source.cache is not None and source.cache.trouble is None
    return 0 if kept and encoded == len(paths) else 2


def encode_pictures(paths: list[Path], source: FeatureSource, complain: Callable[[str], None]) -> Job[int]:
    """Bring the features of all pictures into the cache; gives how many could be read."""
    encoded = 0
    for done, path in enumerate(paths):
        yield Progress(done, len(paths), path.name)
        try:
            source.of_path(path)
        except KnownError as error:
            complain(str(error))
        else:
            encoded += 1
    yield Progress(len(paths), len(paths))
    return encoded
