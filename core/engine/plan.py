"""WorkerPlan: what makes all workers of a run do the same; a worker that cannot is refused."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from core.encoders.image_features import Encoder
from core.errors import BadInputError
from core.features.cache.feature_cache import GIB, FeatureCache
from core.features.cache.feature_key import FP16
from core.features.cache.shared_cache import SharedCache
from core.features.feature_source import FeatureSource
from core.object_store.address import Address
from core.translation import tr


def version() -> str:
    """The version of BoxRefine that runs here."""
    return metadata.version("boxrefine")


@dataclass(frozen=True)
class WorkerPlan:
    """The models, caches and sizes of every worker.

    encoder: its name or file, as for load_encoder; identity: that of its weights, empty to take what is there
    cache: folder of the feature cache on the worker's machine, None for no local one; shared: address of a shared one
    batch: pictures in a batch of the network; readers: threads that decode; threads: of a network on a CPU, 0 for
        torch's own number
    software: the version of BoxRefine, empty to take any
    lists: workers add parts to the manifest of the shared cache; else its rows come back in the column `listing`
    """

    encoder: str = "light"
    identity: str = ""
    device: str = "auto"
    cache: Path | None = None
    shared: Address | None = None
    codec: str = FP16
    disk_budget: int = 10 * GIB
    batch: int = 1
    readers: int = 1
    threads: int = 0
    precision: str = "auto"
    software: str = ""
    lists: bool = True

    def load(self) -> FeatureSource:
        """Load the encoder and open the cache.

        Raises BadInputError where version or weights are others than those of the plan, and as `load_encoder`.
        """
        import torch

        from core.encoders.catalogue import load_encoder

        if self.software and self.software != version():
            raise BadInputError(differs(version(), self.software))
        if self.threads:
            torch.set_num_threads(self.threads)
        encoder = load_encoder(self.encoder, self.device)
        self.check(encoder)
        return FeatureSource(encoder, self.open_cache())

    def check(self, encoder: Encoder) -> None:
        """Raise BadInputError where an encoder has other weights than those of the plan."""
        if self.identity and encoder.identity != self.identity:
            raise BadInputError(differs(encoder.identity, self.identity))

    def open_cache(self) -> FeatureCache | None:
        """Open the caches of the plan; None without any."""
        shared = SharedCache(self.shared, lists=self.lists) if self.shared is not None else None
        if self.cache is None and shared is None:
            return None
        return FeatureCache(
            self.cache or Path(),
            disk_budget=self.disk_budget if self.cache is not None else 0,
            ram_budget=0,
            codec=self.codec,
            shared=shared,
        )


def differs(found: str, wanted: str) -> str:
    """Why a worker that has `found` is refused by a run of `wanted`, both versions or identities."""
    return tr(
        "The worker on {host} has {found} but this run is of {wanted}: install the same version and weights there.",
        host=socket.gethostname(),
        found=found,
        wanted=wanted,
    )
