"""Train the shipped encoder and refiner anew from labelled pictures.

DIR holds one folder a set: images/ and annotations.json (COCO detection). An interrupted run goes on with --resume.

examples:
  boxrefine pretrain --data pool --out trained
  boxrefine pretrain --data pool --out trained --config my.yaml --device cuda
  boxrefine pretrain --data pool --out trained --resume
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--data, --out, --config, --device and --resume."""
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder of labelled sets")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for weights and log")
    parser.add_argument("--config", metavar="YAML", type=Path, help="instead of the configuration that made what ships")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")
    parser.add_argument("--resume", action="store_true", help="go on where an earlier run into --out stopped")


def run(options: argparse.Namespace) -> int:
    """Pretrain, and say how the best weights did."""
    raise NotImplementedError
