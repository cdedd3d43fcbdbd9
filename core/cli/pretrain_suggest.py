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

from core.cli.terminal import summarize, watch
from core.resources import RESOURCES

SHIPPED_CONFIG = RESOURCES / "configs" / "suggest.yaml"
SHIPPED_ENCODER = RESOURCES / "weights" / "light"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data, --cutouts, --out, --config, --encoder-from, --device and --resume."""
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder of labelled sets")
    parser.add_argument("--cutouts", metavar="DIR", type=Path, help="folder of cut-outs with alpha, to paste in")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for weights and log")
    parser.add_argument(
        "--config", metavar="YAML", type=Path, help="instead of the configuration of the shipped weights"
    )
    parser.add_argument(
        "--encoder-from", metavar="DIR", type=Path, default=SHIPPED_ENCODER, help="folder of the encoder's weights"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")
    parser.add_argument("--resume", action="store_true", help="go on where an earlier run into --out stopped")


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
    summarize(
        {
            "out": str(done.out),
            "steps": done.steps,
            "seconds": round(done.seconds, 1),
            "device": str(device),
            "figures": {name: round(value, 4) for name, value in done.figures.items()},
        }
    )
    return 0
