"""Tables of many programs: other names of columns, other delimiters, sizes in place of corners, fractions."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import BadFileError
from core.geometry import Box
from tests.core.formats.written import find, written

BOX = Box(10, 20, 60, 80)
HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax\n"


@pytest.mark.parametrize(
    "table",
    [
        HEADER.replace(",", "|") + "a.png|200|150|cup|10|20|60|80\n",
        ",filename,class,xmin,ymin,xmax,ymax\n0,a.png,cup,10,20,60,80\n",
        "sep=;\r\nfilename;class;xmin;ymin;xmax;ymax\r\na.png;cup;10,0;20,0;60,0;80,0\r\n",
        "sep=\t\nfilename\tclass\txmin\tymin\txmax\tymax\na.png\tcup\t10\t20\t60\t80\n",
        "Image Name, Class Name, X Min, Y Min, X Max, Y Max\na.png, cup, 10, 20, 60, 80\n",
        "image,label,left,top,right,bottom\na.png,cup,10,20,60,80\n",
        "image,label,left,top,width,height\na.png,cup,10,20,50,60\n",
        "filename,label,x,y,width,height\na.png,cup,10,20,50,60\n",
        "file_path,category_name,x_center,y_center,w,h\na.png,cup,35,50,50,60\n",
        "label_name,bbox_x,bbox_y,bbox_width,bbox_height,image_name,image_width,image_height\n"
        "cup,10,20,50,60,a.png,200,150\n",
        "cup,10,20,50,60,a.png,200,150\n",
        'image_id,width,height,bbox,label\na,200,150,"[10.0, 20.0, 50.0, 60.0]",cup\n',
        'img;bbox;name\na.png;"(10; 20; 50; 60)";cup\n',
        "filename,class,xmin,ymin,xmax,ymax\na.png,cup,0.05,0.13333333,0.3,0.53333333\n",
        "a.png,0.05,0.13333333,0.3,0.53333333,cup\n",
    ],
)
def test_tables_of_many_kinds(table: str, tmp_path: Path) -> None:
    found = find(written(tmp_path / "a.csv", table), "a.png")
    assert found.problems == []
    ((name, category, box),) = [("a.png", entry.category, entry.correction.accepted) for entry in found.boxes]
    assert (name, category) == ("a.png", "cup")
    assert max(abs(a - b) for a, b in zip(box, BOX, strict=True)) < 0.01


def test_what_is_assumed_about_columns_is_stated(tmp_path: Path) -> None:
    found = find(written(tmp_path / "a.csv", "image,x,y,w,h\na.png,10,20,50,60\n"), "a.png")
    assert [entry.category for entry in found.boxes] == ["object"]
    assert len(found.notes) == 2
    assert "class" in found.notes[0] and "x, y, w, h" in found.notes[1]
    fractions = find(written(tmp_path / "b.csv", HEADER + "a.png,200,150,cup,0,0,1,1\n"), "a.png")
    assert fractions.boxes[0].correction.accepted == Box(0, 0, 200, 150)
    assert "fractions" in fractions.notes[0]


def test_one_box_beyond_the_first_pixel_shows_that_numbers_are_pixels(tmp_path: Path) -> None:
    rows = "a.png,200,150,cup,0,0,1,1\na.png,200,150,cup,10,20,60,80\n"
    found = find(written(tmp_path / "a.csv", HEADER + rows), "a.png")
    assert [entry.correction.accepted for entry in found.boxes] == [Box(0, 0, 1, 1), BOX]


@pytest.mark.parametrize("cell", ["", '"[1, 2, 3]"', '"[1, 2, -3, 4]"', '"a b c d"', "[]"])
def test_a_list_that_is_no_box_is_counted(cell: str, tmp_path: Path) -> None:
    rows = f'image,bbox,label\na.png,{cell},cup\na.png,"[10 20 50 60]",cup\n'
    found = find(written(tmp_path / "a.csv", rows), "a.png")
    assert [entry.correction.accepted for entry in found.boxes] == [BOX]
    assert len(found.problems) == (0 if cell in ("", "[]") else 1)


def test_a_table_without_edges_is_of_no_known_format(tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match="of no known format"):
        find(written(tmp_path / "a.csv", "filename,class,xmin,ymin\na.png,cup,10,20\n"), "a.png")
