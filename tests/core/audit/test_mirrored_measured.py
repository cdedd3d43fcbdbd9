"""How many mirrored copies of real sets the audit names, and whether it takes unrelated pictures for mirrored ones."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance, ImageOps

from core.audit.checks.copies import check_copies
from core.audit.context import AuditContext
from core.audit.finding import Kind
from core.audit.looking import look_at
from core.images import read_picture
from core.progress import run
from tests.core.audit.labels import dataset


def mirror(picture: Path, to: Path) -> None:
    """Write a mirrored copy at half the size, brighter by a tenth, as JPEG."""
    whole = ImageOps.mirror(Image.fromarray(read_picture(picture)))
    small = whole.resize((max(whole.width // 2, 1), max(whole.height // 2, 1)), Image.Resampling.LANCZOS)
    ImageEnhance.Brightness(small).enhance(1.1).save(to, quality=80)


@pytest.mark.long
@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("name", ["bccd", "breadboard", "cards", "coco80", "raccoon", "signs"])
def test_mirrored_copies_are_found_and_unrelated_pictures_are_not(
    labelled_pictures: Path, tmp_path: Path, name: str
) -> None:
    """Every second picture is in train, the others in val, with a mirrored copy of each picture of train."""
    pictures = sorted((labelled_pictures / "dev" / name / "images").iterdir())
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
    origins = {}
    for row, picture in enumerate(pictures):
        shutil.copy(picture, tmp_path / ("val" if row % 2 else "train") / picture.name)
        if row % 2 == 0:
            copy = f"val/mirrored_{picture.stem}.jpg"
            mirror(picture, tmp_path / copy)
            origins[copy] = f"train/{picture.name}"
    names = [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.glob("*/*"))]
    held = dataset({each: [] for each in names}, tmp_path)
    found = list(check_copies(AuditContext(held, looks=run(look_at(held)))))
    assert all(each.kind == Kind.COPY for each in found)
    named = [each for each in found if "left and right exchanged" in each.sentence]
    right = sum(origins.get(each.picture, "nothing") in each.sentence for each in named)
    compared = len(names) - len(origins) - (len(pictures) + 1) // 2
    sys.stdout.write(
        f"{name}: {right} of {len(origins)} mirrored copies are named, {len(named) - right} of {compared} others\n"
    )
    assert right >= 0.9 * len(origins)
    assert len(named) == right
