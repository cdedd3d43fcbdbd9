"""Formats of other labelling programs: CVAT, tables of boxes and Label Studio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import BadFileError
from core.geometry import Box
from tests.core.formats.written import (
    BOX,
    LABELS,
    RECTANGLE,
    TURNED,
    boxes,
    cvat,
    dumped,
    find,
    result,
    scores,
    task,
    written,
)

# CVAT


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
