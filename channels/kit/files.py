"""Writes the files of a folder so that a reader never sees half of one, and nothing outside the folder is touched.

Every step into the folder refuses symbolic links, whoever planted them: directories are opened one by one, relative to
the one before, so a path cannot lead elsewhere between check and use.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

# What is ours and not for readers: the lock, files on their way. Only this user may enter it.
PRIVATE = ".omroeper"

_PART = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,250}")
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TEMPORARY = "next-"


class PathRefused(Exception):
    """A path would leave the folder, or leads through a symbolic link. The message names it as it was given."""


class Busy(Exception):
    """Another writer held the folder for longer than we would wait."""


class Folder:
    """A folder held by this writer alone (see ``held``). Paths are relative, with ``/``."""

    def __init__(self, descriptor: int) -> None:
        self._root = descriptor

    def read(self, path: str) -> bytes | None:
        """What ``path`` holds, or ``None`` if it is not there.

        Raises:
            PathRefused: if the path leaves the folder or passes a symbolic link.
            OSError: if it cannot be read.
        """
        *folders, name = _parts(path)
        try:
            with self._directory(folders, path) as directory:
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refusal(error, path) from None
        with os.fdopen(descriptor, "rb") as file:
            return file.read()

    def replace(self, files: Mapping[str, bytes]) -> None:
        """Gives every path its new content, or none of them.

        All of it is on disk before the first file takes its place; then they take their places in the order given, each
        at once. A file that already reads so is left alone. If there is no room, nothing has changed.

        Raises:
            PathRefused: if a path leaves the folder or passes a symbolic link.
            OSError: if something cannot be written.
        """
        changed = {path: content for path, content in files.items() if self.read(path) != content}
        with self._directory([PRIVATE], PRIVATE, create=True) as private:
            _sweep(private)
            try:
                self._take_places(private, _stage(private, changed))
            finally:
                _sweep(private)

    def _take_places(self, private: int, staged: Mapping[str, str]) -> None:
        touched: set[tuple[str, ...]] = set()
        for path, temporary in staged.items():
            *folders, name = _parts(path)
            with self._directory(folders, path, create=True) as directory:
                os.rename(temporary, name, src_dir_fd=private, dst_dir_fd=directory)
            touched.add(tuple(folders))
        for below in touched:
            with self._directory(below, "/".join(below)) as directory:
                os.fsync(directory)

    @contextlib.contextmanager
    def _directory(self, folders: Sequence[str], path: str, *, create: bool = False) -> Iterator[int]:
        descriptor = os.dup(self._root)
        try:
            for name in folders:
                if create:
                    _make(name, descriptor)
                try:
                    inner = os.open(name, _DIRECTORY, dir_fd=descriptor)
                except OSError as error:
                    raise _refusal(error, path) from None
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def held(root: Path, wait: float) -> Iterator[Folder]:
    """The folder ``root``, made where it is not there, held against every other writer on this machine.

    Raises:
        Busy: if another thread or process held it for ``wait`` seconds.
        PathRefused: if what should be ours in it is a symbolic link.
        OSError: if it cannot be made or opened.
    """
    root.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        folder = Folder(descriptor)
        with folder._directory([PRIVATE], PRIVATE, create=True) as private:
            try:
                lock = os.open("lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=private)
            except OSError as error:
                raise _refusal(error, f"{PRIVATE}/lock") from None
        try:
            _lock(lock, wait)
            yield folder
        finally:
            os.close(lock)  # and that frees it
    finally:
        os.close(descriptor)


def _make(name: str, parent: int) -> None:
    mode = 0o700 if name == PRIVATE else 0o755
    try:
        os.mkdir(name, mode, dir_fd=parent)
    except FileExistsError:
        return
    os.chmod(name, mode, dir_fd=parent)  # readers must get in, whatever our umask


def _lock(descriptor: int, wait: float) -> None:
    until = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise Busy(f"another writer held the folder for {wait:g} seconds") from None
            time.sleep(0.005)
        else:
            return


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    if parts[0] == PRIVATE:
        parts, ours = parts[1:], [PRIVATE]
    else:
        ours = []
    if not parts or not all(_PART.fullmatch(part) for part in parts):
        raise PathRefused(f"{path[:120]!r} is no path inside the folder")
    return ours + parts


def _refusal(error: OSError, path: str) -> Exception:
    if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EISDIR):
        return PathRefused(f"{path[:120]!r} passes something that is no plain folder or file, such as a symbolic link")
    return error


def _stage(private: int, files: Mapping[str, bytes]) -> dict[str, str]:
    """Writes each content under a name of its own; by path, that name. All of it is on disk when this returns."""
    staged: dict[str, str] = {}
    descriptors: list[int] = []
    try:
        for number, (path, content) in enumerate(files.items()):
            name = f"{_TEMPORARY}{number}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(name, flags, 0o644, dir_fd=private)
            descriptors.append(descriptor)
            os.fchmod(descriptor, 0o644)  # a web server of another user reads it, whatever our umask
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            staged[path] = name
        # Only now: the first of these brings nearly everything to disk, the others then cost little.
        for descriptor in descriptors:
            os.fsync(descriptor)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    return staged


def _sweep(private: int) -> None:
    """Takes away what a writer that died left behind. Safe: whoever calls this holds the lock."""
    for name in os.listdir(private):
        if name.startswith(_TEMPORARY):
            os.unlink(name, dir_fd=private)
