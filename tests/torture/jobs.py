"""What the workers do without end until they are killed; each says what it has confirmed, and not before.

`+ID BOX` a box is stored; `?ID` it is about to be undone; `-ID` it is undone; `import FILE COUNT` an import is stored;
`drawn KEY` a drawn box is kept; `?drawn KEY` it is about to be accepted; `export N` an export is whole;
`stored CONTENT` features are cached. `!` begins the lines of an error.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

from core.errors import KnownError
from core.geometry import Box
from core.progress import run
from core.records import Category, Correction, Dataset, DrawnBox, ImageRecord, ImportedBox, NewImage
from core.store.project_store import ProjectStore
from tests.core.projects import title

IMAGES = 3


def say(text: str) -> None:
    """Out of the process at once, whatever becomes of it."""
    os.write(1, (text + "\n").encode())


def some_box(random: Random) -> Box:
    """A box of whole pixels, which is told and read back without loss."""
    x, y = random.randrange(500), random.randrange(400)
    return Box(x, y, x + random.randrange(5, 100), y + random.randrange(5, 80))


def open_project(path: Path) -> ProjectStore:
    """The project, made where there is none, with its images and categories."""
    store = ProjectStore.open_or_create(path)
    store.add_images([NewImage(path.parent / f"{n}.png", 640, 480) for n in range(IMAGES)])
    store.add_category("cat")
    return store


def label(path: str, seed: int) -> None:
    """Accept, move, undo, redo, delete and import, as a hand and a verb would."""
    random = Random(seed)
    store = open_project(Path(path))
    category = store.categories()[0].id
    for turn in range(100_000):
        choice = random.random()
        if choice < 0.06:
            import_some(store, random, f"{os.getpid()}-{turn}.json")
            continue
        box = some_box(random)
        correction = Correction(random.randrange(1, IMAGES + 1), category, box, box)
        key = draw(store, correction, f"{os.getpid()}-{turn}") if random.random() < 0.5 else ""
        if key and random.random() < 0.3:
            continue  # it waits for somebody to come back to it
        say(f"?drawn {key}")
        stored, _ = store.accept(correction, drawn=key)
        tell(stored.id, box)
        if choice < 0.3:
            moved = some_box(random)
            say(f"?{stored.id}")
            store.move(stored.id, moved)
            tell(stored.id, moved)
        elif choice < 0.5:
            undo_and_redo(store, random, stored)
        elif choice < 0.55:
            say(f"?{stored.id}")
            store.delete([stored.id])
            say(f"-{stored.id}")


def draw(store: ProjectStore, correction: Correction, key: str) -> str:
    """Keep a box that is drawn and not accepted yet."""
    store.keep_drawn(DrawnBox(key, correction, plain=True))
    say(f"drawn {key}")
    return key


def tell(id: int, box: Box) -> None:
    """A box is stored so."""
    say(f"+{id} {json.dumps(list(box))}")


def undo_and_redo(store: ProjectStore, random: Random, stored: Correction) -> None:
    """Take an accept back, and perhaps do it again."""
    say(f"?{stored.id}")
    assert title(store.undo().step) == "Accept box"
    say(f"-{stored.id}")
    if random.random() < 0.5:
        say(f"?{stored.id}")
        assert title(store.redo().step) == "Accept box"
        tell(stored.id, stored.accepted)


def import_some(store: ProjectStore, random: Random, file: str) -> None:
    """An import of some dozens of boxes, of which all or none are stored."""
    boxes = {some_box(random) for _ in range(random.randrange(2, 60))}
    entries = [ImportedBox("owl", Correction(1, 0, box, box, confirmed=False)) for box in boxes]
    with_origin = [replace(entry, correction=with_file(entry.correction, file)) for entry in entries]
    say(f"begin {file}")
    count, _ = store.import_boxes(with_origin, file=file)
    say(f"import {file} {count}")


def with_file(correction: Correction, file: str) -> Correction:
    """The same as it comes of an annotation file."""
    from core.records import Origin

    return replace(correction, origin=Origin(file, correction.accepted))


def create(path: str, seed: int) -> None:
    """Make projects one after the other, each at a new path."""
    for n in range(100_000):
        with closing(open_project(Path(path) / f"{seed}-{n}" / "boxrefine.sqlite")) as store:
            box = some_box(Random(n))
            stored, _ = store.accept(Correction(1, store.categories()[0].id, box, box))
            say(f"made {seed}-{n}")


def dataset_of(number: int, *, images: int = 40) -> Dataset:
    """A dataset whose every file says its number: the box's place and the category's name."""
    folder = Path("/pictures")
    records = tuple(ImageRecord(id, folder / f"{id}.png", 640, 480) for id in range(1, images + 1))
    box = Box(number % 500, 10, number % 500 + 20, 40)
    corrections = tuple(Correction(image.id, 1, box, box, id=image.id) for image in records)
    return Dataset(records, (Category(1, f"category {number}"),), corrections, folder=folder)


def export(out: str, format: str, first: int) -> None:
    """Export over what is there, each time another dataset."""
    from core.formats import export as write

    for number in range(first, first + 100_000):
        say(f"begin {number}")
        run(write(dataset_of(number), format=format, out=Path(out)))
        say(f"export {number}")


def export_half(out: str, number: int) -> None:
    """Export, and die when some of the files are in their places."""
    from core.formats import export as write

    rename, renamed = Path.replace, []

    def replace_some(path: Path, target: Path) -> Path:
        renamed.append(target)
        if len(renamed) > 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(path, target)

    Path.replace = replace_some  # type: ignore[method-assign, assignment]
    run(write(dataset_of(number), format="yolo", out=Path(out)))


def cache(folder: str, seed: int) -> None:
    """Put features into a cache and read some of them."""
    from core.features.cache.feature_cache import FeatureCache
    from tests.core.feature_files import key_of, small_features

    random = Random(seed)
    with closing(FeatureCache(Path(folder), ram_budget=0, disk_budget=2_000_000)) as held:
        for _ in range(100_000):
            number = random.randrange(300)
            key = key_of(f"{number:032x}")
            found = held.get(key)
            if found is not None:
                assert float(found.embedding[0, 0, 0]) == number, "features of another picture"
            held.put(key, small_features(number, key))
            say(f"stored {number}")


def verb(*arguments: str) -> None:
    """Run a verb of the command line once."""
    from core.cli import main

    say(f"ended {main(list(arguments))}")


def fill_up(path: str, limit: int) -> None:
    """Accept until the disk is full, which must be a sentence."""
    store = open_project(Path(path))
    category = store.categories()[0].id
    try:
        for n in range(limit):
            box = some_box(Random(n))
            stored, _ = store.accept(Correction(1, category, box, box))
            tell(stored.id, box)
    except KnownError as error:
        say(f"told {error}")
    store.close()


def fill_up_limited(path: str, limit: int) -> None:
    """The same with a limit on the size of each file, as a quota has it."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    fill_up(path, 100_000)


def with_few_descriptors(path: str, out: str, left: int) -> None:
    """Open, accept and export with room for only so many more files."""
    import resource

    from core.formats import export as write

    taken = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken + left, taken + left))
    try:
        store = ProjectStore.open(Path(path))
        box = some_box(Random(0))
        stored, _ = store.accept(Correction(1, store.categories()[0].id, box, box))
        tell(stored.id, box)
        run(write(dataset_of(1), format="coco", out=Path(out)))
        store.close()
        say("done")
    except KnownError as error:
        say(f"told {error}")


JOBS: Mapping[str, Callable[..., None]] = {
    "label": label,
    "create": create,
    "export": export,
    "export_half": export_half,
    "cache": cache,
    "verb": verb,
    "fill_up": fill_up,
    "fill_up_limited": fill_up_limited,
    "with_few_descriptors": with_few_descriptors,
}
