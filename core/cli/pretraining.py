"""What the verbs that train shipped weights share: their options and their summary."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.object_store.address import path_or_address

if TYPE_CHECKING:
    import torch

    from core.cli.terminal import Figure
    from core.training.run_files import RunSummary


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add --data, --cutouts, --out, --config, --device and --resume."""
    parser.add_argument(
        "--data", metavar="DIR", type=path_or_address, required=True, help="folder of labelled sets, or its address"
    )
    parser.add_argument("--cutouts", metavar="DIR", type=Path, help="folder of cut-outs with alpha, to paste in")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for weights and log")
    parser.add_argument(
        "--config", metavar="YAML", type=Path, help="instead of the configuration of the shipped weights"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")
    parser.add_argument("--resume", action="store_true", help="go on where an earlier run into --out stopped")


def figures_of(done: RunSummary, device: torch.device) -> dict[str, Figure]:
    """Return what a run summarizes: its folder, steps, seconds and figures."""
    return {
        "out": str(done.out),
        "steps": done.steps,
        "seconds": round(done.seconds, 1),
        "device": str(device),
        "figures": {name: round(value, 4) for name, value in done.figures.items()},
    }
