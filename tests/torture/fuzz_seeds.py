"""Honest inputs of every reader, made here, which fuzzing then damages."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from PIL import Image

from core.encoders.image_features import ImageFeatures
from core.features.cache.codecs import checksum, encoded
from core.features.cache.feature_key import FeatureKey
from core.geometry import Frame
from core.refiner.checkpoint import CARD_FILE, SHIPPED
from core.store.project_store import ProjectStore
from tests.core.picture_files import RIGHT_TOP_XMP, exif_of, jpeg_with_late_exif, png_with, raw_profile, tiff_of_values
from tests.core.projects import CORRECTION, fill
from tests.torture.fuzz_formats import cvat, kitti, programs, tables

KEY = FeatureKey("a" * 32, "other-0123456789ab", Frame.whole(width=40, height=30))
"""Of features that are smaller than ours may be, so that thousands are quick to make."""

Seeds = list[bytes]


def pictures() -> Seeds:
    """Every format, mode and packing that there is."""
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    plain = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds: list[tuple[Image.Image, str, dict[str, object]]] = [
        (plain, "JPEG", {"exif": exif}),
        (plain, "JPEG", {"progressive": True}),
        (plain.convert("CMYK"), "JPEG", {}),
        (plain, "PNG", {"exif": exif}),
        (plain.convert("RGBA"), "PNG", {}),
        (plain.convert("P"), "PNG", {"transparency": 3}),
        (plain.convert("1"), "PNG", {}),
        (Image.fromarray(pixels[..., 0].astype(np.uint16) * 257), "PNG", {}),
        (plain, "BMP", {}),
        (plain.convert("P"), "BMP", {}),
        (plain, "TIFF", {}),
        (plain, "TIFF", {"compression": "tiff_lzw"}),
        (plain, "TIFF", {"compression": "tiff_adobe_deflate"}),
        (plain, "TIFF", {"compression": "jpeg"}),
        (plain.convert("1"), "TIFF", {"compression": "group4"}),
        (Image.fromarray(pixels[..., 0].astype(np.float32)), "TIFF", {"exif": exif}),
        (plain, "WEBP", {}),
        (plain, "WEBP", {"lossless": True, "exif": exif}),
        (plain, "GIF", {}),
        (plain, "JPEG2000", {}),
        (plain, "AVIF", {}),
    ]
    deep = (pixels / 255.0).astype(np.float64)
    turned = exif_of(6)
    further = [
        png_with(pixels, (b"eXIf", turned), (b"zTXt", raw_profile(turned))),
        jpeg_with_late_exif(pixels, turned),
        tiff_of_values(deep, is_planar=True, is_packed=True, photometric=2),
        tiff_of_values((deep * 4000).astype(np.uint16), order=">", tags={42113: b"-9999\0", 338: 2}),
        tiff_of_values(np.dstack([deep, deep]).astype(np.float32), tags={700: RIGHT_TOP_XMP}),
    ]
    return [_saved(image, kind, options) for image, kind, options in kinds] + further


def _saved(image: Image.Image, kind: str, options: Mapping[str, object]) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def coco_document() -> dict[str, object]:
    """With what our own exports add."""
    note: dict[str, object] = {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "bbox": [5, 6, 20, 21],
        "area": 420,
        "iscrowd": 0,
    }
    ours = {"drawn_bbox": [4, 5, 22, 23], "refined_bbox": [5, 6, 20, 21], "edge_confidence": [0.9, 0.8, 0.7, 0.6]}
    ours |= {"refine_score": 0.9, "encoder": "light-0", "refiner": "box-0", "seconds": 1.5, "confirmed": False}
    return {
        "info": {"year": 2026},
        "images": [{"id": 1, "file_name": "a.png", "width": 60, "height": 40}, {"id": "b", "file_name": "x/b.png"}],
        "annotations": [note, note | ours | {"id": 2}, note | {"id": 3, "image_id": "b", "category_id": "c"}],
        "categories": [{"id": 1, "name": "cup"}, {"id": "c", "name": "Möwe"}],
    }


def labelme_document() -> dict[str, object]:
    shapes = [
        {"label": "cup", "points": [[1, 1], [20, 20]], "shape_type": "rectangle"},
        {"label": "cup", "points": [[1, 1], [20, 20], [5, 30]], "shape_type": "polygon"},
        {"label": "ring", "points": [[30, 30], [40, 30]], "shape_type": "circle"},
    ]
    return {"version": "5", "imagePath": "a.png", "imageWidth": 60, "imageHeight": 40, "shapes": shapes}


def coco() -> Seeds:
    return [json.dumps(coco_document()).encode(), json.dumps(coco_document(), ensure_ascii=False).encode("utf-16")]


def labelme() -> Seeds:
    return [json.dumps(labelme_document()).encode()]


def voc() -> Seeds:
    box = "<bndbox><xmin>5</xmin><ymin>6</ymin><xmax>20</xmax><ymax>30</ymax></bndbox>"
    thing = f"<object><name>cup</name>{box}</object>"
    size = "<size><width>60</width><height>40</height></size>"
    text = f"<annotation><filename>a.png</filename>{size}{thing}{thing}</annotation>"
    return [text.encode(), f'<?xml version="1.0" encoding="utf-16"?>{text}'.encode("utf-16")]


def yolo() -> Seeds:
    return [b"0 0.5 0.5 0.3 0.3\n1 0.2 0.2 0.1 0.1 0.9\n2 0.1 0.1 0.2 0.1 0.3 0.3\n"]


def classes() -> Seeds:
    return [b"path: .\nnc: 2\nnames:\n  0: cup\n  1: 'a b'\n", b"names: [cup, saucer]\n", b"names: {0: a, 1: b}\n"]


def settings() -> Seeds:
    lines = [
        'encoder = "light"', 'device = "auto"', "careful = false", "cache_disk_budget = 10737418240",
        'recent = ["/a", "/b"]', "panel_widths = [1, 2, 3]", 'theme = "dark"', "[keys]", 'export = ["Ctrl+E"]',
    ]  # fmt: skip
    return ["\n".join(lines).encode()]


def configs() -> Seeds:
    return [b"seed: 0\nepochs: 5\nlearning_rate: 8.0e-4\nschedule: cosine\nuse_amp: true\nheld_out: 0.25\n"]


def card_document() -> dict[str, object]:
    values: dict[str, object] = json.loads((SHIPPED / CARD_FILE).read_text("utf-8"))
    margin = {"left": 0.1, "top": 0.0, "right": 0.0, "bottom": 0.0, "unit": "side"}
    return values | {"made_by": {}, "margins": {"cup": margin}}


def cards() -> Seeds:
    return [json.dumps(card_document()).encode()]


def weights() -> Seeds:
    """As .pth, the older kind of it, and safetensors; the reader tells them apart by their first bytes."""
    state = {"first.weight": torch.ones(3, 2), "first.bias": torch.ones(3).bfloat16()}
    new, old = io.BytesIO(), io.BytesIO()
    torch.save(state, new)
    torch.save(state, old, _use_new_zipfile_serialization=False)
    return [new.getvalue(), old.getvalue(), safetensors.torch.save(state, {"source_sha256": "0" * 64})]


def features(codec: str = "fp16") -> bytes:
    """A features file as the cache writes it, but small."""
    embedding = torch.arange(64 * 4).reshape(64, 2, 2).half()
    made = ImageFeatures(embedding, torch.ones(8, 4, 4).half(), KEY.frame, KEY.encoder)
    key = FeatureKey(KEY.content, KEY.encoder, KEY.frame, codec)
    tensors = encoded(made, codec)
    return safetensors.torch.save(tensors, {"boxrefine": key.text, "xxh3": checksum(tensors)})


def feature_files() -> Seeds:
    return [features()]


def packs() -> Seeds:
    """One pack of one file of features."""
    content = features()
    manifest = json.dumps({"version": 2, "features": 1, "bytes": len(content)}).encode()
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as pack:
        members = {
            "boxrefine-features.json": manifest,
            f"{KEY.digest[:2]}/{KEY.digest}.safetensors": content,
            "boxrefine-end": b"",
        }
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            pack.addfile(info, io.BytesIO(data))
    return [file.getvalue()]


def projects() -> Seeds:
    """A project with pictures, categories, a box and steps to undo."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "boxrefine.sqlite"
        store = ProjectStore.create(path)
        fill(store)
        store.accept(CORRECTION)
        store.close()
        return [path.read_bytes()]


SEEDS: Mapping[str, Callable[[], Seeds]] = {
    "pictures": pictures,
    "coco": coco,
    "labelme": labelme,
    "voc": voc,
    "yolo": yolo,
    "programs": programs,
    "cvat": cvat,
    "tables": tables,
    "kitti": kitti,
    "classes": classes,
    "settings": settings,
    "configs": configs,
    "cards": cards,
    "weights": weights,
    "features": feature_files,
    "packs": packs,
    "projects": projects,
}
"""Reader -> what it is fed with before it is damaged."""
