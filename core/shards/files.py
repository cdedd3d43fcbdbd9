"""Reading and writing all shards of a folder."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from core.errors import BadFileError, StorageError, reason
from core.object_store.address import Address
from core.object_store.folder import ObjectEntry, ObjectFolder
from core.progress import Job, Progress
from core.shards import table_shards, tar_shards
from core.shards.sample import Labelled, Sample, damaged
from core.translation import tr

WRITERS = {"tar": tar_shards, "parquet": table_shards}
"""The formats of shards."""

SUFFIXES = (tar_shards.SUFFIX, table_shards.SUFFIX)


def read_shards(place: Path | Address) -> Job[list[Sample]]:
    """Read the samples of all shards in a folder or at an address, in the order of their names.

    Raises BadFileError without any, or where one is damaged, BadInputError for Parquet without pyarrow, and as
    `ObjectFolder.entries`.
    """
    address = place if isinstance(place, Address) else Address(f"file://{place.absolute()}")
    folder = ObjectFolder(address)
    shards = sorted(
        (entry for entry in folder.entries() if entry.name.endswith(SUFFIXES)), key=lambda entry: entry.name
    )
    if not shards:
        raise BadFileError(
            tr("There are no shards (.tar, .parquet) in {folder}: boxrefine shards writes some.", folder=place)
        )
    samples: list[Sample] = []
    for done, shard in enumerate(shards):
        yield Progress(done, len(shards), shard.name)
        samples += _samples(folder, shard)
    yield Progress(len(shards), len(shards))
    return samples


def _samples(folder: ObjectFolder, shard: ObjectEntry) -> list[Sample]:
    is_tar = shard.name.endswith(tar_shards.SUFFIX)
    read, errors = (tar_shards.read, tar_shards.ERRORS) if is_tar else (table_shards.read, table_shards.errors())
    with folder.opened(shard.name) as file:
        try:
            return read(file, folder.address, shard)
        except errors as error:
            raise damaged(folder.address / shard.name, error) from error


def write_shards(pictures: Sequence[Labelled], out: Path, *, per_shard: int, format: str = "tar") -> Job[int]:
    """Write pictures into shards of so many in `out`, in one of WRITERS; return how many shards.

    A shard is whole or not there. Raises BadFileError for a picture that cannot be read, StorageError, and
    BadInputError for Parquet without pyarrow.
    """
    writer = WRITERS[format]
    count = 0
    for start in range(0, len(pictures), per_shard):
        chosen = pictures[start : start + per_shard]
        yield Progress(start, len(pictures), chosen[0][0])
        path = out / f"shard-{count:06}{writer.SUFFIX}"
        beside = path.with_name(f".{path.name}-{secrets.token_hex(4)}.partial")
        try:
            out.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                writer.write(file, chosen, first=start)
            beside.replace(path)
        except OSError as error:
            raise StorageError(
                tr("{file} cannot be written ({why}): make room there.", file=path, why=reason(error))
            ) from error
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
        count += 1
    yield Progress(len(pictures), len(pictures))
    return count
