"""On a CUDA device: a recorded step learns what the same step by itself does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.encoders.catalogue import load_encoder
from core.progress import run
from core.training import fine_tune as module
from core.training.fine_tune import Tuned, Tuning, fine_tune
from core.training.gradients import Gradients, RecordedGradients
from core.training.lesson_loader import EpochBatches, make_loader
from core.training.replay import Replay
from core.training.teach import load_start
from core.training.teach_config import TeachConfig
from tests.core.lessons_by_hand import discs, short, source_of

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")]
GPU = torch.device("cuda")


def tuned(folder: Path, config: TeachConfig) -> Tuned:
    encoder = load_encoder("light", "cuda")
    source = source_of(folder, encoder)
    lessons = discs(folder / "discs", 8).lessons
    start = load_start(None, encoder, config).network
    batches = EpochBatches([len(lesson) for lesson in lessons], config)
    loader = make_loader(lessons, {}, batches, source=source, config=config, device=GPU)
    replay = Replay(load_start(None, encoder, config).network, lessons[:2], source.of_path, config, GPU)
    return run(fine_tune(start, Tuning(config, GPU, source, loader, batches, lessons, replay, folder)))


@pytest.mark.parametrize("use_amp", [False, True])
def test_recorded_steps_learn_what_steps_one_by_one_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use_amp: bool
) -> None:
    config = replace(short(replay_weight=1.0), use_amp=use_amp, epochs=4)
    made: list[Gradients] = []

    def remembered(*given: object) -> Gradients:
        made.append(RecordedGradients(*given[:3]))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(module, "gradients_of", remembered)
    recorded = tuned(tmp_path, config)
    assert isinstance(made[0], RecordedGradients)
    assert made[0].trouble is None
    monkeypatch.setattr(module, "gradients_of", lambda *given: Gradients(*given[:3]))
    one_by_one = tuned(tmp_path, config)
    assert recorded.steps == one_by_one.steps
    assert recorded.loss_first == pytest.approx(one_by_one.loss_first, rel=0.02)
    assert recorded.loss_last == pytest.approx(one_by_one.loss_last, rel=0.05)
