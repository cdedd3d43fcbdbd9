"""Measure how fast a folder of pictures is encoded, compared with a loop of SamPredictor.set_image.

ms alone is the network in batches on its device, images/s the throughput from JPEG files into an empty cache, busy the
share of that time in which the network computes, ms back the time to read a picture's features from the disk (on Linux
past the page cache), MB grown by how much the peak memory of the process grows after the first quarter of the
pictures. SamPredictor is segment-anything-hq's own, as shipped: one picture at a time, fp32, eager, at random weights;
for the light encoder it is that of vit_tiny. Encoders whose published weights are not installed run at random weights,
too, which is as fast. The pictures are generated 1920 x 1080 JPEGs, unless --images names others.

examples:
  boxrefine benchmark encode
  boxrefine benchmark encode --device cuda --encoders light vit_tiny vit_b vit_l vit_h --count 1000 --compile
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.benchmark.encoders_to_time import encoder_to_time, random_network
from core.cli.encode import add_pace_options, batch_encoder, pace_of, pictures_in
from core.cli.terminal import Figure, complain, say, summarize, table, watch
from core.errors import KnownError

if TYPE_CHECKING:
    from core.features.encoding.batches import BatchEncoder
    from core.features.encoding.encode_pipeline import Encoded
    from core.features.feature_source import FeatureSource
    from core.object_store.remote_file import PictureFile
    from core.progress import Job, Progress

HEADER = [
    "encoder",
    "GFLOP",
    "on",
    "batch",
    "ms alone",
    "images/s",
    "busy",
    "ms back",
    "MB grown",
    "SamPredictor images/s",
    "times",
]
_WARM_UP = 2
_READ_BACK = 100


@dataclass(frozen=True)
class EncodeRow:
    """One encoder's speed; `sam_per_s` is 0 where SamPredictor was left out."""

    encoder: str
    gflop: float
    computed_on: str
    batch: int
    ms_alone: float
    per_s: float
    busy: float
    ms_back: float
    mb_grown: float
    sam_per_s: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of encoders, pictures, device, and sizes of batches and pools."""
    parser.add_argument(
        "--encoders", metavar="NAME", nargs="+", default=["light", "vit_tiny"], help="of boxrefine models"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")
    parser.add_argument("--images", metavar="DIR", type=Path, help="pictures of your own")
    parser.add_argument(
        "--count", metavar="N", type=int, default=24, help="pictures to generate (default: %(default)s)"
    )
    parser.add_argument(
        "--sam-count", metavar="N", type=int, default=5, help="pictures for SamPredictor; 0: leave it out"
    )
    add_pace_options(parser)


def run(options: argparse.Namespace) -> int:
    """Time every encoder, print the table."""
    import torch

    from core.sample_project import make_pictures

    with tempfile.TemporaryDirectory(prefix="boxrefine-") as name:
        folder = Path(name)
        if options.images is None:
            (folder / "pictures").mkdir()
            make_pictures(folder / "pictures", options.count)
        paths = pictures_in(options.images or folder / "pictures")
        rows = [time_encoder(encoder, paths, folder / encoder, options) for encoder in options.encoders]
    if not options.json:
        say(table(HEADER, [line(row) for row in rows]))
    found: list[Figure] = [asdict(row) for row in rows]
    summarize({"rows": found, "images": len(paths), "threads": torch.get_num_threads(), "device": options.device})
    return 0


def line(row: EncodeRow) -> list[str]:
    """List the cells of one line of the table."""
    times = f"{row.per_s / row.sam_per_s:.1f}" if row.sam_per_s else ""
    sam = f"{row.sam_per_s:.2f}" if row.sam_per_s else ""
    return [
        row.encoder, f"{row.gflop:.0f}", row.computed_on, str(row.batch), f"{row.ms_alone:.1f}", f"{row.per_s:.2f}",
        f"{row.busy:.2f}", f"{row.ms_back:.1f}", f"{row.mb_grown:.0f}", sam, times,
    ]  # fmt: skip


def time_encoder(name: str, paths: Sequence[PictureFile], folder: Path, options: argparse.Namespace) -> EncodeRow:
    """Time one encoder: its network alone, the whole pipeline, and SamPredictor."""
    from core.features.cache.feature_cache import FeatureCache
    from core.features.encoding.encode_pipeline import EncodePipeline
    from core.features.feature_source import FeatureSource

    encoder = encoder_to_time(name, options.device)
    batches, pace = batch_encoder(encoder, options), pace_of(encoder, options)
    ms_alone = time_network(batches, paths, pace.batch)  # first, since this also warms up the device
    with FeatureCache(folder, ram_budget=0, disk_budget=1 << 50) as cache:
        pipeline = EncodePipeline(
            FeatureSource(encoder, cache), batches, pace,
            on_cpu=lambda: batch_encoder(encoder_to_time(name, "cpu"), options, compiled=False), complain=complain,
        )  # fmt: skip
        start = time.perf_counter()
        encoded, mb_grown = watch(measure_growth(pipeline.run(paths)), unit="image")
        seconds = time.perf_counter() - start
        forget_files(folder)
        ms_back = time_reading_back(FeatureSource(encoder, cache), paths)
    return EncodeRow(
        name,
        gflop=gflop_of(batches),
        computed_on=encoded.device,
        batch=encoded.batch,
        ms_alone=ms_alone,
        per_s=encoded.encoded / seconds,
        busy=min(1.0, ms_alone / 1000 * encoded.encoded / seconds),
        ms_back=ms_back,
        mb_grown=mb_grown,
        sam_per_s=sam_per_s(name, paths[: options.sam_count], options.device) if options.sam_count else 0.0,
    )


def time_reading_back(source: FeatureSource, paths: Sequence[PictureFile]) -> float:
    """Median milliseconds to read a picture's features, which are on the disk and not in memory."""
    spent = []
    for path in paths[:_READ_BACK]:
        start = time.perf_counter()
        with suppress(KnownError):  # the pipeline has reported unreadable ones
            source.of_path(path)
        spent.append(time.perf_counter() - start)
    return 1000 * statistics.median(spent)


def forget_files(folder: Path) -> None:
    """Drop the files from the system's page cache, where the platform allows it."""
    if hasattr(os, "posix_fadvise"):
        for path in folder.rglob("*.safetensors"):
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure_growth(job: Job[Encoded]) -> Job[tuple[Encoded, float]]:
    """Run `job`, and also return by how many MB the process grew after its first quarter (0 on Windows)."""
    from core.progress import told_as

    early = 0.0

    def measure(progress: Progress) -> Progress:
        nonlocal early
        if progress.done <= progress.total // 4:
            early = peak_mb()
        return progress

    encoded = yield from told_as(job, measure)
    return encoded, max(0.0, peak_mb() - early)


def peak_mb() -> float:
    """The peak memory of this process in MB, 0 on Windows."""
    if sys.platform == "win32":
        return 0.0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def time_network(batches: BatchEncoder, paths: Sequence[PictureFile], batch: int) -> float:
    """Milliseconds a picture of the network alone, in batches of prepared pictures."""
    from core.geometry import Frame
    from core.images import read_picture

    pictures = [read_picture(path) for path in paths[:batch]]
    frames = [Frame.whole(width=picture.shape[1], height=picture.shape[0]) for picture in pictures]
    prepared = [batches.prepare(picture, frame) for picture, frame in zip(pictures, frames, strict=True)]
    return batches.time_alone(prepared, size=batch, warm_up=_WARM_UP)


def gflop_of(batches: BatchEncoder) -> float:
    """Billions of multiplications and additions a picture."""
    return batches.count_operations() / 1e9


def sam_per_s(name: str, paths: Sequence[PictureFile], device: str) -> float:
    """Pictures a second of a loop that reads each file and calls SamPredictor.set_image."""
    import warnings

    from core.encoders.catalogue import choose_device
    from core.images import read_picture

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses deprecated names of timm, which warns at each import
        from segment_anything_hq import SamPredictor
    network = random_network("vit_tiny" if name == "light" else name)
    predictor = SamPredictor(network.to(choose_device(device)))
    predictor.set_image(read_picture(paths[0]))
    start = time.perf_counter()
    for path in paths:
        predictor.set_image(read_picture(path))
    _ = predictor.features.sum().item()  # waits until the GPU is done
    return len(paths) / (time.perf_counter() - start)
