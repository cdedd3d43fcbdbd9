"""A plan on paper for encoding millions of pictures on many workers, and a simulation that checks it.

A worker reads pictures from a store that all share, decodes them on its cores, encodes them on its GPU, and writes
features back to the store. It works on a window of batches at once.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

STAGES = ("store", "network", "decoding", "encoding")


@dataclass(frozen=True)
class Constants:
    """What a plan is made of; the defaults are explained in `core.cli.benchmark.scale`.

    decode_s, encode_s: seconds a picture: to read and decode on one core, to encode on one GPU
    picture_mb, feature_mb: megabytes a picture, read and written
    network_mb_s, store_mb_s: megabytes a second of one worker, and of the store for all workers together
    cores: of a worker, for decoding
    start_s: until a worker encodes; `again`: share of batches that are done twice, as after a lost worker
    price: of a worker's hour
    """

    decode_s: float = 0.0444
    encode_s: float = 0.0006
    picture_mb: float = 0.5
    feature_mb: float = 3.1
    network_mb_s: float = 1250.0
    store_mb_s: float = 10_000.0
    cores: int = 16
    start_s: float = 180.0
    again: float = 0.01
    price: float = 4.0


@dataclass(frozen=True)
class Plan:
    """What `workers` need for all pictures; `rates` are pictures a second that each stage of STAGES allows them."""

    workers: int
    hours: float
    read_tb: float
    written_tb: float
    cost: float
    bottleneck: str
    rates: tuple[float, ...]

    @property
    def pictures_a_second(self) -> float:
        return min(self.rates)


def plan(pictures: int, workers: int, constants: Constants) -> Plan:
    """The closed formula: the slowest stage sets the pace; start and repeated batches come on top."""
    each_mb = constants.picture_mb + constants.feature_mb
    rates = (
        constants.store_mb_s / each_mb,
        workers * constants.network_mb_s / each_mb,
        workers * constants.cores / constants.decode_s,
        workers / constants.encode_s,
    )
    done = pictures / (1 - constants.again)
    hours = (constants.start_s + done / min(rates)) / 3600
    return Plan(
        workers,
        hours,
        done * constants.picture_mb / 1e6,
        done * constants.feature_mb / 1e6,
        hours * workers * constants.price,
        STAGES[rates.index(min(rates))],
        rates,
    )


def simulate(
    workers: int, constants: Constants, *, batches: int, batch: int = 32, seed: int = 0, varied: float = 0.5
) -> float:
    """Pictures a second of a run of `batches`, by a simulation of queues; work that is done twice does not count.

    Each step of a batch takes a random time, whose standard deviation is `varied` of its mean. A worker has twice as
    many batches at once as it has cores, so that each stage has work. The start of the workers is left out.
    """
    return _Simulation(workers, constants, batch=batch, seed=seed, varied=varied).run(batches)


class _Station:
    """Servers with one queue: a network has one, decoding has as many as there are cores."""

    def __init__(self, servers: int) -> None:
        self.free = servers
        self.queue: deque[_Batch] = deque()


@dataclass
class _Batch:
    """A batch on its way: the stations that it still has to visit, and their seconds by the means."""

    route: list[tuple[_Station, float]]
    worker: int
    at: int = 0


class _Simulation:
    def __init__(self, workers: int, constants: Constants, *, batch: int, seed: int, varied: float) -> None:
        self._constants, self._batch, self._varied = constants, batch, varied
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._events: list[tuple[float, int, _Batch]] = []
        self._count = 0
        self._connections = 4 * workers
        self._store = _Station(self._connections)
        self._workers = [(_Station(1), _Station(constants.cores), _Station(1)) for _ in range(workers)]

    def run(self, batches: int) -> float:
        """Run to the end of the last batch, and return pictures a second between the first tenth and the last one."""
        constants = self._constants
        window = 2 * constants.cores + 4
        begun = finished = 0
        total = round(batches / (1 - constants.again))
        first, last = total // 10, total - total // 10
        times: dict[int, float] = {}
        for worker in [worker for _ in range(window) for worker in range(len(self._workers))]:
            if begun < total:
                begun += 1
                self._arrive(0.0, self._new_batch(worker))
        while self._events:
            now, _, batch = heapq.heappop(self._events)
            self._leave(now, batch)
            batch.at += 1
            if batch.at < len(batch.route):
                self._arrive(now, batch)
                continue
            finished += 1
            if finished in (first, last):
                times[finished] = now
            if begun < total:
                begun += 1
                self._arrive(now, self._new_batch(batch.worker))
        pace = (last - first) / (times[last] - times[first])
        return pace * self._batch * (1 - constants.again)

    def _new_batch(self, worker: int) -> _Batch:
        constants, size = self._constants, self._batch
        network, decoding, encoding = self._workers[worker]
        share = constants.store_mb_s / self._connections
        route = [
            (self._store, size * constants.picture_mb / share),
            (network, size * constants.picture_mb / constants.network_mb_s),
            (decoding, size * constants.decode_s),
            (encoding, size * constants.encode_s),
            (network, size * constants.feature_mb / constants.network_mb_s),
            (self._store, size * constants.feature_mb / share),
        ]
        return _Batch(route, worker)

    def _arrive(self, now: float, batch: _Batch) -> None:
        station, seconds = batch.route[batch.at]
        if station.free:
            station.free -= 1
            self._serve(now, batch, seconds)
        else:
            station.queue.append(batch)

    def _leave(self, now: float, batch: _Batch) -> None:
        """Free a server, or give it to the next one in the queue."""
        station, _ = batch.route[batch.at]
        if station.queue:
            following = station.queue.popleft()
            self._serve(now, following, following.route[following.at][1])
        else:
            station.free += 1

    def _serve(self, now: float, batch: _Batch, seconds: float) -> None:
        shape = 1 / self._varied**2
        taken = self._random.gammavariate(shape, seconds / shape) if seconds else 0.0
        self._count += 1
        heapq.heappush(self._events, (now + taken, self._count, batch))


def deviations(workers: Sequence[int], constants: Constants, *, batches: int, seed: int) -> dict[int, float]:
    """By number of workers, how far the simulated pace is from the formula's: 0.02 is 2 % faster."""
    found = {}
    for count in workers:
        wanted = plan(1, count, constants).pictures_a_second * (1 - constants.again)
        found[count] = simulate(count, constants, batches=batches, seed=seed) / wanted - 1
    return found
