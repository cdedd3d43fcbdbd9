"""What a merge brings into a project besides boxes: annotators, categories, images, heads, refiners, imported files.

None of it is part of an undo step, except for categories: as in any project, images stay, and so does what was learned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from core.progress import run
from core.sources import Source
from core.store.merge_history import category_names_in_steps
from core.store.merge_ids import MergeIds, give_from, last_id
from core.store.row_checks import Row
from core.store.rows import now, picture_path, stored_path
from core.store.source_log import contents_of, source_of
from core.store.undo_log import Operation


def bring_openings(source: Database, target: Database, ids: MergeIds) -> None:
    """Store who has worked on the other project, unless the project knows that opening."""
    known = dict(target.execute("SELECT token, id FROM openings").fetchall())
    for row in list(source.query("SELECT * FROM openings ORDER BY id")):
        if row["token"] not in known:
            known[row["token"]] = _insert(target, "openings", {**row, "id": None})
        ids.openings[row["id"]] = known[row["token"]]


def bring_categories(
    source: Database, target: Database, ids: MergeIds, *, renamed: Mapping[str, str], operation: Operation | None
) -> list[str]:
    """Match categories by name, add those that are missing, and return their names.

    `renamed` gives the name here for some names there. With an `operation`, new ones are part of its undo step. Names
    that only undo steps of the other project have are matched, too.
    """
    known = {str(name): int(id) for id, name in target.execute("SELECT id, name FROM categories").fetchall()}
    known |= {name.casefold(): id for name, id in known.items() if name.casefold() not in known}
    there = list(source.query("SELECT * FROM categories ORDER BY coalesce(place, id), id"))
    place = 1 + max((int(row[0]) for row in target.execute(_PLACES).fetchall()), default=0)
    added = []
    for row in there:
        name = _known_name(renamed.get(row["name"], row["name"]), known)
        if name not in known:
            new = {**row, "name": name, "place": place, **_free_look(target, row)}
            del new["id"]
            known[name] = _insert(target, "categories", new) if operation is None else operation.insert(
                "categories", new
            )  # fmt: skip
            added.append(name)
            place += 1
            if name == row["name"]:
                ids.new_categories.add(known[name])
        ids.categories[row["id"]] = known[name]
    next_id = last_id(target, "categories")
    for id, old in category_names_in_steps(source).items():
        if id in ids.categories:
            continue
        if (name := _known_name(renamed.get(old, old), known)) in known:
            ids.categories[id] = known[name]
        else:
            next_id += 1
            ids.categories[id] = next_id
            ids.new_categories.add(next_id)
    give_from(target, "categories", next_id)
    return added


def _known_name(name: str, known: Mapping[str, int]) -> str:
    """A name as it is known; case makes no difference."""
    return name if name in known or name.casefold() not in known else name.casefold()


_PLACES = "SELECT coalesce(place, id) FROM categories"  # untranslated: SQL


def _free_look(target: Database, row: Row) -> dict[str, Any]:
    """The key of a category, unless another one has it."""
    taken = target.execute("SELECT 1 FROM categories WHERE key = ?", [row["key"]]).fetchone()
    return {"key": None if taken else row["key"]}


def bring_images(
    source: Database, target: Database, ids: MergeIds, *, same: Mapping[int, int], folders: tuple[Path, Path]
) -> int:
    """Add the images that the project does not have, and return how many; `same` has new ids by old ones of others.

    `folders` are those of the two projects. An image keeps its id if that is free, so that the parts of a divided
    project get the order back that they had.
    """
    free = {int(id) for (id,) in target.execute("SELECT id FROM images").fetchall()}
    paths = {path for (path,) in target.execute("SELECT path FROM images").fetchall()}
    for row in source.execute("SELECT id, path, width, height FROM images ORDER BY id").fetchall():
        id, path, width, height = row
        if id in same:
            ids.images[id] = same[id]
            continue
        stored = stored_path(picture_path(path, folder=folders[0]), folder=folders[1])
        if stored in paths:  # two pictures of one path: it was replaced meanwhile
            ids.images[id] = int(target.execute("SELECT id FROM images WHERE path = ?", [stored]).fetchone()[0])
            continue
        new = {"id": None if id in free else id, "path": stored, "width": width, "height": height}
        ids.images[id] = _insert(target, "images", new)
        ids.new_images.add(ids.images[id])
        free.add(ids.images[id])
        paths.add(stored)
    return len(ids.new_images)


def bring_heads(source: Database, target: Database) -> None:
    """Add heads that the project does not have; the newest promoted one of both projects is in use afterwards."""
    known = set(target.execute("SELECT identity, encoder, created FROM heads").fetchall())
    pinned = {encoder for (encoder,) in target.execute("SELECT encoder FROM heads WHERE pinned = 1").fetchall()}
    newest = {
        row["encoder"]: row
        for row in target.query("SELECT * FROM heads WHERE promoted = 1 ORDER BY id")
    }  # fmt: skip
    moved = set()
    for row in list(source.query("SELECT * FROM heads ORDER BY id")):
        if (row["identity"], row["encoder"], row["created"]) in known:
            continue
        pin = row["pinned"] if row["encoder"] not in pinned else 0
        _insert(target, "heads", {**row, "id": None, "pinned": pin})
        if row["promoted"] and row["encoder"] in newest and row["created"] < newest[row["encoder"]]["created"]:
            moved.add(row["encoder"])
    for encoder in moved:  # the newest one is last again
        row = newest[encoder]
        target.execute("DELETE FROM heads WHERE id = ?", [row["id"]])
        _insert(target, "heads", {**row, "id": None})


def bring_refiners(source: Database, target: Database, *, folders: tuple[Path, Path]) -> None:
    """Add refiners that the project does not have; one is in use where the project has chosen none for the encoder."""
    known = {identity: id for id, identity in target.execute("SELECT id, identity FROM refiners").fetchall()}
    chosen = {encoder for (encoder,) in target.execute("SELECT encoder FROM refiner_choices").fetchall()}
    for row in list(source.query("SELECT * FROM refiners ORDER BY id")):
        if row["identity"] not in known:
            folder = stored_path(picture_path(row["folder"], folder=folders[0]), folder=folders[1])
            known[row["identity"]] = _insert(target, "refiners", {**row, "id": None, "folder": folder})
    names = dict(source.execute("SELECT id, identity FROM refiners").fetchall())
    for row in list(source.query("SELECT * FROM refiner_choices ORDER BY id")):
        if row["encoder"] not in chosen:
            refiner = None if row["refiner_id"] is None else known[names[row["refiner_id"]]]
            _insert(target, "refiner_choices", {**row, "id": None, "refiner_id": refiner})


def bring_sources(source: Database, target: Database, ids: MergeIds) -> None:
    """Add what imported files have besides boxes; parts of one file, as of a divided project, become one again."""
    for _, each in _stored_sources(source):
        images = {ids.images[id]: entry for id, entry in each.images.items() if id in ids.images}
        rows, whole = list[int](), replace(each, images=images)
        for held_rows, held in _stored_sources(target):
            if (held.file, held.format, held.header) == (each.file, each.format, each.header):
                rows, whole = held_rows, replace(held, images={**images, **held.images})
                break
        whole = replace(whole, images=dict(sorted(whole.images.items())))
        texts = run(contents_of(whole))
        if len(rows) == len(texts):
            for id, text in zip(rows, texts, strict=True):
                target.execute("UPDATE sources SET content = ? WHERE id = ?", [text, id])
            continue
        for id in rows:  # the rows of one file follow each other
            target.execute("DELETE FROM sources WHERE id = ?", [id])
        for text in texts:
            _insert(target, "sources", {"file": each.file, "format": each.format, "content": text, "created": now()})


def _stored_sources(db: Database) -> list[tuple[list[int], Source]]:
    """The imported files, each with the ids of its rows."""
    found: list[tuple[list[int], Source]] = []
    for row in db.query("SELECT * FROM sources ORDER BY id"):
        each = source_of(row)
        ids, before = found[-1] if found else ([], each)
        if each.goes_on and ids and (before.file, before.format) == (each.file, each.format):
            found[-1] = [*ids, row["id"]], replace(before, images={**before.images, **each.images})
        else:
            found.append(([row["id"]], replace(each, goes_on=False)))
    return found


def bring_drawn(source: Database, target: Database, ids: MergeIds) -> None:
    """Add boxes that are drawn and not accepted yet, unless the project has them."""
    for row in list(source.query("SELECT * FROM drawn_boxes ORDER BY id")):
        if target.execute("SELECT 1 FROM drawn_boxes WHERE key = ?", [row["key"]]).fetchone() is None:
            category = ids.categories.get(row["category_id"])
            new = {**row, "id": None, "image_id": ids.images[row["image_id"]], "category_id": category}
            _insert(target, "drawn_boxes", new)


def insert_rows(target: Database, table: str, rows: Sequence[Row]) -> None:
    """Insert rows of the same columns, with their ids."""
    if rows:
        statement = f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({', '.join('?' * len(rows[0]))})"
        target.conn.executemany(statement, [tuple(row.values()) for row in rows])


def _insert(target: Database, table: str, row: Row) -> int:
    places = ", ".join("?" * len(row))
    cursor = target.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", list(row.values()))
    return int(cursor.lastrowid or 0)
