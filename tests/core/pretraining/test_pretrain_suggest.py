"""Training of the suggestion network: episodes, a few steps on a CPU, and its files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.encoders.weights.files import sha256_of
from core.errors import BadWeightsError
from core.pretraining.cutouts import Cutouts
from core.pretraining.episodes import EpisodeMaker, Episodes
from core.pretraining.pool import Pool, load_pool
from core.pretraining.pretrain_suggest import ENCODER_FILE, train_suggester
from core.pretraining.suggest_config import SuggestConfig
from core.progress import run
from core.resources import RESOURCES
from core.suggest.weights import WEIGHTS_FILE, load_suggest_network, read_suggest_card
from core.training.config_file import read_config
from core.training.run_files import LOG_FILE
from tests.core.pools import save_pool

pytestmark = [pytest.mark.slow, pytest.mark.long]

ENCODER = RESOURCES / "weights" / "light"
SMALL = SuggestConfig(steps=2, episodes=2, pictures=3, report_every=1, save_every=1, cutout_share=0.5, held_out=0.0)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    return run(load_pool(save_pool(tmp_path_factory.mktemp("pool")), side=256, held_out=0.0))


@pytest.fixture(scope="module")
def cutouts() -> Cutouts:
    """Two opaque things, a red and a blue one."""
    looks = torch.zeros(2, 4, 160, 160, dtype=torch.uint8)
    looks[0, 0], looks[1, 2], looks[:, 3] = 255, 255, 255
    return Cutouts(looks, torch.tensor([1.0, 2.0]))


def make(pool: Pool, cutouts: Cutouts, **changes: float) -> Episodes:
    config = replace(SMALL, episodes=8, **changes)  # type: ignore[arg-type]
    return EpisodeMaker(pool, cutouts, config).make(torch.Generator().manual_seed(0))


def test_examples_are_wanted_boxes_and_queries_remain(pool: Pool, cutouts: Cutouts) -> None:
    found = make(pool, cutouts)
    assert not (found.shown & ~found.wanted).any()
    assert not (found.wanted & (found.others | found.vague)).any()
    shown = found.shown.view(8, 3, -1).any(dim=2)
    assert (~shown).any(dim=1).all()
    done = found.done.view(8, 3)
    # In a picture that is done, all that is wanted is shown.
    assert (found.shown == found.wanted)[found.done].all()
    assert done.any()
    assert not done.all(dim=1).any()


def test_in_some_episodes_one_picture_has_the_only_examples(pool: Pool, cutouts: Cutouts) -> None:
    found = make(pool, cutouts, same_picture_share=1.0)
    assert not found.done.any()
    assert not found.shown.view(8, 3, -1)[:, 1:].any()


def test_pasted_things_of_an_episode_are_wanted_and_others_are_not(pool: Pool, cutouts: Cutouts) -> None:
    found = make(pool, cutouts, cutout_share=1.0, pastes=8)
    pictures = found.pictures * 0.5 + 0.5
    wanted, others = [], []
    for frame, row in found.wanted.nonzero().tolist():
        wanted.append((frame // 3, _color(pictures[frame], found.boxes[frame, row])))
    for frame, row in found.others.nonzero().tolist():
        others.append((frame // 3, _color(pictures[frame], found.boxes[frame, row])))
    assert len(wanted) > 10
    assert len(others) > 3
    # A box holds the one or the other, whatever recoloring made of it: flat where the background is noise.
    assert sum(spread < 0.12 for _, spread in [*wanted, *others]) > 0.8 * len([*wanted, *others])


def _color(picture: torch.Tensor, box: torch.Tensor) -> float:
    """How much the middle of a box varies."""
    x1, y1, x2, y2 = (int(value / 2) for value in box)
    middle = picture[:, (2 * y1 + y2) // 3 : (y1 + 2 * y2) // 3 + 1, (2 * x1 + x2) // 3 : (x1 + 2 * x2) // 3 + 1]
    return float(middle.std(dim=(1, 2), unbiased=False).max())


def test_episodes_can_be_repeated(pool: Pool, cutouts: Cutouts) -> None:
    first, second = make(pool, cutouts), make(pool, cutouts)
    assert torch.equal(first.boxes, second.boxes)
    assert torch.equal(first.pictures, second.pictures)


@pytest.mark.parametrize("trunk", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_few_steps_leave_weights_a_card_and_a_log(pool: Pool, cutouts: Cutouts, tmp_path: Path, trunk: bool) -> None:
    config = replace(SMALL, trunk=trunk)
    done = run(train_suggester(config, pool, cutouts, tmp_path, CPU, encoder=ENCODER))
    assert done.steps == 2
    assert all(torch.isfinite(torch.tensor(value)) for value in done.figures.values())
    assert read_suggest_card(tmp_path).encoder == f"light-{sha256_of(ENCODER / ENCODER_FILE)[:12]}"
    network = load_suggest_network(tmp_path)
    assert (network.trunk is not None) == trunk
    cells = network(torch.randn(1, 256, 64, 64), torch.randn(1, 32, 256, 256))
    assert torch.isfinite(cells.vectors).all()
    assert len((tmp_path / LOG_FILE).read_text("utf-8").splitlines()) == 3


@pytest.mark.long
def test_a_run_goes_on_where_it_stopped(pool: Pool, cutouts: Cutouts, tmp_path: Path) -> None:
    run(train_suggester(replace(SMALL, steps=1), pool, cutouts, tmp_path, CPU, encoder=ENCODER))
    seen = []
    job = train_suggester(SMALL, pool, cutouts, tmp_path, CPU, encoder=ENCODER, resume=True)
    run(job, lambda progress: seen.append(progress.done))
    assert seen == [1]
    with pytest.raises(BadWeightsError, match="nothing to resume"):
        run(train_suggester(SMALL, pool, cutouts, tmp_path / "other", CPU, encoder=ENCODER, resume=True))


def test_the_shipped_network_is_that_of_the_shipped_configuration() -> None:
    config = read_config(RESOURCES / "configs" / "suggest.yaml", SuggestConfig)
    made_by = read_suggest_card(ENCODER).made_by
    assert made_by["config"] == config.__dict__
    assert (ENCODER / WEIGHTS_FILE).stat().st_size < 5_000_000
