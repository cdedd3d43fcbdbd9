"""`boxrefine encode` on several GPUs: one process for each GPU, each with its share of the pictures, on one cache."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time

from core.cli.terminal import Figure, complain, summarize
from core.errors import BadInputError
from core.translation import tr

_SUMMED = ("images", "encoded", "cached", "failed", "boxes", "cache_hits", "cache_misses")


def count_processes(options: argparse.Namespace) -> int:
    """How many processes share the work: --processes, else one for each GPU. Raises BadInputError for less than 1."""
    if options.part is not None:
        return 1
    if options.processes is not None:
        if options.processes < 1:
            raise BadInputError(tr("--processes must be 1 or more."))
        return int(options.processes)
    if options.device == "cpu":
        return 1
    import torch

    return max(1, torch.cuda.device_count())


def run_processes(count: int, *, start: float) -> int:
    """Run the current command in `count` processes, each with its part; add up their summaries.

    Return the largest exit code of the processes. `start` is when the command began, by time.perf_counter().
    """
    import torch

    gpus = torch.cuda.device_count()
    base = [sys.executable, "-m", "boxrefine_gui", *sys.argv[1:]]
    running = [
        subprocess.Popen(
            [*base, "--part", f"{number + 1}/{count}"],
            env={**os.environ, **one_gpu(number, os.environ.get("CUDA_VISIBLE_DEVICES", ""), gpus)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    try:
        outputs = [process.communicate()[0] for process in running]
    finally:
        for process in running:
            if process.poll() is None:
                process.terminate()
                process.wait()
    parts = [json.loads(text.splitlines()[-1]) for text in outputs if text.strip()]
    if not parts:
        complain(tr("None of the {count} processes came to an end: see their messages above.", count=count))
        return 2
    total: dict[str, Figure] = {**parts[0]}
    for name in _SUMMED:
        total[name] = sum(part[name] for part in parts)
    summarize({**total, "processes": count, "seconds": round(time.perf_counter() - start, 3)})
    return max(process.returncode for process in running)


def one_gpu(number: int, visible: str, gpus: int) -> dict[str, str]:
    """Let process `number` see one of the `gpus` that CUDA_VISIBLE_DEVICES (`visible`) shows; several may share one."""
    if not gpus:
        return {}
    names = [name.strip() for name in visible.split(",") if name.strip()] or [str(index) for index in range(gpus)]
    return {"CUDA_VISIBLE_DEVICES": names[number % min(gpus, len(names))]}
