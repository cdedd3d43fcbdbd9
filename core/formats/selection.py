"""Which boxes and images of a dataset an export has: checked ones, done images, categories under other names."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.correction_table import CorrectionTable, on_images
from core.errors import BadInputError
from core.records import Category, Correction, Dataset, ImageRecord
from core.text import name_of
from core.translation import tr


@dataclass(frozen=True)
class Selection:
    """What to export.

    `unchecked` includes boxes to check, `untouched` images that have no boxes and are not done. `done` leaves out
    images that are not marked as done. `accepted` leaves out boxes to check, also with `unchecked`. `categories` are
    the names of the only ones to write, empty for all. `renamed` is old name -> new one; categories that get the name
    of another one are merged with it. Boxes of the categories `dropped` are left out.
    """

    unchecked: bool = False
    untouched: bool = False
    done: bool = False
    accepted: bool = False
    categories: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Selected:
    """A selected dataset, and how many unchecked boxes and how many images it lacks."""

    dataset: Dataset
    unchecked: int
    images: int


def select(dataset: Dataset, selection: Selection) -> Selected:
    """Select boxes, images and categories; categories keep their order.

    New names come first: `categories` has names that `renamed` gives. An image that is done and loses all its boxes
    with their categories is a negative; one that loses unchecked boxes is not. Raises BadInputError for a category that
    the dataset does not have.
    """
    found = replace(dataset, images=_images(dataset, selection))
    kept = {image.id for image in found.images}
    found = replace(found, corrections=on_images(dataset.corrections, kept))
    is_whole = selection.unchecked and not selection.accepted
    checked = found if is_whole else found.accepted() if selection.accepted else found.labels()
    unsure = found.boxed - checked.boxed
    named = _with_categories(checked, selection)
    named = replace(named, empty=frozenset((found.empty | found.done) & kept) - named.boxed - unsure)
    result = named if selection.untouched else named.labelled()
    return Selected(result, len(found.corrections) - len(checked.corrections), len(found.images) - len(result.images))


def _images(dataset: Dataset, selection: Selection) -> tuple[ImageRecord, ...]:
    if not selection.done:
        return dataset.images
    return tuple(image for image in dataset.images if image.id in dataset.done)


def _with_categories(dataset: Dataset, selection: Selection) -> Dataset:
    """Merge, rename and drop categories; an id of a merged one is that of the first category with the new name."""
    if not (selection.renamed or selection.dropped or selection.categories):
        return dataset
    names = [category.name for category in dataset.categories]
    _refuse_unknown([*selection.renamed, *sorted(selection.dropped)], names)
    by_name: dict[str, Category] = {}
    new_id: dict[int, int] = {}
    own = {category.name for category in dataset.categories if category.name not in selection.renamed}
    for category in dataset.categories:
        if category.name in selection.dropped:
            continue
        name = selection.renamed.get(category.name, category.name)
        if name in own and category.name != name:  # the category that has the name already gives its place
            first = next(each for each in dataset.categories if each.name == name)
        else:
            first = by_name.setdefault(name, replace(category, name=name))
        new_id[category.id] = first.id
    _refuse_unknown(selection.categories, list(by_name))
    if selection.categories:
        by_name = {name: category for name, category in by_name.items() if name in selection.categories}
    kept = {category.id for category in by_name.values()}
    new_id = {old: new for old, new in new_id.items() if new in kept}
    return replace(
        dataset, categories=tuple(by_name.values()), corrections=_relabelled(dataset.corrections, new_id)
    )  # fmt: skip


def _relabelled(corrections: Sequence[Correction], new_id: Mapping[int, int]) -> Sequence[Correction]:
    """The boxes of some categories, with the new ids of these."""
    if isinstance(corrections, CorrectionTable):
        return corrections.relabelled(new_id)
    return tuple(
        replace(item, category_id=new_id[item.category_id]) for item in corrections if item.category_id in new_id
    )


def _refuse_unknown(names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise BadInputError(
                tr(
                    "There is no category {name} to export: name one of {others}.",
                    name=f"“{name}”",
                    others=", ".join(known) or tr("none"),
                )
            )


def parse_only(texts: Sequence[str], selection: Selection) -> Selection:
    """Add what `--only` names: `done`, `accepted` or `category=NAME`. Raises BadInputError for anything else."""
    for text in texts:
        kind, _, name = text.partition("=")
        if text == "done":
            selection = replace(selection, done=True)
        elif text == "accepted":
            selection = replace(selection, accepted=True)
        elif kind == "category" and name:
            selection = replace(selection, categories=(*selection.categories, name))
        else:
            raise BadInputError(tr("--only knows no {text}: give done, accepted or category=NAME.", text=f"“{text}”"))
    return selection


def parse_map(texts: Sequence[str], selection: Selection) -> Selection:
    """Add what `--map` names: `old=new` and `drop=NAME`, separated by commas; double quotes around a pair keep commas.

    Raises BadInputError for anything else.
    """
    renamed, dropped = dict(selection.renamed), set(selection.dropped)
    for pair in (pair.strip() for row in csv.reader(texts, skipinitialspace=True) for pair in row):
        old, is_pair, new = pair.partition("=")
        if not is_pair or not old or name_of(new) is None:
            raise BadInputError(
                tr("--map knows no {text}: give old=new or drop=NAME, separated by commas.", text=f"“{pair}”")
            )
        if old == "drop":
            dropped.add(new)
        else:
            renamed[old] = name_of(new) or new
    return replace(selection, renamed=renamed, dropped=frozenset(dropped))
