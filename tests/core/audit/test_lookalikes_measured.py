"""How many swapped labels of real sets the audit names by their look, and how many of those that it names are wrong."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.audit.appearance import appearances_of
from core.audit.checks.lookalikes import check_lookalikes
from core.audit.context import AuditContext
from core.cli.datasets import open_dataset
from core.cli.options import add_cache_options, add_encoder_options, open_source
from core.geometry import as_boxes

SEEDS = 5
SWAPPED = 0.05


@pytest.mark.long
@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least_found", "least_precision", "most_named"),
    [("bccd", 0.75, 0.8, 120), ("cards", 0.0, 0.0, 3)],  # the look of a small part of a card does not tell its rank
)
def test_swapped_labels_are_found(
    labelled_pictures: Path, tmp_path: Path, name: str, least_found: float, least_precision: float, most_named: int
) -> None:
    parser = argparse.ArgumentParser()
    add_encoder_options(parser)
    add_cache_options(parser)
    folder = labelled_pictures / "dev" / name
    context = AuditContext(open_dataset(folder / "annotations.json", folder / "images").dataset)
    looks = {}
    with open_source(parser.parse_args(["--cache", str(tmp_path)]), in_memory=False) as source:
        for image_id, boxes in context.on_image.items():
            features = source.of_path(context.images[image_id].path)
            assert features is not None
            rows = appearances_of(features, as_boxes([entry.accepted for entry in boxes]))
            looks |= {entry.id: row for entry, row in zip(boxes, rows, strict=True)}
    ids = [category.id for category in context.dataset.categories]
    right = wrong = swaps = 0
    for seed in range(SEEDS):
        chance = np.random.default_rng(seed)
        entries = list(context.dataset.corrections)
        swapped = {}
        for row in chance.choice(len(entries), round(len(entries) * SWAPPED), replace=False).tolist():
            true = entries[row].category_id
            swapped[entries[row].id] = true
            other = int(chance.choice([id for id in ids if id != true]))
            entries[row] = replace(entries[row], category_id=other)
        given = AuditContext(replace(context.dataset, corrections=tuple(entries)), appearances=looks)
        named = {id: change[1] for each in check_lookalikes(given) for id, change in each.relabels.items()}
        hits = sum(swapped.get(id) == category for id, category in named.items())
        right, wrong, swaps = right + hits, wrong + len(named) - hits, swaps + len(swapped)
    sys.stdout.write(f"{name}: {right} of {swaps} swapped labels get their category back, {wrong} others are named\n")
    assert right >= least_found * swaps
    assert right >= least_precision * (right + wrong)
    assert right + wrong <= most_named * SEEDS
