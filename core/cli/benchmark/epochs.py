"""Measure the time of an epoch: on cached features with and without AMP, and with encoding in every step.

SET is a folder of images/ and annotations.json (COCO detection). Each way trains the refiner on the first pictures of
the set and measures it on the others, to show that speed costs no quality. AMP is bf16 or fp16 and needs a GPU. HQ-SAM
runs at random weights where the published ones are not installed: just as fast, but then the IoU means nothing, and
the features are kept for this run only.

examples:
  boxrefine benchmark epochs --set dev/raccoon
  boxrefine benchmark epochs --set dev/raccoon --encoder vit_b --device cuda --pictures 80 --epochs 5
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from core.cli.benchmark.encoders_to_time import cache_to_time, encoder_to_time
from core.cli.options import add_cache_options, add_encoder_options, open_source, source_figures
from core.cli.terminal import Figure, say, summarize, table, watch
from core.errors import BadInputError
from core.resources import RESOURCES

HEADER = ["features", "precision", "s an epoch", "images/s", "GPU MiB", "IoU of the rest"]
CONFIG = RESOURCES / "configs" / "box_refinement_config.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --set, --pictures, --epochs, --config and the options of encoder and cache."""
    parser.add_argument("--set", metavar="DIR", type=Path, required=True, help="one labelled set")
    parser.add_argument("--pictures", metavar="N", type=int, default=40, help="to train on, default %(default)s")
    parser.add_argument("--epochs", metavar="N", type=int, default=3, help="of each way, default %(default)s")
    parser.add_argument("--config", metavar="YAML", type=Path, default=CONFIG, help="as for boxrefine train")
    add_encoder_options(parser)
    add_cache_options(parser, optional=False)


def run(options: argparse.Namespace) -> int:
    """Train in each way, print the table."""
    from core.evaluation.epoch_speed import epoch_speed
    from core.evaluation.learning_curve import read_drawn_set
    from core.training.config_file import read_config
    from core.training.teach import load_start
    from core.training.teach_config import TeachConfig

    if options.pictures < 1 or options.epochs < 2:
        raise BadInputError("--pictures must be 1 or more, and --epochs 2 or more: the first one is not timed.")
    config = read_config(options.config, TeachConfig)
    with cache_to_time(options), open_source(options, load=encoder_to_time) as source:
        drawn = watch(read_drawn_set(options.set, source, noise="hq0.4", seed=0), unit="image")
        start = load_start(None, source.encoder, config)
        job = epoch_speed(drawn, start, config, source=source, pictures=options.pictures, epochs=options.epochs)
        rows = watch(job, unit="step")
        if not options.json:
            say(
                table(
                    HEADER,
                    [
                        [row.way, row.precision, f"{row.seconds:.2f}", f"{row.images_per_second:.1f}"]
                        + [f"{row.memory_mib:.0f}", f"{row.iou:.4f}"]
                        for row in rows
                    ],
                )
            )
        figures: list[Figure] = [asdict(row) for row in rows]
        summarize({"rows": figures, "speed_up": round(rows[-1].seconds / rows[0].seconds, 2), **source_figures(source)})
    return 0
