"""A server on this machine that answers as the Hugging Face Hub does for one file, and can do wrong in several ways."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"<!DOCTYPE html><html>Please log in to this network</html>"


class HubServer(ThreadingHTTPServer):
    """Serves `content` under any /repo/resolve/revision/file; `path` of each request is kept.

    `cuts`: how many answers end after `cut_at` bytes. `page`: everything is a web page; `page_for_get`: only the file
    is. `endless`: the file goes on after its end, until nobody listens. `gate`: bytes after the first half wait until
    it is set.
    """

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.cuts, self.cut_at = 0, 0
        self.page = self.page_for_get = False
        self.missing = self.endless = False
        self.sent_after_the_end = 0
        self.gate = threading.Event()
        self.gate.set()
        self.asked: list[tuple[str, str]] = []
        self.ranges: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: HubServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        server = self.server
        server.asked.append((self.command, self.path))
        if server.missing:
            self._headers(404, 0, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": "0" * 40})
        elif server.page or (server.page_for_get and with_body):
            self._headers(200, len(PAGE), {"Content-Type": "text/html"})
            if with_body:
                self.wfile.write(PAGE)
        else:
            self._file(with_body=with_body)

    def _file(self, *, with_body: bool) -> None:
        content, start = self.server.content, 0
        ranged = self.headers.get("Range")
        if ranged:
            self.server.ranges.append(ranged)
            start = int(ranged.removeprefix("bytes=").split("-")[0])
        headers = {"ETag": '"abc"', "X-Repo-Commit": "0" * 40, "Accept-Ranges": "bytes"}
        if ranged:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        length = 10**12 if self.server.endless and with_body else len(content) - start
        self._headers(206 if ranged else 200, length, headers)
        if with_body:
            self._body(content, start)
        while self.server.endless and with_body:
            self.wfile.write(bytes(1 << 16))
            self.server.sent_after_the_end += 1 << 16

    def _body(self, content: bytes, start: int) -> None:
        end = len(content)
        if self.server.cuts > 0 and start < self.server.cut_at:
            self.server.cuts -= 1
            end = self.server.cut_at
            self.close_connection = True
        half = max(start, len(content) // 2)
        self.wfile.write(content[start : min(half, end)])
        self.wfile.flush()
        assert self.server.gate.wait(30)
        self.wfile.write(content[min(half, end) : end])

    def _headers(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is said on stderr."""

    def handle(self) -> None:
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client cancelled


@contextmanager
def serving(server: HubServer) -> Iterator[HubServer]:
    """Serve until the block ends."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()
