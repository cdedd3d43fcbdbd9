"""A process that feeds readers with damaged inputs, within a limit of memory, and tells what came of it.

usage: python -m tests.torture.fuzz_child SEED READER:KIND:COUNT...

KIND is `bytes`, or `values` for documents that hypothesis makes. Each case gives a line of JSON.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

LONGEST_S = 5.0
"""Of the processor's time for one input, which a busy machine does not stretch."""

_STUCK_S = 60.0
MOST_MEMORY = 1 << 30
_MOST_FAULTS = 5


def main() -> None:
    """Feed and tell."""
    seed, cases = int(sys.argv[1]), [argument.split(":") for argument in sys.argv[2:]]
    faulthandler.enable()
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.torture.fuzz_readers import Readers
    from tests.torture.fuzz_seeds import SEEDS

    seeds = {reader: SEEDS[reader]() for reader in dict.fromkeys(reader for reader, _, _ in cases)}
    with tempfile.TemporaryDirectory() as name:
        for reader, contents in seeds.items():  # before the limit, so that what is loaded once is loaded
            for content in contents:
                Readers(_folder(name, reader)).feeds[reader](content)
        _limit_memory()
        for number, (reader, kind, count) in enumerate(cases):
            readers = Readers(_folder(name, f"{reader}-{number}"))
            watch = _Watch(reader, readers.feeds[reader])
            before = _start_peak()
            _feed(watch, reader, kind, seeds[reader], count=int(count), seed=seed)
            told = {"reader": reader, "kind": kind, "inputs": watch.count, "known": readers.known}
            told |= {"faults": watch.faults, "slowest_s": round(watch.slowest, 2)}
            print(json.dumps({**told, "megabytes": round(_peak_megabytes() - before)}), flush=True)  # noqa: T201
            readers.close()


def _folder(name: str, part: str) -> Path:
    folder = Path(name) / part
    folder.mkdir(exist_ok=True)
    return folder


def _feed(watch: _Watch, reader: str, kind: str, seeds: list[bytes], *, count: int, seed: int) -> None:
    from tests.torture.fuzz_values import made_of_values

    if kind == "bytes":
        for content in _damaged(seeds, count, seed):
            watch.feed(content)
    else:
        made_of_values(reader, count=count, seed=seed, feed=watch.feed)


def _damaged(seeds: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    from tests.torture.fuzz_mutations import damaged

    for number in range(count):
        yield damaged(seeds, random.Random(f"{seed} {number}"))


class _Watch:
    """Feeds, and keeps what went wrong with the input at fault."""

    def __init__(self, reader: str, feed: Callable[[bytes], None]) -> None:
        self.count = 0
        self.faults: list[dict[str, object]] = []
        self.slowest = 0.0
        self._reader = reader
        self._feed = feed

    def feed(self, content: bytes) -> None:
        self.count += 1
        start = time.process_time()
        # A call that never comes back ends the process; the parent then has the traceback of it.
        faulthandler.dump_traceback_later(_STUCK_S, exit=True)
        try:
            with _quiet():
                self._feed(content)
        except Exception as error:
            self._note(f"{type(error).__name__}: {str(error)[:200]}", content, traceback.format_exc()[-1500:])
        finally:
            faulthandler.cancel_dump_traceback_later()
        seconds = time.process_time() - start
        self.slowest = max(self.slowest, seconds)
        if seconds > LONGEST_S:
            self._note(f"took {seconds:.1f} s", content, "")

    def _note(self, what: str, content: bytes, trace: str) -> None:
        if len(self.faults) < _MOST_FAULTS:
            kept = Path(tempfile.gettempdir()) / f"fuzz-{self._reader}-{os.getpid()}-{len(self.faults)}"
            kept.write_bytes(content)
            self.faults.append({"what": what, "input": str(kept), "traceback": trace})


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Decoders write to stderr by themselves, thousands of lines."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _limit_memory() -> None:
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MOST_MEMORY, held + MOST_MEMORY))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def _start_peak() -> float:
    """Forget the peak of memory so far; gives what is held, in megabytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak_megabytes()


def _peak_megabytes() -> float:
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
