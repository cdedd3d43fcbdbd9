"""Train the shipped suggestion network on labelled pictures, by episodes.

DIR holds one folder a set: images/ and annotations.json (COCO detection). The encoder's weights are those in the folder
--encoder-from; they do not change. An interrupted run goes on with --resume.

examples:
  boxrefine pretrain-suggest --data pool --cutouts cutouts --out trained --device cuda
  boxrefine pretrain-suggest --data pool --out trained --config my.yaml --encoder-from my-encoder
"""

from __future__ import annotations

import argparse
from pathlib import Path

from core.cli.pretraining import add_run_options, figures_of
from core.cli.terminal import summarize, watch
from core.resources import RESOURCES

SHIPPED_CONFIG = RESOURCES / "configs" / "suggest.yaml"
SHIPPED_ENCODER = RESOURCES / "weights" / "light"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data, --cutouts, --out, --config, --encoder-from, --device and --resume."""
    add_run_options(parser)
    parser.add_argument(
        "--encoder-from", metavar="DIR", type=Path, default=SHIPPED_ENCODER, help="folder of the encoder's weights"
    )


def run(options: argparse.Namespace) -> int:
    """Train, and summarize the last losses."""
    from core.encoders.catalogue import choose_device
    from core.pretraining.pretrain_suggest import pretrain_suggest
    from core.pretraining.suggest_config import SuggestConfig
    from core.training.config_file import read_config

    config = read_config(options.config or SHIPPED_CONFIG, SuggestConfig)
    device = choose_device(options.device)
    done = watch(
        pretrain_suggest(
            config,
            options.data,
            options.out,
            device,
            encoder=options.encoder_from,
            cutouts=options.cutouts,
            resume=options.resume,
        ),
        unit="step",
    )
    summarize(figures_of(done, device))
    return 0
