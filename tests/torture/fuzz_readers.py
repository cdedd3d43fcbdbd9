"""Every reader of files, each fed with bytes as a file: nothing but a KnownError may come out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from core.encoders.weights.files import identity_of, load_state, notes_of
from core.errors import KnownError
from core.features.cache.cache_care import survey, verify
from core.features.cache.cache_folder import file_of
from core.features.cache.cache_pack import import_pack
from core.features.cache.feature_cache import FeatureCache
from core.formats.importing import find_boxes
from core.images import read_picture, read_size, read_thumbnail
from core.pretraining.config import PretrainConfig
from core.progress import run
from core.records import ImageRecord, NewImage
from core.refiner.checkpoint import CARD_FILE, read_card
from core.settings import load_settings, save_settings
from core.store.project_store import ProjectStore
from core.training.config_file import read_config
from core.training.teach_config import TeachConfig
from tests.torture.fuzz_seeds import KEY

Feed = Callable[[bytes], None]
_STORE_EVERY = 20
_LOOK_EVERY = 25


class Readers:
    """Feeds by name, which share a folder; `known` counts the sentences that came."""

    def __init__(self, folder: Path) -> None:
        self.known = 0
        self._folder = folder
        self._fed = 0
        self._cache: FeatureCache | None = None
        self._store: ProjectStore | None = None
        self.feeds: Mapping[str, Feed] = {
            "pictures": self._picture,
            "coco": lambda data: self._import("a.json", data),
            "labelme": lambda data: self._import("b.json", data),
            "voc": lambda data: self._import("a.xml", data),
            "yolo": lambda data: self._import("a.txt", data),
            "programs": lambda data: self._import("c.json", data),
            "cvat": lambda data: self._import("c.xml", data),
            "tables": lambda data: self._import("a.csv", data),
            "kitti": lambda data: self._import("k.txt", data),
            "classes": self._classes,
            "settings": self._settings,
            "configs": self._config,
            "cards": self._card,
            "weights": self._weights,
            "features": self._features,
            "packs": self._pack,
            "projects": self._project,
        }

    def close(self) -> None:
        """Let go of the files that were kept open."""
        for held in (self._cache, self._store):
            if held is not None:
                held.close()

    @contextlib.contextmanager
    def _told(self) -> object:  # type: ignore[misc]
        try:
            yield
        except KnownError as error:
            self.known += 1
            assert "\n" not in str(error) and len(str(error)) < 5000, f"no sentence: {str(error)[:300]!r}"

    def _write(self, name: str, data: bytes) -> Path:
        path = self._folder / name
        path.unlink(missing_ok=True)  # a file that is cut to nothing and filled again, ext4 writes to the disk at once
        path.write_bytes(data)
        return path

    def _picture(self, data: bytes) -> None:
        path = self._write("picture.png", data)
        for read in (read_size, read_picture, lambda path: read_thumbnail(path, side=24)):
            with self._told():
                read(path)

    def _import(self, name: str, data: bytes) -> None:
        self._boxes_of(self._write(name, data))

    def _classes(self, data: bytes) -> None:
        folder = self._folder / "yolo"
        (folder / "labels").mkdir(parents=True, exist_ok=True)
        (folder / "labels" / "a.txt").write_text("0 0.5 0.5 0.3 0.3\n1 0.2 0.2 0.1 0.1\n")
        (folder / "data.yaml").write_bytes(data)
        self._boxes_of(folder)

    def _boxes_of(self, path: Path) -> None:
        """What a file brings is stored now and then, because names may be none for a database."""
        records = [ImageRecord(1, self._folder / "a.png", 60, 40), ImageRecord(2, self._folder / "x" / "b.png", 60, 40)]
        with self._told():
            found = run(find_boxes(path, records, folder=self._folder))
            assert all("\n" not in problem for problem in found.problems)
            self._fed += 1
            if found.boxes and self._fed % _STORE_EVERY == 0:
                if self._store is None:
                    self._store = ProjectStore.create(self._folder / "fuzz.sqlite")
                    self._store.add_images([NewImage(record.path, 60, 40) for record in records])
                self._store.import_boxes(found.boxes, file=path.name)

    def _settings(self, data: bytes) -> None:
        path = self._write("settings.toml", data)
        with self._told():
            save_settings(load_settings(path), path)

    def _config(self, data: bytes) -> None:
        path = self._write("config.yaml", data)
        for kind in (TeachConfig, PretrainConfig):
            with self._told():
                read_config(path, kind)

    def _card(self, data: bytes) -> None:
        self._write(CARD_FILE, data)
        with self._told():
            read_card(self._folder)

    def _weights(self, data: bytes) -> None:
        path = self._write("weights.pth" if data[:2] in (b"PK", b"\x80\x02") else "weights.safetensors", data)
        with self._told():
            load_state(path)
        notes_of(path)
        identity_of(path)

    def _features(self, data: bytes) -> None:
        if self._cache is None:
            self._cache = FeatureCache(self._folder / "cache", ram_budget=0)
        path = file_of(self._folder / "cache", KEY.digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        found = self._cache.get(KEY)
        assert found is not None or not path.exists(), "what is no hit stays"
        self._fed += 1
        if self._fed % _LOOK_EVERY == 0:
            path.write_bytes(data)
            run(survey(self._folder / "cache"))
            self._cache.repair()
            run(verify(self._cache))

    def _pack(self, data: bytes) -> None:
        if self._cache is None:
            self._cache = FeatureCache(self._folder / "cache", ram_budget=0)
        with self._told():
            run(import_pack(self._cache, self._write("pack.tar", data)))

    def _project(self, data: bytes) -> None:
        path = self._write("boxrefine.sqlite", data)
        for left in ("-wal", "-shm"):
            path.with_name(path.name + left).unlink(missing_ok=True)
        with self._told():
            store = ProjectStore.open(path)
            try:
                store.dataset()
                store.undo_steps()
                store.to_check()
                if not store.read_only:
                    store.undo()
            finally:
                store.close()
