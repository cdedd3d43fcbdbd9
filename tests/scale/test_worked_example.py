"""The page "Beyond one machine": its commands, from bucket to labelled laptop, and its examples run as they stand."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.object_store.address import Address
from core.object_store.folder import ObjectFolder
from core.sample_project import sample_pictures
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.core.command_line import Batch, Verb
from tests.scale.conftest import OF_RAY_WARNINGS

pytestmark = [pytest.mark.slow, *OF_RAY_WARNINGS]
PAGE = Path(__file__).resolve().parents[2] / "resources" / "docs" / "beyond-one-machine.md"


def commands() -> list[list[str]]:
    """The commands of the worked example, in order."""
    text = PAGE.read_text("utf-8")
    section = text[text.index("## From bucket") : text.index("## Engine")]
    lines = "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL)).splitlines()
    return [shlex.split(line)[1:] for line in lines if line]


def example(name: str) -> str:
    [found] = re.findall(rf"<!-- example: {name} -->\n```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return str(found)


def test_from_bucket_to_labelled_laptop(
    ray_here: Any, verb: Verb, batch: Batch, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = batch.boxes.parent
    monkeypatch.chdir(place)
    for path in batch.images.iterdir():
        ObjectFolder(Address(f"{bucket}/pictures")).write(path.name, path.read_bytes())
    (place / "harbour").mkdir()
    said = {}
    for number, command in enumerate(commands()):
        if number == 2:  # the laptop has pictures, and a cache of its own
            shutil.copytree(batch.images, "pictures")
            shutil.copytree(batch.images, "harbour", dirs_exist_ok=True)
            ProjectStore.create(place / "harbour" / PROJECT_FILE_NAME).close()
        words = [word.replace("s3://harbour", bucket) for word in command]
        own = ["--cache", str(place / ("laptop" if number >= 2 else "server"))] if "--shared-cache" in words else []
        done = verb(*words, *own)
        assert done.code == 0, (words, done.sentences)
        said[number, words[0]] = done.summary
    assert said[0, "encode"]["encoded"] == 2 and said[1, "refine"]["boxes"] == 7
    assert said[1, "refine"]["unrefined"] == 0 and said[1, "refine"]["cache_misses"] == 0
    laptop = said[2, "encode"]
    assert (laptop["encoded"], laptop["cached"]) == (0, 2), "the laptop encodes nothing"
    assert said[4, "export"]["boxes"] == 7 and (place / "export").is_dir()


def test_the_examples_for_pipelines_run(
    ray_here: Any, s3_server: str, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pd = pytest.importorskip("pandas")
    coffee = next(path for path in sample_pictures() if path.stem == "coffee")
    (tmp_path / "pictures").mkdir()
    shutil.copy(coffee, tmp_path / "pictures/coffee.png")
    exec(compile(example("ray").replace("pictures/", f"{tmp_path}/pictures/"), "ray example", "exec"), {})
    printed = capsys.readouterr().out.split(" done ")
    assert printed[0].endswith("coffee.png") and len(json.loads(printed[1])) == 4

    class Frames:
        """Stands for a Spark data frame of two partitions."""

        def mapInPandas(self, function: Any, schema: str) -> Any:  # noqa: N802 - Spark's name
            path = str(tmp_path / "pictures/coffee.png")
            found = pd.concat(function(pd.DataFrame({"number": [n], "picture": [path]}) for n in range(2)))
            assert [entry.split()[0] for entry in schema.split(", ")] == list(found.columns)
            return found

    names: dict[str, Any] = {}
    exec(compile(example("spark").replace("s3://harbour", bucket), "spark example", "exec"), names)
    assert list(names["encode"](Frames())["state"]) == ["encoded", "cached"]
