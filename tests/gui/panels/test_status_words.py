"""The status bar's words: each kind has some, and no state holds any."""

from __future__ import annotations

from dataclasses import replace

import pytest

from boxrefine_gui.app import App
from boxrefine_gui.panels.status_words import activity_words, device_words, models_words, scan_words
from boxrefine_gui.state.doing import Activity, ActivityKind, ModelsState, Scan, ScanKind
from boxrefine_gui.state.loaded_models import Device
from core.encoders.traits import title_of
from core.encoders.weights.published import OFFICIAL


@pytest.mark.parametrize("kind", ActivityKind)
def test_each_activity_has_words_of_its_own(kind: ActivityKind) -> None:
    others = {activity_words(Activity(other, "x.png")) for other in ActivityKind if other is not kind}
    assert activity_words(Activity(kind, "x.png")) not in others | {""}


@pytest.mark.parametrize("kind", ScanKind)
def test_each_scan_has_words_of_its_own(kind: ScanKind) -> None:
    others = {scan_words(Scan(other, "x", 3, 100)) for other in ScanKind if other is not kind}
    assert scan_words(Scan(kind, "x", 3, 100)) not in others | {""}


def test_what_keeps_the_models_away_is_said_and_nothing_else() -> None:
    silent = {state for state in ModelsState if not models_words(state)}
    assert silent == {ModelsState.NONE_YET, ModelsState.READY}


def test_an_encoder_that_is_being_loaded_goes_by_its_title() -> None:
    name = next(iter(OFFICIAL))
    assert activity_words(Activity(ActivityKind.LOADING_ENCODER, name)) == f"loading {title_of(name)}"


def test_a_device_says_why_it_is_not_a_gpu() -> None:
    assert device_words(Device("cuda", why_no_gpu="no driver")) == ("CUDA, fp32", "")
    assert device_words(Device("cpu", why_no_gpu="no driver")) == ("CPU, fp32", "no driver")
    assert device_words(Device("cpu", gpu_failed=True)) == ("CPU, fp32 (the GPU failed)", "")


class NamedLikeMasks:
    """A taught refiner whose folder somebody has called `hq-mask`."""

    name = identity = "hq-mask"


class ByMasks:
    """A refiner that has no name of its own."""

    name = identity = "any"
    refines_by_masks = True


def test_the_refiner_is_called_by_what_it_does_and_not_by_its_name(app: App) -> None:
    models = app.session.models
    assert models is not None
    app.session.set_models(replace(models, refiner=NamedLikeMasks(), refiner_name="hq-mask"))
    assert "hq-mask refiner" in app.window.status.model.text()
    app.session.set_models(replace(models, refiner=ByMasks(), refiner_name="any"))
    assert "boxes by its masks" in app.window.status.model.text()
    app.session.set_models(models)


def test_the_status_bar_shows_that_suggestions_are_being_learned(app: App) -> None:
    app.session.set_suggesting(replace(app.session.suggesting, is_learning=True, percent=40))
    assert "learning to suggest, 40 %" in app.window.status.activity.text()
    app.session.set_suggesting(replace(app.session.suggesting, is_learning=False))
    assert "learning" not in app.window.status.activity.text()
