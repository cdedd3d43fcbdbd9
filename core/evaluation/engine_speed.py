"""How fast the engine is: against the verb alone on this machine, and with more workers of a simulated cluster."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.engine.ray_engine import RayChoice, Stage, open_ray, run_stages
from core.engine.rows import ENCODED, Rows, columns, numbers_of
from core.errors import BadInputError, StorageError
from core.progress import Job, Progress
from core.translation import tr

_CACHE_BYTES = 2 * 1024**3
_ROWS_OF_A_BLOCK = 4


@dataclass(frozen=True)
class Overhead:
    """Seconds of `boxrefine encode` alone and with --engine ray, on the same pictures; `times` has the ratios."""

    pictures: int
    alone_s: float
    engine_s: float
    times: tuple[float, ...]


@dataclass(frozen=True)
class Scaling:
    """Rows a second of so many workers, while all of them work, and how many times that of one worker."""

    workers: int
    per_s: float
    gain: float


def measure_overhead(images: Path, *, count: int, rounds: int, device: str = "cpu") -> Job[Overhead]:
    """Encode a folder of `count` pictures in fresh processes into empty caches, by turns. Raises StorageError.

    On `cuda`, each worker of the engine has a GPU, as is its default.
    """
    alone: list[float] = []
    engine: list[float] = []
    for number in range(2 * rounds):
        # The order changes, so that a machine that becomes slower does not speak for one of them.
        with_engine = number % 4 in (1, 2)
        yield Progress(number, 2 * rounds, "--engine ray" if with_engine else "encode")
        (engine if with_engine else alone).append(_encode(images, device, with_engine=with_engine))
    times = tuple(b / a for a, b in zip(alone, engine, strict=True))
    return Overhead(count, min(alone), min(engine), times)


def _encode(images: Path, device: str, *, with_engine: bool) -> float:
    """Seconds of one run, the start of the process included."""
    with tempfile.TemporaryDirectory(prefix="boxrefine-") as name:
        (Path(name) / "settings.toml").write_text(f"cache_disk_budget = {_CACHE_BYTES}\n", "utf-8")
        command = [sys.executable, "-m", "boxrefine_gui", "encode", "--images", str(images), "--device", device]
        command += ["--cache", f"{name}/cache", *(["--engine", "ray"] if with_engine else [])]
        start = time.perf_counter()
        done = subprocess.run(
            command, env=os.environ | {"BOXREFINE_CONFIG": name}, capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - start
        if done.returncode != 0 or json.loads(done.stdout.splitlines()[-1])["failed"]:
            raise StorageError(tr("The verb encode failed: {text}", text=done.stderr.strip()[-300:]))
        return seconds


def measure_scaling(workers: Sequence[int], *, milliseconds: float, rows: int) -> Job[list[Scaling]]:
    """Run rows that each sleep so long on clusters of so many machines of one CPU, all simulated on this one."""
    found: list[Scaling] = []
    for place, count in enumerate(workers):
        yield Progress(place, len(workers), str(count))
        per_s = _rate(count, milliseconds=milliseconds, rows=rows * count)
        found.append(Scaling(count, per_s, per_s / (found[0].per_s / found[0].workers) if found else float(count)))
    return found


class Sleeper:
    """A worker that sleeps instead of encoding, and notes when it was ready with each row, and who it is."""

    def __init__(self, milliseconds: float) -> None:
        self._seconds = milliseconds / 1000

    def __call__(self, rows: Rows) -> Rows:
        """Sleep for each row."""
        numbers, starts, ends = numbers_of(rows), [], []
        for _ in numbers:
            starts.append(time.time())
            time.sleep(self._seconds)
            ends.append(time.time())
        who = [os.getpid()] * len(numbers)
        states = [ENCODED] * len(numbers)
        return columns(number=numbers, start=starts, end=ends, who=who, state=states, note=[""] * len(numbers))


def _rate(count: int, *, milliseconds: float, rows: int) -> float:
    """Rows a second from when the last worker has begun until the first one has ended. Raises StorageError."""
    from core.progress import run

    seen: list[tuple[int, float, float]] = []

    def take(found: Rows) -> None:
        seen.extend(zip(found["who"].tolist(), found["start"].tolist(), found["end"].tolist(), strict=True))

    with simulated_cluster(count) as ray:
        data = [{"number": number, "picture": str(number)} for number in range(rows)]
        stage = Stage(Sleeper, (milliseconds,), cpus=1, workers=count)
        run(run_stages(ray, data, [stage], block=_ROWS_OF_A_BLOCK, take=take))
    workers = {who for who, _, _ in seen}
    if len(workers) != count:
        raise StorageError(
            tr("Only {found} of {count} workers began: name more rows.", found=len(workers), count=count)
        )
    begin = max(min(start for who, start, _ in seen if who == each) for each in workers)
    end = min(max(end for who, _, end in seen if who == each) for each in workers)
    inside = sum(begin < finished <= end for _, _, finished in seen)
    if end <= begin:
        raise StorageError(tr("Only {found} of {count} workers began: name more rows.", found=1, count=count))
    return inside / (end - begin)


@contextmanager
def simulated_cluster(count: int) -> Iterator[Any]:
    """Ray's own simulation of a cluster: a head without CPUs and `count` machines of one CPU, on this one.

    Yields the module. Raises BadInputError without Ray.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        from ray.cluster_utils import Cluster
    except ImportError as error:
        raise BadInputError(tr("--engine ray needs Ray: pip install 'boxrefine[ray]'.")) from error
    common = {"object_store_memory": 100 * 1024**2}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **common})
    try:
        for _ in range(count):
            cluster.add_node(num_cpus=1, **common)
        ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
        with open_ray(RayChoice()) as opened:
            yield opened
    finally:
        ray.shutdown()
        cluster.shutdown()
