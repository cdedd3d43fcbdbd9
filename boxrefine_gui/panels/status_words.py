"""The words of the status bar for what goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from boxrefine_gui.state.doing import Activity, ActivityKind, ModelsState, Scan, ScanKind
from boxrefine_gui.state.loaded_models import Device
from core.encoders.traits import title_of


def activity_words(activity: Activity) -> str:
    """What the encode lane does."""
    return _ACTIVITIES[activity.kind](activity.detail)


def scan_words(scan: Scan) -> str:
    """What is being opened, read or imported, and how far that is."""
    return _SCANS[scan.kind](scan)


def models_words(state: ModelsState) -> str:
    """Why there are no models; empty where nothing is to be said."""
    return _MODELS[state]


def device_words(device: Device) -> str:
    """Device and number format; nobody should wonder why it is the CPU."""
    why = f" ({device.why_no_gpu})" if device.why_no_gpu and not device.is_gpu else ""
    return f"{device.kind.upper()}, fp32{why}" + (" (the GPU failed)" if device.gpu_failed else "")


_ACTIVITIES: Mapping[ActivityKind, Callable[[str], str]] = {
    ActivityKind.LOADING_MODELS: lambda _: "loading the model",
    ActivityKind.LOADING_ENCODER: lambda name: f"loading {title_of(name)}",
    ActivityKind.LOADING_AGAIN: lambda _: "loading the model again",
    ActivityKind.LOADING_REFINER: lambda _: "loading the refiner",
    ActivityKind.PREPARING: lambda name: f"preparing {name}",
    ActivityKind.PREPARING_FOLDER: lambda name: f"preparing the folder: {name}",
    ActivityKind.LOOKING_CLOSER: lambda name: f"looking closer at {name}",
    ActivityKind.REFINING: lambda name: f"refining {name}",
}

_SCANS: Mapping[ScanKind, Callable[[Scan], str]] = {
    ScanKind.LOOKING_FOR_LAST: lambda _: "looking for what was open last",
    ScanKind.OPENING: lambda scan: f"opening {scan.name}",
    ScanKind.OPENING_SAMPLE: lambda _: "opening the sample project",
    ScanKind.READING: lambda scan: f"reading the folder: {scan.done} of {scan.total}",
    ScanKind.IMPORTING: lambda scan: f"importing {scan.name}",
}

_MODELS: Mapping[ModelsState, str] = {
    ModelsState.NONE_YET: "",
    ModelsState.LOADING: "loading the model",
    ModelsState.LOADING_AGAIN: "loading the model again",
    ModelsState.FAILED: "no model",
    ModelsState.READY: "",
}
