"""Train the judge that ships: which refined finds of suggestions are right.

DIR holds one folder a set: images/ and annotations.json (COCO detection). Heads learn from a few labelled pictures of
each set, as in a project, and what they find in other ones is recorded below --out, a file for each draw of pictures of
a set; an interrupted run goes on with those that are missing. The report compares, on sets that are left out, the judge
with the rule that it replaces.

examples:
  boxrefine pretrain-judge --data pool --out judge --processes 16 --device cuda
  boxrefine pretrain-judge --data pool --out judge --record-only
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from core.cli.terminal import Figure, say, summarize, table, watch
from core.resources import RESOURCES

SHIPPED_CONFIG = RESOURCES / "configs" / "judge.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data, --out, --config, --device, --processes and --record-only."""
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder of labelled sets")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for records, weights and report")
    parser.add_argument("--config", metavar="YAML", type=Path, help="instead of the configuration of the shipped judge")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where pictures are encoded")
    parser.add_argument("--processes", metavar="N", type=int, default=0, help="by default one for each core")
    parser.add_argument("--record-only", action="store_true", help="record finds, and fit nothing yet")


def run(options: argparse.Namespace) -> int:
    """Record, fit, print the report."""
    from core.encoders.catalogue import load_encoder
    from core.pretraining.judge_config import JudgeConfig
    from core.pretraining.pretrain_judge import pretrain_judge
    from core.suggest.kit import load_suggest_kit
    from core.training.config_file import read_config

    config = read_config(options.config or SHIPPED_CONFIG, JudgeConfig)
    kit = load_suggest_kit(load_encoder("light", "cpu"))
    assert kit is not None
    done = watch(
        pretrain_judge(
            config,
            options.data,
            options.out,
            network=kit.identity,
            device=options.device,
            processes=options.processes if options.processes > 0 else os.cpu_count() or 1,
            record_only=options.record_only,
        ),
        unit="draw",
    )
    if done.rows:
        lines = [[f"{value:.2f}" if isinstance(value, float) else value for value in row.values()] for row in done.rows]
        say(table(list(done.rows[0]), lines))
    rows: list[Figure] = [dict(row) for row in done.rows]
    summarize({"out": str(done.out), "draws": done.draws, "finds": done.finds, "episodes": done.episodes, "rows": rows})
    return 0
