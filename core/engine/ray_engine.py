"""A run on Ray: rows in blocks -> an actor pool of one callable class -> rows; Ray schedules, restarts and retries."""

from __future__ import annotations

import logging
import math
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.engine.rows import FAILED, REFUSED, Rows
from core.engine.witness import Deaths
from core.errors import BadInputError, KnownError, StorageError, reason
from core.progress import Job, Progress
from core.translation import tr

_CONNECT_SECONDS = 5.0
_OBJECT_STORE_BYTES = 512 * 1024**2
_MOST_BLOCKS = 20_000
_DEFAULT_PORT = 6379

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RayChoice:
    """How to use Ray.

    address: of a running cluster, `HOST:PORT`, `ray://HOST:PORT` or `auto`; None starts one on this machine for the run
    gpus_per_worker: GPUs, or a fraction of one, for each worker; 0 for workers on CPUs
    cpus_per_worker: CPUs of each worker; 0 for those of the smallest machine
    workers: how many; 0 for as many as there is room for
    block: rows that a worker takes at once, which are lost if it dies
    """

    address: str | None = None
    gpus_per_worker: float = 0.0
    cpus_per_worker: int = 0
    workers: int = 0
    block: int = 32


@dataclass(frozen=True)
class Stage:
    """A callable class of rows, with the arguments of each worker; `gpus` and `cpus` of one worker, and how many."""

    kind: type
    arguments: tuple[Any, ...]
    cpus: int
    workers: int
    gpus: float = 0.0
    takes_witness: bool = False


@contextmanager
def open_ray(choice: RayChoice) -> Iterator[Any]:
    """Connect to the cluster, or start Ray here; yields the module, and ends what it has started.

    Raises BadInputError without Ray, StorageError where the cluster is not there or of another version.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise BadInputError(tr("--engine ray needs Ray: pip install 'boxrefine[ray]'.")) from error
    _quieten(ray)
    if ray.is_initialized():
        yield ray
        return
    if choice.address not in (None, "auto"):
        _check_reachable(str(choice.address))
    try:
        _start(ray, choice.address)
    except Exception as error:  # Ray raises ConnectionError, RuntimeError and ValueError, with pages of advice
        ray.shutdown()
        raise StorageError(
            tr(
                "The Ray cluster {address} cannot be used ({why}): check the address, and that it runs the same "
                "versions.",
                address=choice.address or tr("of this machine"),
                why=reason(error),
            )
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _start(ray: Any, address: str | None) -> None:  # noqa: ANN401 - the module
    common = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": True}
    if address is not None:
        ray.init(address=address, **common)
        return
    ray.init(
        address="local", include_dashboard=False, object_store_memory=_OBJECT_STORE_BYTES, num_cpus=os.cpu_count(),
        **common,
    )  # fmt: skip


def _quieten(ray: Any) -> None:  # noqa: ANN401 - the module
    """Keep Ray's bars and notes out of the output, whose last line is the summary."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _check_reachable(address: str) -> None:
    """Raise StorageError if nothing answers: Ray itself would wait for minutes, and then end the process."""
    place = address.removeprefix("ray://")
    host, _, port = place.rpartition(":") if ":" in place else (place, "", str(_DEFAULT_PORT))
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise StorageError(
            tr(
                "There is no Ray cluster at {address} ({why}): start it by ray start --head, or correct --address.",
                address=address,
                why=reason(error),
            )
        ) from error


def plan_workers(ray: Any, choice: RayChoice) -> tuple[int, int]:  # noqa: ANN401 - the module
    """How many workers there is room for, and the CPUs of each."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    cores = [int(node.get("CPU", 0)) for node in nodes if node.get("CPU", 0) >= 1]
    if not cores:
        raise StorageError(tr("The Ray cluster has no CPU for a worker: start one with --num-cpus."))
    if choice.gpus_per_worker > 0:
        gpus = sum(node.get("GPU", 0) for node in nodes)
        room = int(gpus / choice.gpus_per_worker + 1e-6)
        if room < 1:
            raise BadInputError(
                tr(
                    "The Ray cluster has {gpus} GPUs, fewer than --gpus-per-worker {wanted}: choose less.",
                    gpus=f"{gpus:g}",
                    wanted=f"{choice.gpus_per_worker:g}",
                )
            )
        return choice.workers or room, choice.cpus_per_worker or 1
    each = choice.cpus_per_worker or min(cores)
    return choice.workers or max(1, sum(count // each for count in cores)), each


def run_stages(
    ray: Any,  # noqa: ANN401 - the module
    rows: Sequence[dict[str, Any]],
    stages: Sequence[Stage],
    *,
    block: int,
    take: Callable[[Rows], None],
    message: str = "",
) -> Job[int]:
    """Run rows through the stages; `take` gets each finished block, in any order. Return how many were repeated.

    A dead worker is started again, and its block repeated. Raises BadInputError where a worker is refused, StorageError
    where the cluster fails.
    """
    witness = ray.remote(Deaths).options(num_cpus=0).remote()
    block = max(block, math.ceil(len(rows) / _MOST_BLOCKS))
    data = ray.data.from_items(list(rows), override_num_blocks=math.ceil(len(rows) / block))
    for stage in stages:
        seen = (RayWitness(witness),) if stage.takes_witness else ()
        data = data.map_batches(
            stage.kind,
            batch_size=None,
            fn_constructor_args=(*stage.arguments, *seen),
            compute=ray.data.ActorPoolStrategy(size=stage.workers, max_tasks_in_flight_per_actor=2),
            num_cpus=stage.cpus,
            num_gpus=stage.gpus or None,
        )  # Ray Data restarts its actors and repeats their blocks without end, so the witness bounds it
    done = 0
    yield Progress(0, len(rows), message)
    try:
        for found in data.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=0):
            _refuse(found)
            take(found)
            done += len(found["number"])
            yield Progress(done, len(rows), message)
        return int(ray.get(witness.again.remote()))
    except ray.exceptions.RayError as error:
        raise _failed(error) from error


class RayWitness:
    """A `Witness` that is an actor, so that workers on all machines report to it."""

    def __init__(self, actor: Any) -> None:  # noqa: ANN401 - a handle of Ray
        self._actor = actor

    def start(self, block: int) -> frozenset[int] | None:
        """See `Witness.start`."""
        import ray

        found: frozenset[int] | None = ray.get(self._actor.start.remote(block))
        return found

    def begin(self, block: int, number: int) -> None:
        """See `Witness.begin`."""
        import ray

        ray.get(self._actor.begin.remote(block, number))


def _refuse(rows: Rows) -> None:
    """Raise BadInputError with the sentence of a worker that was refused."""
    for state, note in zip(rows.get("state", ()), rows.get("note", ()), strict=False):
        if state == REFUSED:
            raise BadInputError(str(note))


def _failed(error: Exception) -> KnownError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KnownError):
            return type(cause)(cause.args[0])
        cause = getattr(cause, "cause", None) or cause.__cause__
    logger.info("Ray failed: %s", error)
    return StorageError(
        tr(
            "The work on Ray failed ({why}): run it again, it goes on where it was.",
            why=str(error).strip().splitlines()[-1],
        )
    )


def notes_of(rows: Rows) -> dict[int, str]:
    """The sentences of the rows that failed, by their numbers."""
    found = zip(rows["number"], rows["state"], rows["note"], strict=True)
    return {int(number): str(note) for number, state, note in found if state == FAILED}
