"""A real S3 server on this machine: moto's, over loopback. Credentials and endpoint come by the variables of AWS."""

from __future__ import annotations

import logging
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.core.conftest import batch, models, untrained, verb

__all__ = ["batch", "models", "untrained", "verb"]

pytest.importorskip("moto")
pytest.importorskip("s3fs")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of the server."""
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
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a new bucket."""
    import s3fs

    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "key-of-the-test",
        "AWS_SECRET_ACCESS_KEY": "secret-of-the-test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
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
