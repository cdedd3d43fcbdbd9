"""The verb `encode`: fill the feature cache with a folder of pictures."""

from __future__ import annotations

import argparse
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.engine import add_engine_options, check_engine, encode_on_engine
from core.cli.options import IMAGES_HELP, add_cache_options, add_encoder_options, open_source, source_figures
from core.cli.terminal import Figure, complain, summarize, watch
from core.cli.verb_help import VerbHelp
from core.errors import BadInputError
from core.object_store.address import Address, path_or_address
from core.translation import tr

if TYPE_CHECKING:
    from core.encoders.image_features import Encoder
    from core.features.encoding.batches import BatchEncoder
    from core.features.encoding.encode_pipeline import Encoded, Pace
    from core.features.feature_source import FeatureSource
    from core.object_store.remote_file import PictureFile
    from core.progress import Job

HELP = VerbHelp(
    tr("Fill the feature cache with a folder of pictures."),
    tr("""\
Readers (processes beside a GPU) read pictures ahead, the encoder takes them in batches (HQ-SAM in bf16 on a GPU), and
threads write the features. Pictures that are cached are skipped. A batch that does not fit into the GPU's memory is
halved, and where the GPU fails altogether the CPU goes on. With several GPUs there is one process for each, all on one
cache. A picture that cannot be read is reported on stderr, the others go on, and the exit code is then 2."""),
    """
    boxrefine encode --images harbour
    boxrefine encode --images harbour --encoder vit_h --device cuda --cache /data/features
    boxrefine encode --images harbour --encoder vit_tiny --device cuda --batch 64 --compile
    """,  # untranslated: commands
)
logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --images, the options of encoder and cache, and the sizes of batches and of pools."""
    parser.add_argument("--images", metavar="DIR", type=path_or_address, required=True, help=IMAGES_HELP)
    add_encoder_options(parser)
    add_cache_options(parser, optional=False)
    add_pace_options(parser)
    add_engine_options(parser, batch=False)
    parser.add_argument("--processes", metavar="N", type=int, help=tr("share the work (default: one for each GPU)"))
    parser.add_argument("--part", metavar="K/N", help=argparse.SUPPRESS)  # the share of one of several processes


def add_pace_options(parser: argparse.ArgumentParser) -> None:
    """Add --batch, --readers, --precision, --compile."""
    batch = tr("pictures in a batch (default: what suits the encoder)")
    readers = tr("how many read pictures: processes beside a GPU on Linux, else threads")
    precision = tr("auto: bf16 for HQ-SAM on a GPU")
    compiled = tr("compile the network first, which takes a minute")
    parser.add_argument("--batch", metavar="N", type=int, help=batch)
    parser.add_argument("--readers", metavar="N", type=int, help=readers)
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto", help=precision)
    parser.add_argument("--compile", action="store_true", help=compiled)


def run(options: argparse.Namespace) -> int:
    """Encode every picture; return 2 where one could not be read, or its features not be stored."""
    from core.cli.encode_processes import count_processes, run_processes

    check_engine(options)
    paths = pictures_in(options.images, reports=options.part is None)  # once, not by each process
    if options.engine is not None:
        return encode_on_engine(paths, options)
    start = time.perf_counter()
    count = count_processes(options)
    if count > 1:
        return run_processes(count, start=start)
    chosen = paths if options.part is None else select_part(paths, options.part)
    with open_source(options, in_memory=False) as source:
        encoded = watch(encode_pictures(chosen, source, options), unit=tr("image"))
        seconds = round(time.perf_counter() - start, 3)
        summarize({**source_figures(source), **figures_of(encoded), "seconds": seconds})
        kept = source.cache is not None and source.cache.trouble is None
    return 0 if kept and not encoded.failed else 2


def pictures_in(folder: Path | Address, *, reports: bool = True) -> list[PictureFile]:
    """List the pictures of a folder and those below, and report what is left out. Raises BadFileError without any."""
    from core.object_pictures import find_object_pictures
    from core.picture_folders import find_pictures, no_pictures

    if isinstance(folder, Address):
        pictures, notes = watch(find_object_pictures(folder), unit=tr("image"))
        for note in notes if reports else ():
            complain(note)
        return [*pictures]
    found = watch(find_pictures(folder), unit=tr("image"))
    if not found.paths:
        raise no_pictures(found)
    for note in found.notes if reports else ():
        complain(note)
    return list(found.paths)


def select_part(paths: Sequence[PictureFile], part: str) -> list[PictureFile]:
    """Select the share of process K of N (`K/N`, K from 1): each N-th picture."""
    number, count = (int(text) for text in part.split("/"))
    return list(paths[number - 1 :: count])


def encode_pictures(paths: Sequence[PictureFile], source: FeatureSource, options: argparse.Namespace) -> Job[Encoded]:
    """Bring the features of all pictures into the cache, with the batch and pools that the options choose."""
    from core.features.encoding.encode_pipeline import EncodePipeline

    pipeline = EncodePipeline(
        source,
        batch_encoder(source.encoder, options),
        pace_of(source.encoder, options),
        on_cpu=lambda: batch_encoder(_on_cpu(options.encoder), options, compiled=False),
        complain=complain,
    )
    return pipeline.run(paths)


def batch_encoder(encoder: Encoder, options: argparse.Namespace, *, compiled: bool | None = None) -> BatchEncoder:
    """Wrap an encoder for batches, in the precision that the options choose."""
    from core.features.encoding.batches import BatchEncoder

    batches = BatchEncoder(
        encoder, precision=options.precision, compiled=options.compile if compiled is None else compiled
    )
    logger.info("%s encodes batches on %s in %s", encoder.identity, encoder.device, batches.precision)
    return batches


def pace_of(encoder: Encoder, options: argparse.Namespace) -> Pace:
    """Choose the sizes of batches and of pools. Raises BadInputError for less than one."""
    from core.encoders.traits import traits_of
    from core.features.encoding.encode_pipeline import Pace

    on_gpu, cores = encoder.device.type == "cuda", own_cores(options)
    batch = options.batch if options.batch is not None else traits_of(encoder.name).gpu_batch if on_gpu else 1
    readers = options.readers if options.readers is not None else readers_for(cores, beside_gpu=on_gpu)
    if batch < 1 or readers < 1:
        raise BadInputError(tr("--batch and --readers must be 1 or more."))
    return Pace(readers=readers, batch=batch, writers=8 if on_gpu else 2, in_processes=on_gpu)


def own_cores(options: argparse.Namespace) -> int:
    """The share of the machine's cores that this process may keep busy."""
    part: str | None = getattr(options, "part", None)
    return max(1, (os.cpu_count() or 1) // (1 if part is None else int(part.split("/")[1])))


def readers_for(cores: int, *, beside_gpu: bool) -> int:
    """How many readers suit a number of cores: beside a GPU, one core in five is left for writers and the main loop."""
    return max(1, min(cores - max(1, cores // 5), 16)) if beside_gpu else max(1, cores // 2)


def figures_of(encoded: Encoded) -> dict[str, Figure]:
    """The figures of a run for the JSON summary."""
    return {
        "images": encoded.encoded + encoded.cached,
        "encoded": encoded.encoded,
        "cached": encoded.cached,
        "failed": encoded.failed,
        "cache_hits": encoded.cached,
        "cache_misses": encoded.encoded,
        "boxes": 0,
        "refiner": None,
        "batch": encoded.batch,
        "computed_on": encoded.device,
    }


def _on_cpu(name: str) -> Encoder:
    from core.encoders.catalogue import load_encoder

    return load_encoder(name, "cpu")
