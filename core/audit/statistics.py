"""Statistics of a dataset as plots and tables: boxes by category and split, sizes, shapes."""

from __future__ import annotations

from collections import Counter

from core.audit.context import AuditContext
from core.audit.html import Cell, section, table
from core.audit.plots import bars, histogram
from core.records import Dataset
from core.translation import tr

_MOST_BARS = 40


def statistics(dataset: Dataset) -> str:
    """The section of a report; boxes around crowds count, too."""
    context = AuditContext(dataset)
    boxes = [entry.accepted for entry in dataset.corrections]
    names = {category.id: category.name for category in dataset.categories}
    by_category = Counter(names.get(entry.category_id, "?") for entry in dataset.corrections)
    sides = [max(box.width * box.height, 0.0) ** 0.5 for box in boxes]
    shapes = [box.width / box.height for box in boxes if box.height > 0]
    on_image = Counter(entry.image_id for entry in dataset.corrections)
    plots = [
        bars(tr("Boxes by category"), by_category.most_common(_MOST_BARS)),
        histogram(tr("Size of boxes: root of the area, pixels"), sides),
        histogram(tr("Shape of boxes: width by height"), shapes),
        histogram(tr("Boxes on a picture, where there are some"), list(on_image.values())),
    ]
    return section(tr("Statistics"), *plots, _splits(context, names))


def _splits(context: AuditContext, names: dict[int, str]) -> str:
    """Pictures and boxes of each split, and of each category in it; empty without splits."""
    split_of = {image.id: context.split_of(image) for image in context.dataset.images}
    splits = [name for name in dict.fromkeys(split_of.values()) if name]
    if not splits:
        return ""
    pictures = Counter(split_of.values())
    boxes = Counter((split_of.get(entry.image_id, ""), entry.category_id) for entry in context.dataset.corrections)
    rows: list[list[Cell]] = [[tr("pictures"), *(pictures[split] for split in splits)]]
    rows += [[name, *(boxes[split, id] for split in splits)] for id, name in names.items()]
    return table([tr("boxes of"), *splits], rows)
