"""Every reader of files, fed with thousands of damaged and made-up inputs: no exception but a sentence, no hang, no
gigabyte.

BOXREFINE_FUZZ_INPUTS is how many inputs there are in all (4,000; a change to a reader wants 100,000),
BOXREFINE_FUZZ_SEED makes other ones.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.house.source_files import ROOT
from tests.torture.fuzz_child import LONGEST_S
from tests.torture.fuzz_seeds import SEEDS
from tests.torture.fuzz_values import DOCUMENTS

pytestmark = [
    pytest.mark.torture,
    pytest.mark.slow,
    pytest.mark.timeout(0),
    pytest.mark.skipif(sys.platform != "linux", reason="Linux alone can bound the memory of a process"),
]

INPUTS = int(os.environ.get("BOXREFINE_FUZZ_INPUTS", "4000"))
SEED = int(os.environ.get("BOXREFINE_FUZZ_SEED", "0"))
MOST_MEGABYTES = 1024

SHARES = {
    ("pictures", "bytes"): 14, ("coco", "bytes"): 7, ("coco", "values"): 3, ("labelme", "bytes"): 5,
    ("labelme", "values"): 2, ("voc", "bytes"): 5, ("yolo", "bytes"): 4, ("classes", "bytes"): 4,
    ("programs", "bytes"): 6, ("programs", "values"): 5, ("cvat", "bytes"): 4, ("tables", "bytes"): 4,
    ("kitti", "bytes"): 1,
    ("classes", "values"): 1, ("settings", "bytes"): 6, ("settings", "values"): 2, ("configs", "bytes"): 6,
    ("configs", "values"): 2, ("cards", "bytes"): 5, ("cards", "values"): 2, ("weights", "bytes"): 5,
    ("features", "bytes"): 4, ("features", "values"): 1, ("packs", "bytes"): 1, ("projects", "bytes"): 1,
}  # fmt: skip
"""Of a hundred inputs, so many for each reader."""

TAKEN = {("features", "bytes"), ("features", "values"), ("yolo", "bytes"), ("classes", "values")}
"""Those that remove or count what is bad, and go on."""

CASES = [pytest.param(*case, id=" ".join(case)) for case in SHARES]


Told = dict[str, Any]
Case = tuple[str, str]


@pytest.fixture(scope="module")
def children() -> Iterator[dict[Case, Future[dict[Case, Told]]]]:
    """Two processes, each with half of the cases; by case."""
    groups: tuple[list[Case], list[Case]] = ([], [])
    for case in sorted(SHARES, key=lambda case: -SHARES[case]):
        min(groups, key=lambda group: sum(SHARES[held] for held in group)).append(case)
    with ThreadPoolExecutor(2) as threads:
        yield {case: future for group in groups for future in [threads.submit(run_child, group)] for case in group}


def run_child(cases: list[Case]) -> dict[Case, Told]:
    """What a process of its own tells that feeds readers."""
    counts = {case: max(1, INPUTS * SHARES[case] // 100) for case in cases}
    arguments = [f"{reader}:{kind}:{count}" for (reader, kind), count in counts.items()]
    command = [sys.executable, "-m", "tests.torture.fuzz_child", str(SEED), *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    limit = 300 + sum(counts.values()) * 0.1
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=limit, check=False
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    found: dict[Case, Told] = {(entry["reader"], entry["kind"]): entry for entry in told}
    if done.returncode != 0:  # of those that it did not come to, this is what is known
        ended = {"faults": [f"the process ended with {done.returncode}: {done.stderr[-3000:]}"]}
        found = {case: found.get(case, ended) for case in cases}
    return found


@pytest.mark.parametrize(("reader", "kind"), CASES)
def test_nothing_but_a_sentence_comes_out(
    reader: str, kind: str, children: dict[Case, Future[dict[Case, Told]]]
) -> None:
    told = children[reader, kind].result()[reader, kind]
    assert told["faults"] == []
    assert told["inputs"] >= INPUTS * SHARES[reader, kind] // 100 * 0.9
    if told["inputs"] > 200 and (reader, kind) not in TAKEN:
        assert told["known"] > 0
    assert told["slowest_s"] <= LONGEST_S
    assert told["megabytes"] <= MOST_MEGABYTES


def test_every_reader_is_fed() -> None:
    assert {reader for reader, kind in SHARES if kind == "bytes"} == set(SEEDS)
    assert {reader for reader, kind in SHARES if kind == "values"} == set(DOCUMENTS)
    assert sum(SHARES.values()) == 100
