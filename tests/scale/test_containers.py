"""The files for containers: linted, and their commands are commands of this version."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.cli.parser import build_parser

CONTAINERS = Path(__file__).resolve().parents[2] / "resources" / "containers"
CONTAINERFILE = CONTAINERS / "Containerfile"


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((CONTAINERS / name).read_text("utf-8")))


def test_hadolint_finds_nothing_in_the_containerfile() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.is_file():
        pytest.skip("hadolint comes with the group scale")
    done = subprocess.run([hadolint, CONTAINERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_images_start_the_verbs() -> None:
    """Without a registry no image is built; what its last lines start runs here."""
    text = CONTAINERFILE.read_text("utf-8")
    stages = re.findall(r"^FROM .* AS (\w+)$", text, re.MULTILINE)
    assert stages == ["base", "cpu", "cuda"]
    starts = [json.loads(found) for found in re.findall(r"^ENTRYPOINT (.*)$", text, re.MULTILINE)]
    shown = [json.loads(found) for found in re.findall(r"^CMD (.*)$", text, re.MULTILINE)]
    assert starts == [["boxrefine"]] * 2 and shown == [["version"]] * 2
    done = subprocess.run([sys.executable, "-m", "boxrefine_gui", *shown[0]], capture_output=True, check=False)
    assert done.returncode == 0 and json.loads(done.stdout.splitlines()[-1])["boxrefine"]


def test_the_extras_of_the_images_exist() -> None:
    import tomllib

    project = tomllib.loads((CONTAINERS.parents[1] / "pyproject.toml").read_text("utf-8"))
    extras = set(re.findall(r"ARG EXTRAS=(.*)", CONTAINERFILE.read_text("utf-8")))
    assert len(extras) == 1
    assert set(extras.pop().split(",")) <= set(project["project"]["optional-dependencies"])


def test_ray_accepts_the_cluster() -> None:
    ray = pytest.importorskip("ray")
    jsonschema = pytest.importorskip("jsonschema")
    [cluster] = documents("ray-cluster.yaml")
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text("utf-8"))
    jsonschema.validate(cluster, schema)
    assert cluster["head_node_type"] in cluster["available_node_types"]
    most = sum(kind.get("max_workers", 0) for kind in cluster["available_node_types"].values())
    assert most <= cluster["max_workers"]


def test_kubernetes_accepts_the_job() -> None:
    validate = pytest.importorskip("kubernetes_validate").validate
    for document in documents("kubernetes-job.yaml"):
        validate(document, "1.30", strict=True)


def test_commands_of_the_files_are_verbs_of_this_version() -> None:
    account, job = documents("kubernetes-job.yaml")
    pod = job["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == account["metadata"]["name"]
    [container] = pod["containers"]
    options = build_parser().parse_args(container["args"])
    assert (options.engine, options.address) == ("ray", None)
    named = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == named
    assert str(options.cache) in {mount["mountPath"] for mount in container["volumeMounts"]}
    images = re.findall(r"-t (boxrefine:\w+)", CONTAINERFILE.read_text("utf-8"))
    [cluster] = documents("ray-cluster.yaml")
    assert {container["image"], cluster["docker"]["image"]} <= {f"registry.example/{image}" for image in images}
