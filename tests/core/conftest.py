"""A project on a real file and an HQ-SAM at random weights, for the tests of core."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.cli import main
from core.geometry import Frame
from core.store.project_store import ProjectStore
from tests.core.command_line import Batch, Said, Verb, save_untrained
from tests.core.projects import fill

if TYPE_CHECKING:
    from core.encoders.hq_sam.encoder import HqSamEncoder
    from core.encoders.image_features import ImageFeatures


@pytest.fixture
def project_path(tmp_path: Path) -> Path:
    """A project file's place in a folder with a space and letters that are no ASCII."""
    return tmp_path / "bilder 写真" / "boxrefine.sqlite"


@pytest.fixture
def store(project_path: Path) -> Iterator[ProjectStore]:
    """A new project with two images (ids 1 and 2) and two categories (cat 1, dog 2)."""
    store = ProjectStore.create(project_path)
    fill(store)
    yield store
    store.close()


@pytest.fixture(scope="session")
def hq_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random vit_tiny weights as a .pth of the official key layout."""
    from tests.core.hq_weights import save_vit_tiny  # here, so that the tests of the store need not wait for torch

    return save_vit_tiny(tmp_path_factory.mktemp("weights") / "random_vit_tiny.pth")


@pytest.fixture(scope="session")
def hq_encoder(hq_weights: Path) -> HqSamEncoder:
    """The encoder with those weights, on the CPU."""
    import torch

    from core.encoders.hq_sam.encoder import load_hq_sam

    return load_hq_sam("vit_tiny", hq_weights, torch.device("cpu"))


@pytest.fixture(scope="session")
def hq_features(hq_encoder: HqSamEncoder) -> ImageFeatures:
    """Its features of a picture of 457x301 pixels; encoded once, as that takes seconds."""
    from tests.core.hq_weights import shapes_picture

    return hq_encoder.encode(shapes_picture(width=457, height=301), Frame.whole(width=457, height=301))


@pytest.fixture(scope="session")
def hq_refiner(tmp_path_factory: pytest.TempPathFactory, hq_encoder: HqSamEncoder) -> Path:
    """A learned refiner for that encoder, at random weights."""
    import torch

    from core.refiner.checkpoint import RefinerCard, save_refiner
    from core.refiner.network import RefinerNetwork

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("hq-refiner")
    save_refiner(folder, RefinerNetwork().state_dict(), RefinerCard(encoder=hq_encoder.identity))
    return folder


@pytest.fixture
def verb(capsys: pytest.CaptureFixture[str]) -> Verb:
    """Runs a headless verb and gives what it said."""

    def run(*arguments: object) -> Said:
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        last = out.splitlines()[-1] if out else "{}"
        return Said(code, json.loads(last), out, err.splitlines())

    return run


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a light encoder and a refiner at random weights: all that a test of the plumbing needs."""
    return save_untrained(tmp_path_factory.mktemp("untrained"))


@pytest.fixture
def models(untrained: Path) -> list[str]:
    """Options that choose the untrained models on the CPU."""
    return ["--encoder", str(untrained / "encoder.safetensors"), "--refiner", str(untrained), "--device", "cpu"]


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    """Two pictures and their drawn boxes."""
    return Batch.make(tmp_path)
