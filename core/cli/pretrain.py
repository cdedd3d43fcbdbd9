"""Train the shipped encoder and refiner from scratch on labelled pictures.

DIR holds one folder a set: images/ and annotations.json (COCO detection), or shards; it may be an address of shards.
An interrupted run goes on with --resume.
torchrun runs it on several GPUs or several machines; each process makes batches of its own.

examples:
  boxrefine pretrain --data pool --out trained
  boxrefine pretrain --data pool --out trained --config my.yaml --device cuda
  boxrefine pretrain --data pool --out trained --resume
  boxrefine pretrain --data pool --out polished --config polish.yaml --start-from trained
  torchrun --nproc-per-node 2 -m boxrefine_gui pretrain --data pool --out trained --device cuda
  boxrefine pretrain --data pool --out first --config resources/configs/baseline.yaml --start-from trained
"""

from __future__ import annotations

import argparse
from pathlib import Path

from core.cli.pretraining import add_run_options, figures_of
from core.cli.terminal import summarize, watch
from core.errors import BadInputError
from core.resources import RESOURCES

SHIPPED_CONFIG = RESOURCES / "configs" / "pretrain.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data, --cutouts, --out, --config, --device, --start-from and --resume."""
    add_run_options(parser)
    parser.add_argument("--start-from", metavar="DIR", type=Path, help="an earlier run's weights instead of ImageNet's")
    parser.add_argument("--blend-with", metavar="DIR", type=Path, help="start between --start-from and these weights")


def run(options: argparse.Namespace) -> int:
    """Pretrain, and summarize the figures of the weights on held-out pictures."""
    from core.encoders.catalogue import choose_device
    from core.pretraining.config import PretrainConfig
    from core.pretraining.pretrain import pretrain
    from core.training.config_file import read_config
    from core.training.processes import joined, take_own_gpu

    take_own_gpu()
    if options.blend_with is not None and options.start_from is None:
        raise BadInputError("--blend-with needs the other weights: name them with --start-from.")
    config = read_config(options.config or SHIPPED_CONFIG, PretrainConfig)
    device = choose_device(options.device)
    with joined(device) as processes:
        done = watch(
            pretrain(
                config,
                options.data,
                options.out,
                device,
                cutouts=options.cutouts,
                start_from=options.start_from,
                blend_with=options.blend_with,
                resume=options.resume,
                processes=processes,
            ),
            unit="step",
        )
    if not processes.is_first:
        return 0
    summarize(figures_of(done, device))
    return 0
