"""Address: where an object, or a folder of them, is; its text in messages holds no secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")  # two characters at least: `C:` is a drive of Windows
_SECRET = re.compile(r"(?<=://)[^/\s@?:]*:(?!\d{1,5}/)[^\s@?]*@|(?<=://)[^/\s@?]*@(?=[^/\s]*\.)")
_QUERY = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]+://[^\s?'\"]*)\?[^\s'\"]*")


def without_secrets(text: str) -> str:
    """Remove user names, passwords and query strings from every address in a text."""
    return _QUERY.sub(r"\1", _SECRET.sub("", text))


@dataclass(frozen=True, repr=False)
class Address:
    """The address of an object or of a folder of objects: `text` as the user gives it, `str()` without secrets."""

    text: str

    def __str__(self) -> str:
        return without_secrets(self.text)

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"

    @property
    def protocol(self) -> str:
        """The part before `://`, in lower case."""
        found = _SCHEME.match(self.text)
        return found[1].lower() if found else "file"

    @property
    def name(self) -> str:
        """The last part of the path, without a query."""
        return self.text.partition("?")[0].rstrip("/").rpartition("/")[2]

    @property
    def parent(self) -> Address:
        """The address of the folder that holds it; of a bucket itself, this address."""
        start, mark, query = self.text.partition("?")
        scheme, _, path = start.rstrip("/").partition("://")
        above, inside, _ = path.rpartition("/")
        return Address(f"{scheme}://{above}{mark}{query}") if inside else self

    @property
    def holds_secret(self) -> bool:
        """Whether it has a password, or a query, which may be a signature."""
        return str(self) != self.text

    def __truediv__(self, name: str) -> Address:
        """The address of an object below this one."""
        start, mark, query = self.text.partition("?")
        return Address(f"{start.rstrip('/')}/{name}{mark}{query}")


def is_address(text: str) -> bool:
    """Whether a text is an address such as s3://bucket, and no path."""
    return _SCHEME.match(text) is not None


def path_or_address(text: str) -> Path | Address:
    """Read a command-line argument: an address, or a path, as which `file://` counts, too."""
    if not is_address(text):
        return Path(text)
    address = Address(text)
    return Path(unquote(text[len("file://") :])) if address.protocol == "file" else address
