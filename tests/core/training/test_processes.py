"""Processes that learn together: two on one CPU, joined by gloo as torchrun would start them."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
import torch

from core.cli import main
from core.training.processes import Processes, joined
from tests.core.pools import save_pool
from tests.core.projects import python

SCRIPT = """
import os, sys
from pathlib import Path
rank, port, root, out = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
               "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
import torch
from core.cli.train import old_lessons
from core.encoders.catalogue import load_encoder
from core.progress import run
from core.refiner.checkpoint import load_refiner
from core.training.processes import joined
from core.training.teach import Task, load_start, teach
from core.training.teach import fine_tune
import core.training.teach as teaching
from core.features.cache.feature_cache import FeatureCache
from core.features.cache.shared_cache import shared_cache
from core.features.feature_source import FeatureSource
from tests.core.lessons_by_hand import short, source_of
from core.training.lessons import from_coco, from_shards

encoder = load_encoder("light", "cpu")
if (root / "shards").is_dir():  # as on two machines: the shards and the cache of the team are all that they share
    cache = FeatureCache(root / f"cache of {rank}", shared=shared_cache(root / "team"))
    source, lessons = FeatureSource(encoder, cache), run(from_shards(root / "shards"))
else:
    source = source_of(root, encoder)
    lessons = from_coco(root / "images", root / "annotations.json", None)
config = short(batch_images=1)
seen = {}
def spy(start, tuning):
    tuned = yield from fine_tune(start, tuning)
    seen["weights"] = torch.cat([value.flatten() for value in tuned.network.state_dict().values()]).double().sum()
    return tuned
teaching.fine_tune = spy
with joined(encoder.device) as processes:
    start = load_start(None, encoder, config)
    task = Task(source, start, load_refiner(None, encoder), (), out, processes)
    taught = run(teach(lessons, config, task))
shared = source.cache.shared.stats if source.cache.shared else None
source.cache.close()
print(rank, taught is not None, repr(float(seen["weights"])), shared and shared.written, shared and shared.read)
"""

PRETRAIN = """
import os, sys
from pathlib import Path
rank, port, pool, out = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
               "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
from core.cli import main
from core.training.processes import Processes

plain, seen = Processes.average_gradients, []
def spy(self, parameters):
    own = sum(float(p.grad.abs().sum()) for p in parameters if p.grad is not None)
    plain(self, parameters)
    seen.append((own, sum(float(p.grad.abs().sum()) for p in parameters if p.grad is not None)))
Processes.average_gradients = spy
config = Path(out).with_suffix(f".{rank}.yaml")
values = {"steps": 2, "batch_images": 2, "boxes_per_image": 2, "warmup_steps": 1, "measure_every": 2, "held_out": 0.2}
config.write_text(repr(values))
code = main(["pretrain", "--data", pool, "--out", out, "--config", str(config), "--device", "cpu"])
print(code, *(value for step in seen for value in step), file=sys.stderr)
"""


def in_two_processes(script: str, *words: Path) -> list[tuple[str, str]]:
    """What each of two processes of a script printed on stdout and stderr."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    started = [python(script, str(rank), port, *words) for rank in range(2)]
    said = [process.communicate(timeout=200) for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    return said


def test_one_process_shares_nothing() -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.grad = torch.tensor([1.0, 2.0])
    Processes().average_gradients([parameter])
    Processes().wait()
    assert parameter.grad.tolist() == [1.0, 2.0]


def test_without_torchrun_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined(torch.device("cpu")) as processes:
        assert processes.is_first and processes.count == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="gloo joins by TCP on Linux and macOS")
@pytest.mark.parametrize("kind", ["files", pytest.param("shards", marks=pytest.mark.long)])
def test_two_processes_learn_the_same_weights_and_the_first_one_judges(tmp_path: Path, kind: str) -> None:
    from tests.core.lessons_by_hand import save_coco

    images, boxes = save_coco(tmp_path, 6)
    if kind == "shards":
        words = ["--images", images, "--boxes", boxes, "--out", tmp_path / "shards", "--per-shard", "4"]
        assert main(["shards", *map(str, words)]) == 0
        boxes.unlink()
    said = in_two_processes(SCRIPT, tmp_path, tmp_path / "out")
    first, second = (out.split() for out, _ in said)
    assert first[1:2] == ["True"] and second[1:2] == ["False"]
    assert first[2] == second[2]
    if kind == "shards":
        assert first[3] == "6" and second[3] == "0", "one machine encodes for both"
        assert int(second[4]) >= 6


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="gloo joins by TCP on Linux and macOS")
def test_two_processes_pretrain_on_batches_of_their_own_with_the_same_gradients(tmp_path: Path) -> None:
    save_pool(tmp_path / "pool", pictures=4)
    (first, told), (second, told_second) = in_two_processes(PRETRAIN, tmp_path / "pool", tmp_path / "out")
    assert '"steps": 2' in first and second == ""
    steps, others = (said.splitlines()[-1].split() for said in (told, told_second))
    assert steps[0] == others[0] == "0"
    assert steps[1::2] != others[1::2]
    assert steps[2::2] == others[2::2]
    assert (tmp_path / "out" / "refiner.json").exists()
