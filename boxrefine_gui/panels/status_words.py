"""Texts of the status bar for running work, models and devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from boxrefine_gui.operations.box_verbs import short
from boxrefine_gui.state.doing import Activity, ActivityKind, ModelsState, Scan, ScanKind
from boxrefine_gui.state.loaded_models import Device
from boxrefine_gui.state.session import Session
from core.encoders.traits import title_of
from core.translation import tr, tr_plural


def activity_words(activity: Activity) -> str:
    """What the encode lane does now."""
    return _ACTIVITIES[activity.kind](activity.detail)


def scan_words(scan: Scan) -> str:
    """What is being opened, read or imported, with its progress."""
    return _SCANS[scan.kind](scan)


def _opening_words(scan: Scan) -> str:
    if not scan.done:
        return tr("opening {name}", name=scan.name)
    return tr_plural(
        "opening {name}: {count:,} picture found", "opening {name}: {count:,} pictures found", scan.done, name=scan.name
    )


def sight_words(session: Session) -> str:
    """Which categories are hidden or locked, and the key that changes that; empty if none is."""
    sight, names = session.sight, {category.id: short(category.name) for category in session.categories}
    if sight.is_plain:
        return ""
    parts = []
    if sight.solo is not None:
        parts.append(tr("only “{name}” is shown", name=names.get(sight.solo, "")))
    elif sight.hidden:
        parts.append(tr_plural("{count} category hidden", "{count} categories hidden", len(sight.hidden)))
    if sight.locked:
        parts.append(tr_plural("{count} locked", "{count} locked", len(sight.locked)))
    words, key = ", ".join(parts), session.keys.get("show_all_categories", "")
    return tr("{words} ({key}: show all)", words=words, key=key) if key else words


def models_words(state: ModelsState) -> str:
    """Why there are no models; empty if that needs no text."""
    return _MODELS[state]


def device_words(device: Device) -> tuple[str, str]:
    """Device and number format, and a note on why the device is not a GPU.

    A GPU that failed is in the text itself, because it worked before.
    """
    text = f"{device.kind.upper()}, fp32"
    if device.gpu_failed:
        text += f" ({tr('the GPU failed')})"
    return text, "" if device.is_gpu else device.why_no_gpu


_ACTIVITIES: Mapping[ActivityKind, Callable[[str], str]] = {
    ActivityKind.LOADING_MODELS: lambda _: tr("loading the model"),
    ActivityKind.LOADING_ENCODER: lambda name: tr("loading {name}", name=title_of(name)),
    ActivityKind.LOADING_AGAIN: lambda _: tr("loading the model again"),
    ActivityKind.LOADING_REFINER: lambda _: tr("loading the refiner"),
    ActivityKind.PREPARING: lambda name: tr("preparing {name}", name=name),
    ActivityKind.PREPARING_FOLDER: lambda name: tr("preparing the folder: {name}", name=name),
    ActivityKind.LOOKING_CLOSER: lambda name: tr("looking closer at {name}", name=name),
    ActivityKind.REFINING: lambda name: tr("refining {name}", name=name),
}

_SCANS: Mapping[ScanKind, Callable[[Scan], str]] = {
    ScanKind.LOOKING_FOR_LAST: lambda _: tr("looking for what was open last"),
    ScanKind.OPENING: lambda scan: _opening_words(scan),
    ScanKind.OPENING_SAMPLE: lambda _: tr("opening the sample project"),
    ScanKind.READING: lambda scan: tr("reading the folder: {done} of {total}", done=scan.done, total=scan.total),
    ScanKind.IMPORTING: lambda scan: tr("importing {name}", name=scan.name),
}

_MODELS: Mapping[ModelsState, str] = {
    ModelsState.NONE_YET: "",
    ModelsState.LOADING: tr("loading the model"),
    ModelsState.LOADING_AGAIN: tr("loading the model again"),
    ModelsState.FAILED: tr("no model"),
    ModelsState.READY: "",
}
