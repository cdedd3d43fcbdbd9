"""`boxrefine export --format parquet`: the table of a project's boxes, read and written in groups of rows."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from core.cli.options import check_output
from core.cli.terminal import complain, summarize, watch
from core.cli.writing import Writing, refuse_to_replace
from core.errors import BadInputError
from core.formats.choices import NONE
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore


def run(options: argparse.Namespace) -> int:
    """Write the table, summarize."""
    from core.arrow import load_pyarrow
    from core.formats.parquet import EMPTY, MAIN_FILE, NAMES, PARQUET, write_table
    from core.formats.selection import Selection, parse_map, parse_only
    from core.formats.table_rows import empty_row, selected
    from core.store.box_table import box_rows
    from core.store.project_store import ProjectStore, project_path_for

    load_pyarrow()
    writing = Writing.of(options)
    if writing.pictures != NONE or options.outlines or options.untouched:
        raise BadInputError(tr("A Parquet table has one row a box: leave out --pictures, --outlines and --untouched."))
    chosen = parse_map(options.map, parse_only(options.only, Selection(unchecked=options.unchecked)))
    path = writing.out / MAIN_FILE
    if not writing.overwrite:
        refuse_to_replace([PurePosixPath(MAIN_FILE)] if path.exists() else [], out=writing.out)
    check_output(path)
    project = project_path_for(options.project) if options.project.is_dir() else options.project
    left: dict[str, int] = {}
    seen: Counter[str] = Counter()
    with closing(ProjectStore.open(project)) as store:
        folder = store.path.absolute().parent
        rows = box_rows(
            store,
            splits=_splits(store, writing),
            content=(lambda name: content_of(folder / name)) if options.content else (lambda name: None),
            empty=empty_row,
        )
        known = [category.name for category in store.categories()]
        status, picture = NAMES.index("status"), NAMES.index("picture")

        def told() -> Iterator[tuple[Any, ...]]:
            last = None
            for row in selected(rows, chosen, known=known, left=left):
                seen["images"] += row[picture] != last
                seen["empty" if row[status] == EMPTY else "boxes"] += 1
                last = row[picture]
                yield row

        total = store.last_correction_id()
        watch(write_table(path, told(), message=tr("Writing {format}", format="Parquet"), total=total), unit=tr("box"))
    if count := left.get("suggestions", 0):
        complain(
            tr_plural(
                "{count} suggestion is left out, because it is not accepted yet: --unchecked writes it, too.",
                "{count} suggestions are left out, because they are not accepted yet: --unchecked writes them, too.",
                count,
            )
        )
    figures = {name: seen[name] for name in ("images", "empty", "boxes")}
    summarize({**figures, "format": PARQUET, "left_out": left.get("suggestions", 0), "path": str(path)})
    return 0


def _splits(store: ProjectStore, writing: Writing) -> Callable[[int, str], str]:
    """The split of an image by its id and name: by folders, or a new one, for which all boxes are read at once."""
    from core.formats.splitting import divide
    from core.splits import split_of

    if writing.fractions:
        made = divide(store.dataset(), writing.fractions, seed=writing.seed)
        return lambda id, name: made.get(id, "")
    return lambda id, name: "" if name.startswith("/") else split_of(PurePosixPath(name).parent)


def content_of(path: Path) -> str | None:
    """The hash of the bytes of a picture, as `merge` compares pictures; None if it cannot be read."""
    from core.merging.pictures import digest_of

    try:
        return digest_of(path)
    except (OSError, ValueError):
        return None
