"""Formats of other labelling programs and of training codes: CVAT, Label Studio, VIA, CSV, CreateML, KITTI and more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadFileError
from core.formats.importers.found import FoundBoxes
from core.formats.importing import find_boxes
from core.geometry import Box
from core.progress import run
from core.records import ImageRecord

BOX = Box(20, 30, 100, 90)

TURNED = Box(30, 20, 90, 100)
"""The box around BOX after a quarter turn about its center."""


def find(path: Path, *names: str, folder: Path | None = None) -> FoundBoxes:
    """What there is for pictures of 200 x 150 pixels of these names."""
    folder = folder or path.parent
    images = [ImageRecord(number + 1, folder / name, 200, 150) for number, name in enumerate(names)]
    return run(find_boxes(path, images, folder=folder))


def boxes(found: FoundBoxes) -> list[tuple[int, str, Box]]:
    held = [(entry.category, entry.correction) for entry in found.boxes]
    return [(here.image_id, name, Box(*(round(edge, 6) for edge in here.accepted))) for name, here in held]


def scores(found: FoundBoxes) -> list[float]:
    return [entry.correction.origin.probability for entry in found.boxes if entry.correction.origin]


def written(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def dumped(path: Path, document: object) -> Path:
    return written(path, json.dumps(document))


# CVAT


LABELS = "<labels><label><name>saucer</name></label><label><name>cup</name></label></labels>"


def cvat(shapes: str, *, meta: str = LABELS, name: str = "a.png") -> str:
    image = f'<image id="0" name="{name}" width="200" height="150">{shapes}</image>'
    return f"<annotations><version>1.1</version><meta><task>{meta}</task></meta>{image}</annotations>"


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ('<box label="cup" xtl="20" ytl="30" xbr="100" ybr="90" occluded="0"/>', BOX),
        ('<box label="cup" xtl="20" ytl="30" xbr="100" ybr="90" rotation="90"/>', TURNED),
        ('<polygon label="cup" points="20,30;100,30;100,90"/>', BOX),
        ('<polyline label="cup" points="20,30;100,90"/>', BOX),
        ('<ellipse label="cup" cx="60" cy="60" rx="40" ry="30"/>', BOX),
        ('<ellipse label="cup" cx="60" cy="60" rx="40" ry="30" rotation="90"/>', TURNED),
        ('<mask label="cup" rle="1" left="20" top="30" width="80" height="60"/>', BOX),
        ('<cuboid label="cup" xtl1="20" ytl1="30" xbr1="90" ybr1="80" xtl2="50" ytl2="40" xbr2="100" ybr2="90"/>', BOX),
        ('<skeleton label="cup"><points label="1" points="20,30"/><points label="2" points="100,90"/>'
         '<points label="3" points="0,0" outside="1"/></skeleton>', BOX),
    ],
)  # fmt: skip
def test_shapes_of_cvat_become_the_box_around_them(tmp_path: Path, shape: str, box: Box) -> None:
    found = find(written(tmp_path / "annotations.xml", cvat(shape)), "a.png")
    assert boxes(found) == [(1, "cup", box)]
    assert found.categories == ["saucer", "cup"]
    assert found.problems == []


def test_tags_and_points_of_cvat_are_left_out_with_a_note(tmp_path: Path) -> None:
    found = find(written(tmp_path / "a.xml", cvat('<tag label="x"/><points label="y" points="1,2"/>')), "a.png")
    assert (boxes(found), found.problems) == ([], [])
    assert [note.split("the kind ")[1].split(",")[0] for note in found.notes] == ["tag", "points"]


def test_the_parts_of_a_skeleton_are_no_categories(tmp_path: Path) -> None:
    labels = "<labels><label><name>man</name></label><label><name>knee</name><parent>man</parent></label></labels>"
    assert find(written(tmp_path / "a.xml", cvat("", meta=labels)), "a.png").categories == ["man"]


def test_subsets_of_cvat_are_told_apart(tmp_path: Path) -> None:
    box = '<box label="cup" xtl="{}" ytl="30" xbr="100" ybr="90"/>'
    images = "".join(
        f'<image id="{n}" name="1.png" subset="{subset}" width="200" height="150">{box.format(n)}</image>'
        for n, subset in ((10, "train"), (20, "val"))
    )
    path = written(tmp_path / "a.xml", f"<annotations><meta/>{images}</annotations>")
    found = find(path, "train/1.png", "val/1.png")
    assert [(image, box.x1) for image, _, box in boxes(found)] == [(1, 10), (2, 20)]


def track(*frames: tuple[int, int], more: str = "") -> str:
    at = "".join(
        f'<box frame="{frame}" keyframe="1" outside="{outside}" xtl="20" ytl="30" xbr="100" ybr="90"/>'
        for frame, outside in frames
    )
    size = "<original_size><width>200</width><height>150</height></original_size>"
    meta = f"<meta><task><source>street.mp4</source>{LABELS}{size}</task></meta>"
    return f'<annotations>{meta}<track id="0" label="cup">{at}</track>{more}</annotations>'


def test_a_track_of_cvat_is_a_box_on_each_frame_where_it_is_not_outside(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xml", track((0, 0), (1, 0), (2, 1)))
    found = find(path, "frame_000000.PNG", "frame_000001.PNG", "frame_000002.PNG")
    assert boxes(found) == [(1, "cup", BOX), (2, "cup", BOX)]
    assert (found.notes, found.problems, found.missing) == ([], [], [])


def test_frames_between_keyframes_get_no_invented_box(tmp_path: Path) -> None:
    found = find(written(tmp_path / "a.xml", track((0, 0), (5, 0))), "frame_000000.png", "frame_000003.png")
    assert [image for image, _, _ in boxes(found)] == [1]
    assert "tracks without a box on some frames" in found.notes[0]


def test_frames_have_the_names_that_the_file_gives_them(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xml", track((0, 0), more='<image id="0" name="first.png"/>'))
    assert boxes(find(path, "first.png")) == [(1, "cup", BOX)]


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ('<box label="cup" xtl="nan" ytl="30" xbr="100" ybr="90"/>', "has no box of numbers"),
        (f'<box label="cup" xtl="{"9" * 400}" ytl="30" xbr="100" ybr="90"/>', "has no box of numbers"),
        ('<box label="cup"/>', "has no box of numbers"),
        ('<box label="cup" xtl="20" ytl="30" xbr="20" ybr="90"/>', "a box without area"),
        ('<polygon label="cup" points="20;30,1"/>', "has no box of numbers"),
    ],
)
def test_a_broken_shape_of_cvat_is_counted_and_the_others_come(tmp_path: Path, shape: str, told: str) -> None:
    good = '<box label="cup" xtl="20" ytl="30" xbr="100" ybr="90"/>'
    found = find(written(tmp_path / "a.xml", cvat(shape + good)), "a.png")
    assert boxes(found) == [(1, "cup", BOX)]
    assert told in found.problems[0]


def test_an_entity_bomb_in_cvat_is_refused_in_a_sentence(tmp_path: Path) -> None:
    entities = '<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 50}">' for n in range(8)
    )
    path = written(tmp_path / "a.xml", f"<!DOCTYPE x [{entities}]><annotations><meta>&i;</meta></annotations>")
    with pytest.raises(BadFileError, match=r"a\.xml cannot be read as XML"):
        find(path, "a.png")


# Tables


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,200,150,cup,20,30,100,90\n"),
        ("a.csv", "\ufefffilename;width;height;class;xmin;ymin;xmax;ymax\r\na.png;200;150;cup;20,0;30,0;100,0;90\r\n"),
        ("a.tsv", "image\tlabel\tx1\ty1\tx2\ty2\na.png\tcup\t20\t30\t100\t90\n"),
        ("a.txt", "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,200,150,cup,20,30,100,90\n"),
        ("a.csv", "x/a.png,20,30,100,90,cup\n"),
        ("a.csv", "b.png,,,,,\na.png,20,30,100,90,cup\n"),
        ("a.csv", "TRAIN,gs://bucket/x/a.png,cup,0.1,0.2,,,0.5,0.6,,\n"),
        ("a.csv", "UNASSIGNED,gs://bucket/a.png,cup,0.1,0.2,0.5,0.2,0.5,0.6,0.1,0.6\n"),
        ("a.csv", "gs://bucket/a.png,cup,0.1,0.2,,,0.5,0.6,,\n"),
        ("a.csv", "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf\na,x,cup,1,0.1,0.5,0.2,0.6,0\n"),
        ("a.csv", "filename,file_size,region_count,region_id,region_shape_attributes,region_attributes\n"
         'a.png,1,1,0,"{""name"":""rect"",""x"":20,""y"":30,""width"":80,""height"":60}","{""label"":""cup""}"\n'),
    ],
)  # fmt: skip
def test_tables_are_told_apart_by_their_first_row(tmp_path: Path, name: str, text: str) -> None:
    for place in ("a", "folder/a"):
        found = find(written((tmp_path / place).with_name(name), text), "a.png", folder=tmp_path)
        assert boxes(found) == [(1, "cup", BOX)]
        assert found.problems == []


def test_a_row_without_edges_is_a_picture_without_boxes(tmp_path: Path) -> None:
    text = "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,200,150,,,,,\n"
    found = find(written(tmp_path / "a.csv", text), "a.png")
    assert (boxes(found), found.problems, found.missing) == ([], [], [])


def test_the_size_in_a_table_is_checked(tmp_path: Path) -> None:
    text = "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,150,200,cup,20,30,100,90\n"
    found = find(written(tmp_path / "a.csv", text), "a.png")
    assert boxes(found) == []
    assert "says 150 x 200" in found.problems[0]


def test_a_score_in_a_table_is_kept(tmp_path: Path) -> None:
    found = find(
        written(tmp_path / "a.csv", "image,label,xmin,ymin,xmax,ymax,score\na.png,cup,20,30,100,90,.25\n"), "a.png"
    )
    assert scores(found) == [0.25]


def test_open_images_has_names_and_their_order_from_the_descriptions_beside(tmp_path: Path) -> None:
    written(tmp_path / "oidv7-class-descriptions-boxable.csv", "LabelName,DisplayName\n/m/1,Saucer\n/m/2,Cup\n")
    rows = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf\na,xclick,/m/2,1,0.1,0.5,0.2,0.6,1\n"
    found = find(written(tmp_path / "boxes.csv", rows), "a.png")
    assert boxes(found) == [(1, "Cup", BOX)]
    assert found.categories == ["Saucer", "Cup"]
    assert [entry.correction.origin.is_crowd for entry in found.boxes if entry.correction.origin] == [True]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a.png,200,150,cup,20,nan,100,90", "the line 3 has no box of numbers"),
        (f"a.png,200,150,cup,20,{'9' * 400},100,90", "the line 3 has no box of numbers"),
        (",200,150,cup,20,30,100,90", "the line 3 has no name of a picture"),
        ("a.png,200", ""),
        ("a.png,200,150,cup,20,30", "the line 3 has no box of numbers"),
    ],
)
def test_a_broken_row_is_counted_and_the_others_come(tmp_path: Path, row: str, told: str) -> None:
    header = "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,200,150,cup,20,30,100,90\n"
    found = find(written(tmp_path / "a.csv", f"{header}{row}\n"), "a.png")
    assert boxes(found) == [(1, "cup", BOX)]
    assert (told in found.problems[0]) if told else not found.problems


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b,c\n1,2,3\n", "is a table of no known format"),
        ("", "is a table of no known format"),
        ("filename,class,xmin,ymin,xmax,ymax\n" + '"' + "x" * 200_000, "cannot be read as a table"),
    ],
)
def test_a_table_that_is_none_of_them_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadFileError, match=f"a.csv {told}"):
        find(written(tmp_path / "a.csv", text), "a.png")


# Label Studio


RECTANGLE = {"x": 10, "y": 20, "width": 40, "height": 40, "rotation": 0, "rectanglelabels": ["cup"]}


def result(value: dict[str, Any], kind: str = "rectanglelabels", **more: object) -> dict[str, Any]:
    return {"id": "r", "type": kind, "original_width": 200, "original_height": 150, "value": value, **more}


def task(*results: object, image: str = "/data/upload/1/0a1b2c3d-a.png", **more: object) -> list[dict[str, Any]]:
    return [{"id": 1, "data": {"image": image}, "annotations": [{"result": list(results)}], **more}]


@pytest.mark.parametrize(
    "image",
    ["/data/upload/1/0a1b2c3d-a.png", "/data/local-files/?d=x/a.png", "s3://bucket/x/a.png", "a.png",
     "https://host/x/a.png?X-Amz-Signature=1/b.png"],
)  # fmt: skip
def test_label_studio_is_read_whatever_the_address_of_the_picture(tmp_path: Path, image: str) -> None:
    found = find(dumped(tmp_path / "p.json", task(result(RECTANGLE), image=image)), "a.png")
    assert boxes(found) == [(1, "cup", BOX)]
    assert found.problems == []


def test_a_rectangle_of_label_studio_is_turned_about_its_first_corner_in_pixels(tmp_path: Path) -> None:
    turned = RECTANGLE | {"x": 45, "y": 20 / 1.5, "width": 40, "height": 40, "rotation": 90}
    found = find(dumped(tmp_path / "p.json", task(result(turned))), "a.png")
    assert boxes(found) == [(1, "cup", Box(30, 20, 90, 100))]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("polygonlabels", {"points": [[10, 20], [50, 20], [50, 60]], "polygonlabels": ["cup"]}),
        ("ellipselabels", {"x": 30, "y": 40, "radiusX": 20, "radiusY": 20, "ellipselabels": ["cup"]}),
    ],
)
def test_other_shapes_of_label_studio_become_the_box_around_them(
    tmp_path: Path, kind: str, value: dict[str, Any]
) -> None:
    assert boxes(find(dumped(tmp_path / "p.json", task(result(value, kind))), "a.png")) == [(1, "cup", BOX)]


def test_a_label_of_its_own_belongs_to_the_region_of_its_id(tmp_path: Path) -> None:
    plain = {key: value for key, value in RECTANGLE.items() if key != "rectanglelabels"}
    parts = (result(plain, "rectangle"), result({**plain, "labels": ["cup"]}, "labels"))
    assert boxes(find(dumped(tmp_path / "p.json", task(*parts)), "a.png")) == [(1, "cup", BOX)]


def test_predictions_of_label_studio_come_only_without_annotations(tmp_path: Path) -> None:
    predictions = [{"score": 0.75, "result": [result(RECTANGLE)]}]
    empty = [{"data": {"image": "a.png"}, "annotations": [], "predictions": predictions}]
    found = find(dumped(tmp_path / "p.json", empty), "a.png")
    assert (boxes(found), scores(found)) == ([(1, "cup", BOX)], [0.75])
    checked = [{"data": {"image": "a.png"}, "annotations": [{"result": []}], "predictions": predictions}]
    assert boxes(find(dumped(tmp_path / "p.json", checked), "a.png")) == []


def test_of_several_annotations_of_a_task_the_newest_is_read_and_said(tmp_path: Path) -> None:
    old = {"result": [result(RECTANGLE | {"x": 30})], "created_at": "2024-01-01"}
    new = {"result": [result(RECTANGLE)], "created_at": "2025-01-01"}
    cancelled = {"result": [], "created_at": "2026-01-01", "was_cancelled": True}
    document = [{"data": {"image": "a.png"}, "annotations": [new, old, cancelled]}]
    found = find(dumped(tmp_path / "p.json", document), "a.png")
    assert boxes(found) == [(1, "cup", BOX)]
    assert "several annotations of one task" in found.notes[0]


def test_the_minimal_json_of_label_studio_is_read(tmp_path: Path) -> None:
    label = [RECTANGLE | {"original_width": 200, "original_height": 150}]
    entries = [{"image": "/data/upload/1/0a1b2c3d-a.png", "id": 1, "label": label, "annotator": 1}]
    assert boxes(find(dumped(tmp_path / "p.json", entries), "a.png")) == [(1, "cup", BOX)]


@pytest.mark.parametrize(
    "bad",
    [result(RECTANGLE | {"x": "n"}), result(RECTANGLE | {"width": -1}), result(RECTANGLE, original_width=None),
     result(RECTANGLE, image_rotation=90), result([])],  # type: ignore[arg-type]
)  # fmt: skip
def test_a_broken_region_of_label_studio_is_counted(tmp_path: Path, bad: dict[str, Any]) -> None:
    found = find(dumped(tmp_path / "p.json", task(bad | {"id": "bad"}, result(RECTANGLE))), "a.png")
    assert boxes(found) == [(1, "cup", BOX)]
    assert "the shape 1" in found.problems[0]


# VIA


def via(*shapes: dict[str, Any], attributes: object = None) -> dict[str, Any]:
    held = {"kind": "x", "label": "cup"} if attributes is None else attributes
    regions = [{"shape_attributes": shape, "region_attributes": held} for shape in shapes]
    return {"a.png123": {"filename": "a.png", "size": 123, "regions": regions, "file_attributes": {}}}


@pytest.mark.parametrize(
    "shape",
    [
        {"name": "rect", "x": 20, "y": 30, "width": 80, "height": 60},
        {"name": "ellipse", "cx": 60, "cy": 60, "rx": 40, "ry": 30},
        {"name": "ellipse", "cx": 60, "cy": 60, "rx": 30, "ry": 40, "theta": 1.5707963267948966},
        {"name": "polygon", "all_points_x": [20, 100, 100], "all_points_y": [30, 30, 90]},
    ],
)
def test_shapes_of_via_become_the_box_around_them(tmp_path: Path, shape: dict[str, Any]) -> None:
    for document in (via(shape), {"_via_settings": {}, "_via_img_metadata": via(shape)}):
        found = find(dumped(tmp_path / "via.json", document), "a.png")
        assert boxes(found) == [(1, "cup", BOX)]
        assert "attribute label" in found.notes[0]


def test_a_circle_and_check_boxes_of_via_1(tmp_path: Path) -> None:
    document = via({"name": "circle", "cx": 60, "cy": 60, "r": 30}, attributes={"what": {"mug": False, "cup": True}})
    document["a.png123"]["regions"] = {"0": document["a.png123"]["regions"][0]}
    found = find(dumped(tmp_path / "via.json", document), "a.png")
    assert boxes(found) == [(1, "cup", Box(30, 30, 90, 90))]
    assert found.notes == []


def test_options_of_via_are_the_categories_in_their_order(tmp_path: Path) -> None:
    listed = {"region": {"label": {"type": "dropdown", "options": {"saucer": "", "cup": ""}}}}
    document = {"_via_settings": {}, "_via_img_metadata": via(), "_via_attributes": listed}
    assert find(dumped(tmp_path / "via.json", document), "a.png").categories == ["saucer", "cup"]


@pytest.mark.parametrize("shape", [{}, {"name": "rect", "x": None}, {"name": "polygon", "all_points_x": [1]}, []])
def test_a_broken_region_of_via_is_counted(tmp_path: Path, shape: dict[str, Any]) -> None:
    good = {"name": "rect", "x": 20, "y": 30, "width": 80, "height": 60}
    found = find(dumped(tmp_path / "via.json", via(shape, good)), "a.png")
    assert boxes(found) == [(1, "cup", BOX)]
    assert "the shape 1 has no box of numbers" in found.problems[0]


# CreateML, Datumaro, Supervisely, KITTI


CENTER = {"x": 60, "y": 60, "width": 80, "height": 60}


@pytest.mark.parametrize("key", ["image", "imagefilename"])
def test_createml_has_the_centers_of_boxes(tmp_path: Path, key: str) -> None:
    entries = [
        {key: "b.png", "annotations": []},
        {key: "a.png", "annotations": [{"label": "cup", "coordinates": CENTER}]},
    ]
    found = find(dumped(tmp_path / "c.json", entries), "a.png", "b.png")
    assert (boxes(found), found.problems, found.missing) == ([(1, "cup", BOX)], [], [])


@pytest.mark.parametrize("note", [None, {"label": "cup"}, {"label": "cup", "coordinates": CENTER | {"x": "nan"}}])
def test_a_broken_note_of_createml_is_counted(tmp_path: Path, note: object) -> None:
    entries = [{"image": "a.png", "annotations": [{"label": "cup", "coordinates": CENTER}, note]}]
    found = find(dumped(tmp_path / "c.json", entries), "a.png")
    assert boxes(found) == [(1, "cup", BOX)]
    assert "the shape 2" in found.problems[0]


def test_datumaro_has_labels_in_their_order(tmp_path: Path) -> None:
    labels = {"label": {"labels": [{"name": "saucer"}, {"name": "cup"}]}}
    notes = [
        {"type": "bbox", "label_id": 1, "bbox": [20, 30, 80, 60]},
        {"type": "polygon", "label_id": 1, "points": [20, 30, 100, 30, 100, 90]},
        {"type": "caption", "caption": "x"},
        {"type": "bbox", "label_id": "x", "bbox": ["x"]},
    ]
    item = {"id": "a", "annotations": notes, "image": {"path": "a.png", "size": [150, 200]}}
    found = find(dumped(tmp_path / "d.json", {"info": {}, "categories": labels, "items": [item, 3]}), "a.png")
    assert boxes(found) == [(1, "cup", BOX)] * 2
    assert found.categories == ["saucer", "cup"]
    assert len(found.problems) == 2 and "caption" in found.notes[0]


def test_supervisely_has_a_file_for_each_picture(tmp_path: Path) -> None:
    shape = {"classTitle": "cup", "geometryType": "rectangle", "points": {"exterior": [[20, 30], [100, 90]]}}
    document = {"size": {"width": 200, "height": 150}, "objects": [shape, {"geometryType": "bitmap"}, 3]}
    for name in ("a.png.json", "b.png.json"):
        dumped(tmp_path / "ann" / name, document)
    dumped(tmp_path / "meta.json", {"classes": []})
    found = find(tmp_path, "a.png", "b.png")
    assert boxes(found) == [(1, "cup", BOX), (2, "cup", BOX)]
    assert "bitmap" in found.notes[0] and "the object 3" in found.problems[0]


KITTI = "cup 0.00 0 -1.5 20 30 100 90 1 1 1 0 0 0 0"


@pytest.mark.parametrize("score", ["", " 0.5"])
def test_kitti_is_told_from_yolo_by_its_first_line(tmp_path: Path, score: str) -> None:
    ignored = "DontCare -1 -1 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10"
    path = written(tmp_path / "set" / "training" / "label_2" / "a.txt", f"{KITTI}{score}\n{ignored}\nbroken 1\n")
    written(tmp_path / "set" / "training" / "label_2" / "b.txt", "")
    for chosen in (path, tmp_path / "set"):
        found = find(chosen, "training/image_2/a.png", "testing/image_2/a.png", folder=tmp_path / "set")
        assert boxes(found) == [(1, "cup", BOX)]
        assert scores(found) == [float(score or 0)]
        assert "DontCare" in found.notes[0] and "the line 3" in found.problems[0]


# Folders


def coco(name: str = "a.png") -> dict[str, Any]:
    note = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [20, 30, 80, 60]}
    return {"images": [{"id": 1, "file_name": name}], "annotations": [note], "categories": [{"id": 1, "name": "cup"}]}


def test_of_two_formats_in_a_folder_one_is_read_and_the_other_is_named(tmp_path: Path) -> None:
    edges = "<bndbox><xmin>0</xmin><ymin>30</ymin><xmax>100</xmax><ymax>90</ymax></bndbox>"
    written(tmp_path / "x" / "a.xml", f"<annotation><object><name>cup</name>{edges}</object></annotation>")
    written(tmp_path / "x" / "a.txt", "0 0.3 0.4 0.4 0.4")
    written(tmp_path / "x" / "classes.txt", "cup")
    dumped(tmp_path / "x" / "coco.json", coco())
    written(tmp_path / "x" / "boxes.csv", "a.png,20,30,100,90,cup\n")
    found = find(tmp_path / "x", "a.png", folder=tmp_path)
    assert len(boxes(found)) == 1
    for title, name in (("YOLO", "classes.txt"), ("COCO", "coco.json"), ("RetinaNet", "boxes.csv")):
        (note,) = (note for note in found.notes if f"of {title}:" in note)
        assert f"of Pascal VOC and of {title}: those of Pascal VOC were read" in note and name in note
        assert boxes(find(tmp_path / "x" / name, "a.png", folder=tmp_path)) == [(1, "cup", BOX)]


def test_of_two_formats_of_json_one_is_read_and_the_other_is_named(tmp_path: Path) -> None:
    dumped(tmp_path / "x" / "coco.json", coco())
    dumped(tmp_path / "x" / "tasks.json", task(result(RECTANGLE), image="a.png"))
    found = find(tmp_path / "x", "a.png", folder=tmp_path)
    assert boxes(found) == [(1, "cup", BOX)]
    assert "of COCO and of Label Studio" in found.notes[0]


def test_stray_files_of_other_programs_are_no_defects(tmp_path: Path) -> None:
    written(tmp_path / "x" / "boxes.csv", "a.png,20,30,100,90,cup\n")
    written(tmp_path / "x" / "README.txt", "Photos of cups")
    written(tmp_path / "x" / "log.csv", "epoch,loss\n1,2\n")
    written(tmp_path / "x" / "project.xml", "<module/>")
    dumped(tmp_path / "x" / "package.json", {"name": "x"})
    found = find(tmp_path / "x", "a.png", folder=tmp_path)
    assert boxes(found) == [(1, "cup", BOX)]
    assert (found.problems, found.notes) == ([], [])


@pytest.mark.parametrize("name", ["a.xml", "a.json", "a.txt", "a.csv", "a.tsv", "a"])
def test_content_decides_and_not_the_suffix(tmp_path: Path, name: str) -> None:
    shape = '<box label="cup" xtl="20" ytl="30" xbr="100" ybr="90"/>'
    for content in (cvat(shape), json.dumps(coco()), "a.png,20,30,100,90,cup\n"):
        assert boxes(find(written(tmp_path / name, content), "a.png")) == [(1, "cup", BOX)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"name": 1}', "is JSON of no known format"),
        ("[]", "is JSON of no known format"),
        ("[[[]]]", "is JSON of no known format"),
        ("<svg/>", "is XML or HTML with the outermost tag <svg>"),
        ("<annotations/>", "is XML or HTML with the outermost tag <annotations>"),
    ],
)
def test_what_has_no_format_is_named_with_the_formats_that_are_read(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadFileError, match=told) as error:
        find(written(tmp_path / "a.json", text), "a.png")
    assert "Label Studio" in str(error.value)
