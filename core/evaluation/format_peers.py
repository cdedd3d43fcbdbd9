"""The same imports and exports by other programs, each in an environment of its own.

Run as a program there, by `measure_by_uv`; so it needs nothing but Python and the program that it measures.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from core.evaluation.peak_memory import peak_megabytes

ROOT = Path(__file__).parents[2]


def measure_datumaro(format: str, labels: Path, out: Path) -> dict[str, float]:
    """Read labels by datumaro, with all their boxes, in seconds, and write them to `out` in the same format."""
    from datumaro import Dataset  # type: ignore[import-not-found]

    if format != "coco":
        raise ValueError(f"datumaro needs pictures for {format}")
    whole = out.with_name(f"{out.name}-in")  # datumaro goes by the names of the folders
    (whole / "images").mkdir(parents=True)
    (whole / "annotations").mkdir()
    shutil.copy(labels, whole / "annotations" / "instances_all.json")
    start, worked = time.perf_counter(), time.process_time()
    dataset = Dataset.import_from(str(whole), "coco_instances")
    boxes = sum(len(item.annotations) for item in dataset)
    read = time.perf_counter()
    figures = {
        "boxes": boxes,
        "import": read - start,
        "cpu": time.process_time() - worked,
        "import MB": peak_megabytes(),
    }
    worked = time.process_time()
    dataset.export(str(out), "coco_instances", save_media=False)
    return {
        **figures,
        "export": time.perf_counter() - read,
        "export cpu": time.process_time() - worked,
        "export MB": peak_megabytes(),
    }


def measure_supervision(format: str, labels: Path, out: Path) -> dict[str, float]:
    """Read labels by supervision, in seconds; it reads the pictures of other formats than COCO, and to export."""
    from supervision import DetectionDataset  # type: ignore[import-not-found]

    del out
    if format != "coco":
        raise ValueError(f"supervision needs pictures for {format}")
    start, worked = time.perf_counter(), time.process_time()
    dataset = DetectionDataset.from_coco(str(labels.parent), str(labels))
    boxes = sum(len(found) for found in dataset.annotations.values())
    return {
        "boxes": boxes,
        "import": time.perf_counter() - start,
        "cpu": time.process_time() - worked,
        "import MB": peak_megabytes(),
    }


PEERS: dict[str, tuple[Callable[[str, Path, Path], dict[str, float]], tuple[str, ...]]] = {
    "datumaro": (measure_datumaro, ("coco",)),
    "supervision": (measure_supervision, ("coco",)),
}
"""Other programs that read labels without their pictures, and the formats that they do it for."""


def peers_of(format: str) -> list[str]:
    """The peers that read this format without pictures."""
    return [name for name, (_, formats) in PEERS.items() if format in formats]


def installed_peers(format: str) -> list[str]:
    """Those of them that are installed in this environment."""
    return [name for name in peers_of(format) if find_spec(name) is not None]


def measure_by_uv(name: str, format: str, labels: Path, out: Path) -> dict[str, float]:
    """The figures of a peer that uv installs for this run, in an environment of its own.

    Raises RuntimeError with the last line of its output if uv, the network or the peer does not work.
    """
    program = shutil.which("uv")
    if program is None:
        raise RuntimeError("uv is not installed")
    words = ["run", "--no-project", "--python", sys.executable, "--with", name, "python", "-m", __spec__.name]
    done = subprocess.run(
        [program, *words, name, format, str(labels.absolute()), str(out.absolute())],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    figures: dict[str, float] = json.loads(lines[-1])
    return figures


def main() -> None:
    """Write the figures of one peer as a JSON line: name, format, labels and folder of the export are the arguments."""
    name, format, labels, out = sys.argv[1:]
    figures = PEERS[name][0](format, Path(labels), Path(out))
    sys.stdout.write(f"\n{json.dumps(figures)}\n")


if __name__ == "__main__":
    main()
