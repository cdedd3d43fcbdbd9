"""A real S3 server on this machine, moto's over loopback, and Ray with two CPUs; both serve the whole run."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.core.conftest import batch, models, untrained, verb

__all__ = ["batch", "models", "untrained", "verb"]

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "key-of-the-test",
    "AWS_SECRET_ACCESS_KEY": "secret-of-the-test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


OF_RAY_WARNINGS = [
    pytest.mark.filterwarnings(f"ignore::{kind}") for kind in ("ResourceWarning", "DeprecationWarning", "FutureWarning")
]
OF_RAY = ("Prefetcher", "StreamingExecutor", "ray_", "iter_batches", "fsspec")
"""Starts of the names of threads that Ray and fsspec leave to the end of the process."""


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """As in the other tests, but Ray, which stays for the whole run, may keep its threads."""
    before = set(threading.enumerate())
    yield
    own = [each for each in set(threading.enumerate()) - before if not each.name.startswith(OF_RAY)]
    for thread in own:
        thread.join(timeout=5)
    left = [thread.name for thread in own if thread.is_alive()]
    assert not left, f"threads left running: {left}"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of the server; endpoint and credentials are in the variables of AWS."""
    pytest.importorskip("moto")
    pytest.importorskip("s3fs")
    import fsspec.asyn
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    # Its threads stay for the whole run, so they start before the tests, which must leave none.
    loop, threads = fsspec.asyn.get_loop(), ThreadPoolExecutor(1)
    threads.submit(str).result()
    loop.call_soon_threadsafe(loop.set_default_executor, threads)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}).items():
            patch.setenv(name, value)
        yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str) -> Iterator[str]:
    """The address of a new bucket."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    name = f"pictures-{uuid.uuid4().hex[:8]}"
    s3fs.S3FileSystem().mkdir(name)
    yield f"s3://{name}"
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def no_rights(s3_server: str) -> Iterator[Callable[[], None]]:
    """Makes the server refuse the credentials of the test until its end."""
    yield lambda: post(f"{s3_server}/moto-api/reset-auth", b"0")
    post(f"{s3_server}/moto-api/reset-auth", b"Infinity")


def post(url: str, data: bytes = b"") -> None:
    """Ask the server."""
    with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "text/plain"})) as answer:
        assert answer.status == 200


@pytest.fixture(scope="session")
def ray_here(s3_server: str) -> Iterator[Any]:
    """Ray on this machine with two CPUs, which the verbs of the tests use."""
    ray = pytest.importorskip("ray")
    place = Path(tempfile.mkdtemp(prefix="bx", dir="/tmp"))  # a socket's path may have 100 characters
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(
        address="local", num_cpus=2, object_store_memory=200 * 1024**2, include_dashboard=False, log_to_driver=False,
        logging_level=logging.ERROR, _temp_dir=str(place),
    )  # fmt: skip
    yield ray
    ray.shutdown()
    shutil.rmtree(place, ignore_errors=True)
