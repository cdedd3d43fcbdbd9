"""Honest files of other labelling programs, which fuzzing then damages."""

from __future__ import annotations

import json

Seeds = list[bytes]


def program_documents() -> list[object]:
    """A JSON document of each format that is a list of entries."""
    rectangle = {"x": 10, "y": 20.5, "width": 40, "height": 40, "rotation": 15, "rectanglelabels": ["cup"]}
    polygon = {"points": [[10, 20], [50, 20], [50, 60]], "polygonlabels": ["cup"]}
    size = {"original_width": 60, "original_height": 40, "image_rotation": 0}
    results = [
        {"id": "r", "type": "rectanglelabels", "value": rectangle} | size,
        {"id": "p", "type": "polygonlabels", "value": polygon, "score": 0.5} | size,
        {"id": "e", "type": "ellipse", "value": {"x": 50, "y": 50, "radiusX": 9, "radiusY": 9}} | size,
        {"id": "e", "type": "labels", "value": {"labels": ["ring"]}} | size,
        {"id": "b", "type": "brushlabels", "value": {"rle": [1, 2]}} | size,
    ]
    note = {"result": results, "created_at": "2025-01-01", "ground_truth": True, "was_cancelled": False}
    shapes = [
        {"name": "rect", "x": 5, "y": 6, "width": 20, "height": 21},
        {"name": "ellipse", "cx": 20, "cy": 20, "rx": 9, "ry": 5, "theta": 0.5},
        {"name": "circle", "cx": 20, "cy": 20, "r": 5},
        {"name": "polygon", "all_points_x": [1, 20, 20], "all_points_y": [1, 1, 20]},
    ]
    regions = [
        {"shape_attributes": shape, "region_attributes": {"label": "cup", "kind": {"a": True}}} for shape in shapes
    ]
    files = {"a.png1": {"filename": "a.png", "size": 1, "regions": regions, "file_attributes": {}}}
    options = {"region": {"label": {"type": "dropdown", "options": {"cup": "", "saucer": ""}}}}
    center = {"x": 20, "y": 20, "width": 10, "height": 12}
    notes = [
        {"type": "bbox", "label_id": 0, "bbox": [5, 6, 20, 21], "attributes": {"score": 0.5}},
        {"type": "polygon", "label_id": 0, "points": [1, 1, 20, 1, 20, 20]},
        {"type": "ellipse", "label_id": 0, "points": [1, 1, 20, 20]},
    ]
    item = {"id": "a", "annotations": notes, "image": {"path": "a.png", "size": [40, 60]}}
    thing = {"classTitle": "cup", "geometryType": "polygon", "points": {"exterior": [[1, 1], [20, 1], [20, 20]]}}
    return [
        [{"id": 1, "data": {"image": "/data/upload/0a1b2c3d-a.png"}, "annotations": [note], "predictions": [note]}],
        [{"image": "a.png", "annotator": 1, "label": [rectangle | size]}],
        {"_via_settings": {}, "_via_img_metadata": files, "_via_attributes": options},
        files,
        [{"image": "a.png", "annotations": [{"label": "cup", "coordinates": center}]}],
        {"info": {}, "categories": {"label": {"labels": [{"name": "cup"}]}}, "items": [item]},
        {"size": {"width": 60, "height": 40}, "objects": [thing]},
        [{"image_id": "a", "category_id": 1, "bbox": [5, 6, 20, 21], "score": 0.5}],
    ]


def programs() -> Seeds:
    return [json.dumps(document).encode() for document in program_documents()]


def cvat() -> Seeds:
    """Images and tracks."""
    meta = "<meta><task><labels><label><name>cup</name></label></labels><source>v.mp4</source></task></meta>"
    shapes = (
        '<box label="cup" xtl="5" ytl="6" xbr="20" ybr="30" rotation="30"/>'
        '<polygon label="cup" points="1,1;20,1;20,20"/>'
        '<ellipse label="cup" cx="20" cy="20" rx="9" ry="5"/><mask label="cup" left="1" top="2" width="9" height="8"/>'
        '<skeleton label="cup"><points label="a" points="1,1"/><points label="b" points="9,9"/></skeleton>'
    )
    image = f'<image id="0" name="a.png" width="60" height="40" subset="train">{shapes}</image>'
    frames = "".join(f'<box frame="{n}" outside="0" xtl="5" ytl="6" xbr="20" ybr="30"/>' for n in (0, 1, 7))
    track = f'<track id="0" label="cup">{frames}</track>'
    return [f"<annotations>{meta}{entry}</annotations>".encode() for entry in (image, track)]


def tables() -> Seeds:
    """A table of each format."""
    shape = '"{""name"":""rect"",""x"":5,""y"":6,""width"":20,""height"":21}"'
    return [
        b"filename,width,height,class,xmin,ymin,xmax,ymax\na.png,60,40,cup,5,6,20,30\na.png,60,40,,,,,\n",
        "\ufefffilename;class;xmin;ymin;xmax;ymax;score\r\na.png;M\u00f6we;5,5;6;20;30;0,5\r\n".encode(),
        b"a.png,5,6,20,30,cup\nb.png,,,,,\n",
        b"TRAIN,gs://x/a.png,cup,0.1,0.2,,,0.5,0.6,,\nTEST,gs://x/a.png,cup,0.1,0.2,0.5,0.2,0.5,0.6,0.1,0.6\n",
        b"ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf\na,x,/m/1,1,0.1,0.5,0.2,0.6,1\n",
        f'filename,region_count,region_shape_attributes,region_attributes\na.png,1,{shape},"{{""label"":""cup""}}"\n'.encode(),
    ]


def kitti() -> Seeds:
    line = b"cup 0.00 0 -1.5 5 6 20 30 1 1 1 0 0 0 0"
    return [line + b"\nDontCare -1 -1 -10 1 2 3 4 -1 -1 -1 -1 -1 -1 -1\n" + line + b" 0.5\n"]
