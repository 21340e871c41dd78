"""The published site, served from memory ahead of Django: it stays up when database, queue and workers do not.

A file is read once and kept; each request only asks the file system whether it is still the same file, so every web
process shows a correction at once, and what can no longer be read is served as it was.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path

from dispatcher.portal.asgi_types import Application, Headers, Receive, Scope, Send, answer

MEMORY = 64 * 1024 * 1024  # octets of files kept

_PAGE_POLICY = (
    b"default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' https:; base-uri 'none'; "
    b"form-action 'none'; object-src 'none'; frame-ancestors 'none'"
)
_DATA_POLICY = b"default-src 'none'; frame-ancestors 'none'"
_TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".atom": b"application/atom+xml; charset=utf-8",
    ".xml": b"application/xml; charset=utf-8",
    ".txt": b"text/plain; charset=utf-8",
    ".woff2": b"font/woff2",
}
_PACKED = frozenset((".html", ".css", ".js", ".json", ".atom", ".xml", ".txt"))
_FOR_OTHER_SITES = frozenset(("banner.js", "banner.json"))


@dataclass(frozen=True, slots=True)
class _Form:
    """A body as it goes over the wire, with its headers and those of "not changed"."""

    body: bytes
    tag: bytes
    headers: Headers
    unchanged: Headers


@dataclass(frozen=True, slots=True)
class _File:
    """A file in memory, and how to see that it is another one by now."""

    where: Path
    stamp: tuple[int, int, int]
    modified: int  # seconds since 1970
    plain: _Form
    packed: _Form | None

    @property
    def size(self) -> int:
        return len(self.plain.body) + (len(self.packed.body) if self.packed else 0)


class Published:
    """ASGI application that answers for files in ``site`` (and in ``assets`` below /assets/), else asks ``inner``.

    ``known`` says whether ``inner`` has an answer for a path; for others, and for files that are not there, readers
    get the site's own page that says so. ``prefix`` is the path under which all of it is served. ``secure`` adds the
    header that keeps browsers to TLS.
    """

    def __init__(
        self,
        inner: Application,
        site: Path,
        assets: Path,
        *,
        known: Callable[[str], bool],
        prefix: str = "",
        secure: bool = False,
    ) -> None:
        self._inner = inner
        self._site = site
        self._assets = assets
        self._known = known
        self._prefix = prefix
        self._secure = secure
        self._kept: OrderedDict[str, _File] = OrderedDict()
        self._size = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        path = scope["path"].removeprefix(self._prefix) or "/"
        found = self._find(path)
        if found is None and self._known(path):
            await self._inner({**scope, "root_path": self._prefix} if self._prefix else scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD"):
            allowed = [(b"allow", b"GET, HEAD"), (b"cache-control", b"no-store")]
            await answer(send, 405 if found else 404, allowed)
        elif found is not None:
            await self._show(scope, send, found)
        elif self._find(f"{path}/") is not None:
            onward = f"{self._prefix}{path}/".encode()
            await answer(send, 308, [(b"location", onward), (b"cache-control", b"public, max-age=20")])
        else:
            await self._missing(scope, send)

    async def _show(self, scope: Scope, send: Send, file: _File) -> None:
        asked = {name.lower(): value for name, value in scope["headers"]}
        form = file.packed if file.packed and _takes_gzip(asked.get(b"accept-encoding", b"")) else file.plain
        if _unchanged(asked, form.tag, file.modified):
            await answer(send, 304, form.unchanged)
        else:
            await answer(send, 200, form.headers, b"" if scope["method"] == "HEAD" else form.body)

    async def _missing(self, scope: Scope, send: Send) -> None:
        page = self._find("/404.html")
        body = (
            page.plain.body if page else b"<!doctype html><title>404</title><p>Deze pagina is er niet. Not found.</p>"
        )
        headers = [
            (b"content-type", _TYPES[".html"]),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"public, max-age=5"),
            *_safe_headers(_PAGE_POLICY, secure=self._secure),
        ]
        await answer(send, 404, headers, b"" if scope["method"] == "HEAD" else body)

    def _find(self, path: str) -> _File | None:
        """The file that answers for ``path``, as it is now."""
        kept = self._kept.get(path)
        try:
            if kept is None or kept.stamp != _stamp(os.stat(kept.where)):  # noqa: PTH116 - each request passes here
                where = self._locate(path)
                kept = self._keep(path, self._read(where)) if where else None
        except (FileNotFoundError, NotADirectoryError):
            kept = None
        except OSError:
            return kept  # a disk that fails does not take away what readers could see a moment ago
        if kept is None:
            self._forget(path)
        else:
            self._kept.move_to_end(path)
        return kept

    def _locate(self, path: str) -> Path | None:
        """The plain file for ``path``. What begins with a dot is ours, and nobody is led out of the folders."""
        parts = path.split("/")[1:] or ["."]  # "*" is asked for by some, and is no path
        if parts[-1] == "":
            parts[-1] = "index.html"
        if any(part == "" or part.startswith(".") or "\0" in part for part in parts):
            return None
        candidates = [(self._site, parts)]
        if parts[0] == "assets":
            candidates.insert(0, (self._assets, parts[1:]))
        for root, below in candidates:
            real = root.resolve()
            where = real.joinpath(*below)
            # A symbolic link would show readers a file from elsewhere.
            if where.is_file() and where.resolve() == where:
                return where
        return None

    def _read(self, where: Path) -> _File:
        stamp = _stamp(where.stat())
        body = where.read_bytes()
        own = self._site.resolve()
        name = str(where.relative_to(own)) if where.is_relative_to(own) else f"assets/{where.name}"
        modified = stamp[0] // 1_000_000_000
        packed = gzip.compress(body, 6, mtime=0) if where.suffix in _PACKED and len(body) > 1000 else None
        common = self._headers(name, where.suffix, modified)
        return _File(
            where, stamp, modified, _form(body, common, b""), _form(packed, common, b"gzip") if packed else None
        )

    def _headers(self, name: str, ending: str, modified: int) -> Headers:
        early = name.startswith("early/")
        lasting = name.startswith("assets/")
        kind = _TYPES.get(ending) or (mimetypes.guess_type(name)[0] or "application/octet-stream").encode()
        cache = b"private, no-store" if early else b"public, max-age=20, stale-if-error=86400"
        headers = [
            (b"content-type", kind),
            (b"last-modified", formatdate(modified, usegmt=True).encode()),
            (b"cache-control", b"public, max-age=3600" if lasting else cache),
            (b"vary", b"accept-encoding"),
            *_safe_headers(_PAGE_POLICY if ending == ".html" else _DATA_POLICY, secure=self._secure, secret=early),
        ]
        if early:
            headers.append((b"x-robots-tag", b"noindex"))
        if name in _FOR_OTHER_SITES:
            headers += [(b"access-control-allow-origin", b"*"), (b"cross-origin-resource-policy", b"cross-origin")]
        return headers

    def _keep(self, path: str, file: _File) -> _File:
        self._forget(path)
        self._kept[path] = file
        self._size += file.size
        while self._size > MEMORY and len(self._kept) > 1:
            self._forget(next(iter(self._kept)))
        return file

    def _forget(self, path: str) -> None:
        gone = self._kept.pop(path, None)
        self._size -= gone.size if gone else 0


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    """What changes when another file takes the place of this one."""
    return status.st_mtime_ns, status.st_size, status.st_ino


def _form(body: bytes, common: Headers, encoding: bytes) -> _Form:
    tag = b'"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"'
    unchanged = [*common, (b"etag", tag)]
    headers = [*unchanged, (b"content-length", str(len(body)).encode())]
    if encoding:
        headers.append((b"content-encoding", encoding))
    return _Form(body, tag, headers, unchanged)


def _safe_headers(policy: bytes, *, secure: bool, secret: bool = False) -> Headers:
    headers = [
        (b"content-security-policy", policy),
        (b"x-content-type-options", b"nosniff"),
        # The address of an early page is a secret: it must not travel with a click.
        (b"referrer-policy", b"no-referrer" if secret else b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]
    if secure:
        headers.append((b"strict-transport-security", b"max-age=31536000"))
    return headers


def _takes_gzip(asked: bytes) -> bool:
    for part in asked.lower().split(b","):
        coding, _, weight = part.partition(b";")
        if coding.strip() in (b"gzip", b"*"):
            return weight.strip().replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return False


def _unchanged(asked: dict[bytes, bytes], tag: bytes, modified: int) -> bool:
    """Whether the reader has this already (RFC 9110 section 13): a tag decides, a date only where no tag is given."""
    tags = asked.get(b"if-none-match")
    if tags is not None:
        return tags.strip() == b"*" or tag in [each.strip().removeprefix(b"W/") for each in tags.split(b",")]
    since = asked.get(b"if-modified-since")
    if since is None:
        return False
    try:
        return parsedate_to_datetime(since.decode("latin-1")).timestamp() >= modified
    except ValueError:
        return False
