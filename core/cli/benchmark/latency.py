"""Measure latency: refining with features in memory, encoding, and a drag in the window.

Medians in milliseconds. SamPredictor is segment-anything-hq's own, with vit_tiny at random weights, which are as fast
as trained ones. The window is drawn offscreen.

examples:
  boxrefine benchmark latency
  boxrefine benchmark latency --device cuda --json
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from core.cli.terminal import Figure, say, summarize, table

if TYPE_CHECKING:
    from core.geometry import Boxes
    from core.images import Picture

WIDTH, HEIGHT, MANY = 1920, 1080, 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --device, --repeats and --no-sam."""
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="cpu", help="where to compute")
    parser.add_argument("--repeats", metavar="N", type=int, default=30, help="how often each operation is timed")
    parser.add_argument("--no-sam", action="store_true", help="leave SamPredictor out, which takes a while on a CPU")


def run(options: argparse.Namespace) -> int:
    """Time everything, print the medians."""
    import torch

    rows = dict(own_medians(options.device, options.repeats))
    if not options.no_sam:
        rows |= sam_medians(options.device, repeats=max(3, options.repeats // 10))
    if measure := options.window_benchmarks.get("drag"):
        rows |= {f"drag: {part}": value for part, value in measure(options.device).items()}
    if not options.json:
        say(table(["what", "median ms"], [[name, f"{value:.1f}"] for name, value in rows.items()]))
    milliseconds: Figure = {name: round(value, 2) for name, value in rows.items()}
    threads = torch.get_num_threads()
    summarize({"median_ms": milliseconds, "device": options.device, "threads": threads, "cores": os.cpu_count()})
    return 0


def own_medians(device: str, repeats: int) -> Iterator[tuple[str, float]]:
    """Time refining one box and MANY boxes of one picture, and encoding it: names and median milliseconds."""
    from core.encoders.catalogue import load_encoder
    from core.geometry import Frame
    from core.refiner.checkpoint import load_refiner

    encoder = load_encoder("light", device)
    refiner = load_refiner(None, encoder)
    picture, boxes = example()
    frame = Frame.whole(width=WIDTH, height=HEIGHT)
    features = encoder.encode(picture, frame)
    yield "refine 1 box", median_ms(lambda: refiner.refine(features, boxes[:1]), repeats)
    yield f"refine {MANY} boxes", median_ms(lambda: refiner.refine(features, boxes), repeats)
    yield f"encode {WIDTH} x {HEIGHT}, light", median_ms(lambda: encoder.encode(picture, frame), max(3, repeats // 3))


def sam_medians(device: str, *, repeats: int) -> dict[str, float]:
    """Time the same operations of segment-anything-hq's SamPredictor."""
    import warnings

    import torch

    from core.encoders.catalogue import choose_device

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses deprecated names of timm, which warns at each import
        from segment_anything_hq import SamPredictor, sam_model_registry

        torch.manual_seed(0)
        predictor = SamPredictor(sam_model_registry["vit_tiny"](checkpoint=None).to(choose_device(device)).eval())
    picture, boxes = example()
    prompts = torch.as_tensor(boxes, dtype=torch.float32, device=predictor.device)

    def predict(count: int) -> object:
        inside = predictor.transform.apply_boxes_torch(prompts[:count], picture.shape[:2])
        return predictor.predict_torch(None, None, boxes=inside, multimask_output=False)

    rows = {
        f"SamPredictor.set_image {WIDTH} x {HEIGHT}, vit_tiny": median_ms(lambda: predictor.set_image(picture), repeats)
    }
    rows["SamPredictor, vit_tiny: 1 box"] = median_ms(lambda: predict(1), repeats)
    rows[f"SamPredictor, vit_tiny: {MANY} boxes"] = median_ms(lambda: predict(MANY), repeats)
    return rows


def example() -> tuple[Picture, Boxes]:
    """A photograph at 1920 x 1080, and MANY random boxes on it."""
    import cv2
    import numpy as np

    from core.images import read_picture
    from core.sample_project import sample_pictures

    path = next(path for path in sample_pictures() if path.stem == "motorcycle_left")
    picture = np.asarray(cv2.resize(read_picture(path), (WIDTH, HEIGHT)), np.uint8)
    random = np.random.default_rng(0)
    corners = random.uniform([0, 0], [WIDTH - 400, HEIGHT - 400], (MANY, 2))
    return picture, np.concatenate([corners, corners + random.uniform(40, 400, (MANY, 2))], axis=1)


def median_ms(call: Callable[[], object], repeats: int) -> float:
    """The median time of `repeats` calls after two for warming up, in milliseconds."""
    times = []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times[2:])
