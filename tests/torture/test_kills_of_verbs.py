"""kill -9 of verbs that write: the feature cache, imports, training, taking weights in."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from core.features.cache.cache_care import verify
from core.features.cache.feature_cache import FeatureCache
from core.progress import run
from core.records import NewImage
from core.store.project_check import check_project
from core.store.project_store import ProjectStore
from tests.core.projects import title
from tests.torture.conftest import Host, host_of

pytestmark = [
    pytest.mark.torture,
    pytest.mark.slow,
    pytest.mark.timeout(0),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill -9"),
]

_SLOW_VERBS = 4
"""Of so many rounds of the others there is one of a verb that takes seconds."""


@pytest.fixture(scope="module")
def learned_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host that has torch imported, which takes seconds."""
    folder = tmp_path_factory.mktemp("workers")
    with host_of(folder, "core.features.cache.feature_cache", "core.cli.train", "core.training.teach") as made:
        yield made


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_a_feature_cache_is_whole_after_kills(
    learned_host: Host, tmp_path: Path, rounds: int, random: Random, processes: int
) -> None:
    folder = tmp_path / "cache"
    for _ in range(rounds):
        workers = [learned_host.start("cache", str(folder), random.randrange(10**9)) for _ in range(processes)]
        learned_host.kill_at_random(workers, random, within_s=0.4)
        for worker in workers:
            worker.said()
        with closing(FeatureCache(folder, ram_budget=0)) as cache:
            found = run(verify(cache))
            assert found.damaged == 0, "a file under its name is whole"
            assert cache.trouble is None
            again = run(verify(cache))
            assert (again.damaged, again.repaired) == (0, 0)
        left = [path.name for path in folder.rglob("*") if path.is_file() and "incoming" in path.name]
        assert left == []


def test_an_import_that_is_killed_is_stored_whole_or_not_at_all(
    host: Host, tmp_path: Path, rounds: int, random: Random
) -> None:
    folder = tmp_path / "harbour"
    with closing(ProjectStore.create(folder / "boxrefine.sqlite")) as store:
        store.add_images([NewImage(folder / f"{n}.png", 400, 300) for n in range(20)])
    for n in range(rounds):
        notes = [
            {"id": k, "image_id": k % 20, "category_id": 1, "bbox": [k // 20 % 300, n % 200 + k // 6000, 50, 40]}
            for k in range(3000)
        ]
        images = [{"id": k, "file_name": f"{k}.png"} for k in range(20)]
        boxes = tmp_path / f"{n}.json"
        document = {"images": images, "annotations": notes, "categories": [{"id": 1, "name": "boat"}]}
        boxes.write_text(json.dumps(document))
        worker = host.start("verb", "import", str(folder), "--boxes", str(boxes))
        host.kill_within(worker, random, within_s=1.2)
        assert check_project(folder / "boxrefine.sqlite") == []
        with closing(ProjectStore.open(folder / "boxrefine.sqlite")) as store:
            files = [entry.origin.file for entry in store.dataset().corrections if entry.origin]
            count = files.count(boxes.name)
            assert count == 0 or title(store.undo_steps()[0]) == f"Import 3000 boxes from {boxes.name}"
            assert count in (0, 3000), "a part of the import is there"
            if count:
                store.undo()
            assert boxes.name not in [entry.origin.file for entry in store.dataset().corrections if entry.origin]


def test_training_that_is_killed_leaves_the_project_and_its_refiners_whole(
    learned_host: Host, tmp_path: Path, rounds: int, random: Random
) -> None:
    from core.refiner.checkpoint import read_card
    from tests.core.lessons_by_hand import save_config, save_project

    project = save_project(tmp_path / "project", 8)
    config = save_config(tmp_path / "short.yaml", replay_weight=0.0, views=0)
    with closing(ProjectStore.open(project)) as store:
        boxes = store.dataset().corrections
    for _ in range(max(1, rounds // _SLOW_VERBS)):
        arguments = ["train", "--project", str(project), "--config", str(config), "--device", "cpu"]
        worker = learned_host.start("verb", *arguments)
        learned_host.kill_within(worker, random, within_s=12.0)
        assert check_project(project) == []
        with closing(ProjectStore.open(project)) as store:
            assert store.dataset().corrections == boxes
            for record in store.refiners():
                assert read_card(record.folder).encoder == record.encoder


def test_weights_that_are_taken_in_are_whole_or_not_there(
    learned_host: Host, tmp_path: Path, rounds: int, random: Random
) -> None:
    from core.encoders.weights.model_folder import held_weights
    from tests.core.hq_weights import save_vit_tiny

    weights = save_vit_tiny(tmp_path / "tiny.pth")
    for _ in range(max(2, rounds // _SLOW_VERBS)):
        worker = learned_host.start("verb", "models", "add", "vit_tiny", str(weights))
        learned_host.kill_within(worker, random, within_s=3.0)
        verified = learned_host.start("verb", "models", "verify")
        assert learned_host.wait(verified) == 0
        assert "ended 0" in verified.lines()[-1], "".join(verified.lines())
    folder = Path(os.environ["BOXREFINE_WEIGHTS"])
    for path in folder.rglob("*.partial"):  # of a killed process; a recent one may still be in use, and stays for a day
        os.utime(path, (0, 0))
    learned_host.wait(learned_host.start("verb", "models", "add", "vit_tiny", str(weights)))
    assert held_weights("vit_tiny") is not None
    assert [path.name for path in folder.rglob("*") if "partial" in path.name] == []
