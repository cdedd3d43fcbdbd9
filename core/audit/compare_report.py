"""A comparison as figures for a calling program, and as a page."""

from __future__ import annotations

from typing import Any

from core.audit.comparing import EDGES, ClassFigures, Comparison, PairedPicture, iou_figures
from core.audit.html import Cell, page, paragraph, section, table
from core.audit.plots import histogram
from core.translation import tr

LARGEST = 50
"""Pictures of the largest disagreement that are listed."""


def figures_of(found: Comparison, *, whole: bool) -> dict[str, Any]:
    """The figures as JSON; `whole` adds the categories and the pictures of the largest disagreement."""
    edges = found.mean_edges
    figures: dict[str, Any] = {
        "pictures": len(found.pictures),
        "pictures_only_a": len(found.only_a),
        "pictures_only_b": len(found.only_b),
        "boxes_a": found.matched + found.unmatched_a,
        "boxes_b": found.matched + found.unmatched_b,
        "matched": found.matched,
        "only_a": found.unmatched_a,
        "only_b": found.unmatched_b,
        "confused": sum(picture.confused for picture in found.pictures),
        "least_iou": found.least_iou,
        "iou": {name: _rounded(value) for name, value in iou_figures(found.ious).items()},
        "kappa": _rounded(found.kappa),
        "edges": None if edges is None else dict(zip(EDGES, map(_rounded, edges), strict=True)),
    }
    if whole:
        figures["classes"] = [_class_entry(entry) for entry in found.classes]
        figures["largest"] = [_picture_entry(picture) for picture in found.largest(LARGEST)]
        figures["names_only_a"], figures["names_only_b"] = list(found.only_a), list(found.only_b)
    return figures


def _class_entry(entry: ClassFigures) -> dict[str, Any]:
    return {
        "name": entry.name,
        "boxes_a": entry.a,
        "boxes_b": entry.b,
        "matched": entry.agreed,
        "only_a": entry.only_a,
        "only_b": entry.only_b,
        "confused": dict(entry.confused),
        "mean_iou": _rounded(entry.mean_iou),
        "kappa": _rounded(entry.kappa),
    }


def _picture_entry(picture: PairedPicture) -> dict[str, Any]:
    return {
        "picture": picture.name,
        "matched": picture.matched,
        "only_a": picture.only_a,
        "only_b": picture.only_b,
        "confused": picture.confused,
        "mean_iou": _rounded(picture.mean_iou),
        "disagreement": _rounded(picture.disagreement),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def report(found: Comparison, *, a: str, b: str) -> str:
    """The page of a comparison of `a` with `b`, which are their names for the reader."""
    parts = [paragraph(tr("A: {a}. B: {b}.", a=a, b=b)), *parts_of(found)]
    for title, names in (
        (tr("Pictures that only A has"), found.only_a),
        (tr("Pictures that only B has"), found.only_b),
    ):
        if names:
            parts.append(section(title, table([tr("picture")], [[name] for name in names[:LARGEST]])))
    return page(tr("Comparison of labels"), *parts)


def parts_of(found: Comparison) -> list[str]:
    """The sections of a page on what two sets of labels agree on: a summary, the categories, the pictures."""
    return [_summary(found), _classes(found), _pictures(found)]


def _summary(found: Comparison) -> str:
    figures = iou_figures(found.ious)
    edges = found.mean_edges or (None,) * 4
    rows: list[list[Cell]] = [
        [tr("pictures that both have"), len(found.pictures)],
        [tr("matched boxes, IoU from {least}", least=f"{found.least_iou:g}"), found.matched],
        [tr("boxes only in A"), found.unmatched_a],
        [tr("boxes only in B"), found.unmatched_b],
        [tr("Cohen's kappa of the categories, with “no box”"), found.kappa],
        [tr("mean IoU"), figures["mean"]],
        [tr("median IoU"), figures["median"]],
        [tr("a tenth of the pairs is below"), figures["lowest_tenth"]],
        [tr("pairs with IoU from 0.75"), figures["from_0.75"]],
        [tr("pairs with IoU from 0.9"), figures["from_0.9"]],
    ]
    titles = (tr("left edge"), tr("top edge"), tr("right edge"), tr("bottom edge"))
    rows += [
        [tr("{edge}: mean of B - A, pixels", edge=title), value] for title, value in zip(titles, edges, strict=True)
    ]
    plot = histogram(tr("IoU of matched boxes"), found.ious)
    return section(tr("Summary"), table([tr("figure"), tr("value")], rows), plot)


def _classes(found: Comparison) -> str:
    header = [
        *(tr("category"), tr("boxes in A"), tr("boxes in B"), tr("matched"), tr("only in A"), tr("only in B")),
        *(tr("mean IoU"), tr("kappa"), tr("confused with")),
    ]
    rows: list[list[Cell]] = [
        [
            *(entry.name, entry.a, entry.b, entry.agreed, entry.only_a, entry.only_b, entry.mean_iou, entry.kappa),
            ", ".join(f"{name} ({count})" for name, count in entry.confused.items()),
        ]
        for entry in found.classes
    ]
    return section(tr("Categories"), table(header, rows))


def _pictures(found: Comparison) -> str:
    header = [
        *(tr("picture"), tr("matched"), tr("only in A"), tr("only in B"), tr("other category"), tr("mean IoU")),
        tr("disagreement"),
    ]
    rows: list[list[Cell]] = [
        [
            *(entry.name, entry.matched, entry.only_a, entry.only_b, entry.confused, entry.mean_iou),
            entry.disagreement,
        ]
        for entry in found.largest(LARGEST)
    ]
    if not rows:
        return section(tr("Pictures of the largest disagreement"), paragraph(tr("All pictures agree.")))
    return section(tr("Pictures of the largest disagreement"), table(header, rows))
