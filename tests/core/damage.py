"""Projects with damage: a small whole one with everything in it, and ways to spoil it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

from core.errors import KnownError
from core.geometry import Box
from core.head_records import HeadRecord
from core.records import Correction, DrawnBox, ImportedBox, RefinerRecord, VerdictKind
from core.store.project_check import check_project
from core.store.project_repair import repair_project
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, fill


def make_whole(path: Path) -> Path:
    """A project of two images with boxes of each kind, a refiner, and steps to undo and to redo."""
    with closing(ProjectStore.create(path)) as store:
        fill(store)
        for n in range(4):
            store.accept(replace(CORRECTION, accepted=Box(n, 1, 50, 60), outline=((1.0, 2.0, 3.0, 4.0, 5.0, 6.0),)))
        box = Box(5, 5, 50, 50)
        store.import_boxes([ImportedBox("owl", Correction(2, 0, box, box, confirmed=False))], file="owls.json")
        store.add_refiner(RefinerRecord(path.parent / "r", "r-1", "light-1", "shipped", True, VerdictKind.BETTER))
        store.add_head(HeadRecord("head-1", "light-1", data={"boxes": 4}), b"learned")
        store.keep_drawn(DrawnBox("key", Correction(2, 1, box, box), plain=False))
        store.move_category(3, row=0)
        store.move(2, Box(1, 2, 30, 40))
        store.delete([1])
        store.undo()
    spoil(path, "INSERT INTO marks (id, done, flag) VALUES (2, 1, 'blurred')")  # without a step, which the titles tell
    columns = "image_id, category_id, box, head, created"
    spoil(path, f"INSERT INTO rejected_boxes ({columns}) VALUES (2, 1, '[60, 60, 90, 90]', 'head-1', '2026')")
    columns = "id, image_id, verdict, comment, writer, changed"
    spoil(path, f"INSERT INTO reviews ({columns}) VALUES (3, 1, 'fix', 'the tail', 1, '2026')")
    return path


def spoil(path: Path, statement: str, *values: object) -> None:
    """Change rows behind the store's back."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(statement, values)


def mutate(content: bytes, random: Random) -> bytes:
    """Change one to four bytes anywhere, or, half of the time, where there is text."""
    spoiled = bytearray(content)
    texts = [at for at in range(len(content) - 1) if 32 <= content[at] < 127 and 32 <= content[at + 1] < 127]
    for _ in range(random.randint(1, 4)):
        at = random.choice(texts) if random.random() < 0.7 else random.randrange(100, len(content))
        spoiled[at] = random.randrange(256)
    return bytes(spoiled)


def use_everything(path: Path) -> None:
    """Read all, undo and redo all, write each kind; KnownErrors are in order, anything else is not."""
    try:
        store = ProjectStore.open(path)
    except KnownError:
        return
    with closing(store):
        actions = [
            store.dataset,
            store.counts,
            store.to_check,
            store.refiners,
            store.undo_steps,
            lambda: store.chosen_refiner("light-1"),
            lambda: [store.corrections(image.id) for image in store.images()],
            lambda: [store.never_refined(id) for id in store.never_refined_images()],
            lambda: [store.drawn_boxes(image.id) for image in store.images()],
            store.drawn_counts,
            store.marks,
            store.to_fix,
            store.annotators,
            lambda: store.reviews_on([1, 2]),
            lambda: store.review_items(1, 99),
            lambda: [store.history(id) for id in range(1, 7)],
            lambda: store.find_good([3]),
            lambda: store.find_to_fix([2]),
            lambda: store.comment(3, "again"),
            lambda: store.labels_of(store.labelled_images(most=9)),
            lambda: store.suggestion_context(2),
            lambda: store.head_weights(store.heads("light-1")[-1].id) if store.heads("light-1") else b"",
            lambda: store.suggest(1, []),
            store.remove_suggestions,
            lambda: store.reject_suggestions(2),
            lambda: store.mark([1, 2], done=True),
            lambda: store.flag(2, None),
            lambda: store.accept(CORRECTION),
            lambda: [store.undo() for _ in range(9)],
            lambda: [store.redo() for _ in range(9)],
            lambda: store.confirm_proposals(),
            store.withdraw_proposals,
            lambda: store.move_category(1, row=2),
            lambda: store.merge_category(2, into=1),
            lambda: store.delete([2]),
            lambda: store.delete_category(1),
        ]
        for action in actions:
            try:
                action()
            except KnownError:
                continue


def check_and_repair(path: Path) -> str:
    """What came of it: `whole`, `mended`, or `refused`; a mended project is whole."""
    try:
        if not check_project(path):
            ProjectStore.open(path).close()
            return "whole"
        repair_project(path)
    except KnownError:
        return "refused"
    assert check_project(path) == []
    ProjectStore.open(path).close()
    return "mended"
