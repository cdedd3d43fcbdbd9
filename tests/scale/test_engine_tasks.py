"""`refine`, `suggest` and `export` with workers: as by the verb alone, and a second run does only what is missing."""

from __future__ import annotations

import json
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from core.engine.answers import about_boxes, boxes_of, known_of, refinement_json, refinement_of
from core.engine.journal import Journal
from core.engine.plan import WorkerPlan
from core.engine.rows import DONE, FAILED
from core.engine.tasks import RefineTask, WorkOnPictures, work_on_frames
from core.engine.witness import Deaths
from core.features.feature_source import OpenedPicture
from core.geometry import Box
from core.records import Candidate, Correction, NewImage, Refinement
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.core.command_line import Batch, Verb
from tests.core.suggest.discs import HEIGHT, WIDTH, save_discs
from tests.scale.conftest import OF_RAY_WARNINGS

pytestmark = OF_RAY_WARNINGS


@pytest.mark.slow
def test_refine_answers_as_the_verb_alone_and_a_second_run_does_only_what_is_missing(
    ray_here: Any, verb: Verb, batch: Batch, models: list[str]
) -> None:
    plain = verb("refine", *batch.arguments, *models)
    expected = json.loads(batch.out.read_text("utf-8"))
    batch.out.unlink()
    on_ray = ["refine", *batch.arguments, *models, "--drawn", plain.summary["drawn"], "--engine", "ray"]
    missing = batch.images / batch.document["images"][1]["file_name"]
    missing.rename(batch.images.parent / "away")
    said = verb(*on_ray, "--batch", "1")
    assert said.code == 2 and said.summary["images"] == 1 and missing.name in said.sentences[0]
    assert len(said.out.splitlines()) == 1 and batch.out.with_name("refined.json.engine.jsonl").is_file()
    (batch.images.parent / "away").rename(missing)
    said = verb(*on_ray)
    assert said.code == 0 and said.sentences == []
    assert (said.summary["images"], said.summary["done_before"], said.summary["engine"]) == (2, 1, "ray")
    same = ("images", "boxes", "second_looks", "unrefined", "drawn")
    assert {name: said.summary[name] for name in same} == {name: plain.summary[name] for name in same}
    assert json.loads(batch.out.read_text("utf-8")) == expected, "same boxes, same ids, same order"
    assert sorted(path.name for path in batch.out.parent.glob("refined*")) == ["refined.json"], "the journal is gone"


@pytest.mark.slow
def test_suggest_answers_as_the_verb_alone(ray_here: Any, verb: Verb, tmp_path: Path) -> None:
    labels = {seed: save_discs(tmp_path / f"pictures/{seed}.png", seed=seed) for seed in range(3)}
    document: dict[str, Any] = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "disc"}]}
    for seed in range(2):
        document["images"].append({"id": seed, "file_name": f"{seed}.png", "width": WIDTH, "height": HEIGHT})
        for box in (box for box, name in labels[seed].boxes if name == "disc"):
            note = {"id": len(document["annotations"]) + 1, "image_id": seed, "category_id": 1}
            document["annotations"].append(note | {"bbox": [box.x1, box.y1, box.width, box.height]})
    (tmp_path / "examples.json").write_text(json.dumps(document), "utf-8")
    common = ["suggest", "--images", tmp_path / "pictures", "--boxes", tmp_path / "examples.json", "--device", "cpu"]
    common += ["--threshold", "0.1"]
    plain = verb(*common, "--out", tmp_path / "plain.json")
    said = verb(*common, "--out", tmp_path / "ray.json", "--engine", "ray")
    assert said.code == plain.code == 0 and said.summary["boxes"] == plain.summary["boxes"] >= 1
    assert json.loads((tmp_path / "ray.json").read_text()) == json.loads((tmp_path / "plain.json").read_text())


@pytest.mark.slow
def test_export_copies_by_workers_what_the_verb_copies(ray_here: Any, verb: Verb, tmp_path: Path) -> None:
    save_discs(tmp_path / "pictures/0.png", seed=0)
    save_discs(tmp_path / "pictures/1.png", seed=1)
    with closing(ProjectStore.create(tmp_path / "pictures" / PROJECT_FILE_NAME)) as store:
        category = store.add_category("disc")
        store.add_images([NewImage(tmp_path / f"pictures/{number}.png", WIDTH, HEIGHT) for number in range(2)])
        box = Box(10, 10, 50, 60)
        store.accept_all([Correction(image.id, category.id, drawn=box, accepted=box) for image in store.images()])
    common = ["export", tmp_path / "pictures", "--format", "yolo"]
    said = verb(*common, "--out", tmp_path / "none", "--engine", "ray")
    assert said.code == 2 and "add --pictures copy" in said.sentences[0]
    verb(*common, "--pictures", "copy", "--out", tmp_path / "plain")
    said = verb(*common, "--pictures", "copy", "--out", tmp_path / "ray", "--engine", "ray")
    assert said.code == 0 and said.summary["workers"] >= 1
    plain, ray = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "plain", tmp_path / "ray")
    )
    assert plain == ray and not (tmp_path / ".ray.engine").exists()


class Dying(RefineTask):
    """Ends its worker at a picture called killer, and once at the first one, as a crash would."""

    deaths = 0

    def do(self, picture: OpenedPicture, features: Any, about: Any) -> Any:
        path = Path(str(picture._path))
        if path.name.startswith("killer") or (path.name.startswith("0") and not Dying.deaths):
            Dying.deaths += 1
            raise SystemExit
        return super().do(picture, features, about)


def test_a_picture_that_ends_two_workers_is_reported_and_the_others_are_done(untrained: Path, tmp_path: Path) -> None:
    names = ["0.png", "1.png", "killer.png"]
    for seed, name in enumerate(names):
        save_discs(tmp_path / name, seed=seed)
    plan = WorkerPlan(str(untrained / "encoder.safetensors"), device="cpu")
    about = json.dumps(about_boxes([Box(10, 10, 60, 60)], ["disc"]))
    rows = {"number": [0, 1, 2], "picture": [str(tmp_path / name) for name in names], "about": [about] * 3}
    witness, attempts = Deaths(), 0
    worker = WorkOnPictures(plan, Dying(refiner=untrained, second_look=False), witness)
    while True:
        attempts += 1
        with suppress(SystemExit):
            found = worker(rows)
            break
    assert attempts == 4, "the first one died at the first picture, and named none; two at the killer"
    assert list(found["state"]) == [DONE, DONE, FAILED]
    assert "killer.png ends the process that reads it" in found["note"][2]


def test_the_callables_take_plain_rows(untrained: Path, tmp_path: Path) -> None:
    """What the page shows for one's own pipeline."""
    save_discs(tmp_path / "0.png", seed=0)
    plan = WorkerPlan(str(untrained / "encoder.safetensors"), device="cpu")
    pictures = [str(tmp_path / name) for name in ("0.png", "none.png", "0.png")]
    about = ['{"boxes": [[10, 10, 60, 60]]}', '{"boxes": []}', '{"boxes": [[1, 2]]}']
    task = RefineTask(refiner=untrained, second_look=False)
    found = WorkOnPictures(plan, task)({"picture": pictures, "about": about})
    assert list(found["state"]) == [DONE, FAILED, FAILED] and list(found["width"]) == [WIDTH, 0, 0]
    [answer] = json.loads(found["answer"][0])["answers"]
    assert refinement_of(answer).box.x1 < 60
    pd = pytest.importorskip("pandas")
    [frame] = work_on_frames([pd.DataFrame({"picture": pictures, "about": about})], plan, task)
    assert list(frame["answer"]) == list(found["answer"])
    other = RefineTask(identity="box-of-another", refiner=untrained)
    refused = WorkOnPictures(plan, other)({"picture": pictures[:1], "about": about[:1]})
    assert refused["state"][0] == "refused" and "box-of-another" in refused["note"][0]


def test_answers_come_back_as_they_went() -> None:
    candidates = Candidate(Box(1, 2, 3, 4), 0.75, (0.1, 0.2, 0.3, 0.4), 0.5), Candidate(Box(1, 2, 3, 5), 0.25)
    whole = Refinement(
        Box(0.1, 2, 3, 1e9), (0.5, 0.25, 0.125, 1.0), 0.1 + 0.2, outline=((1.0, 2.5),), candidates=candidates,
        margin=(1.0, 2.0, 3.0, 4.0),
    )  # fmt: skip
    back = refinement_of(json.loads(json.dumps(refinement_json(whole))))
    assert back == whole and back.outline == whole.outline and back.candidates == candidates
    assert boxes_of({"boxes": [[1, 2, 3, 4]]}) == ([Box(1, 2, 3, 4)], [None])
    assert known_of({}) == ([], [])
    with pytest.raises(ValueError, match="1 boxes, 2 categories"):
        boxes_of({"boxes": [[1, 2, 3, 4]], "categories": ["a", "b"]})


def test_a_journal_of_a_killed_run_gives_what_is_whole(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"1")
    journal = Journal(tmp_path / "out.json", "run")
    key = journal.key(picture, "boxes")
    journal.add(key, ([1, 2], 30, 40))
    journal.close()
    with journal.path.open("ab") as file:
        file.write(b'["half')
    again = Journal(tmp_path / "out.json", "run")
    assert again.get(key) == ([1, 2], 30, 40)
    again.add("other", (None, 1, 1))
    again.close()
    third = Journal(tmp_path / "out.json", "run")
    assert third.get(key) and third.get("other") == (None, 1, 1), "a torn line ends before the next one"
    assert key != third.key(picture, "other boxes") and key != Journal(tmp_path / "out.json", "x").key(picture, "boxes")
    picture.write_bytes(b"other")
    assert key != third.key(picture, "boxes")
    third.remove()
    assert not third.path.exists()
