"""The data folder: where everything lives, the secret key, and the lock that keeps two runs apart.

``<data>/``
    ``secret.key``    made at the first start, 0600
    ``installation.json``   what ``omroeper setup`` wrote; it may name a data set: a folder of its own for what follows
    ``omroeper.sqlite3``, ``site/``, ``redis/``, ``practice/``, ``logs/<name>.log``
    ``run/``          what only a running installation needs: lock, state, heartbeats, sockets

The name of a unix socket may be 103 bytes long (macOS; Linux takes 107). A clone deeper than that keeps its sockets in
a folder of its own under the temporary folder, 0700, whose name is recorded in ``run/sockets-at``.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dispatcher.config import installation

from .problems import CannotStart

SOCKET_PATH_BYTES = 103
NEEDED_BYTES = 200 * 1024 * 1024
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")  # what stands in a URL as it is
_ELSEWHERE = "Choose another folder, for example: OMROEPER_DATA=/var/tmp/omroeper"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are. ``data`` is absolute; ``sockets`` may lie elsewhere, see the module."""

    data: Path
    sockets: Path

    @property
    def run(self) -> Path:
        return self.data / "run"

    @property
    def heartbeats(self) -> Path:
        """One file a worker's pool process, named by its process id and touched every second."""
        return self.run / "heartbeats"

    @property
    def state(self) -> Path:
        """What the supervisor says of itself and its children, as JSON (``state``)."""
        return self.run / "supervisor.json"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def redis(self) -> Path:
        return self.data / "redis"

    @property
    def practice(self) -> Path:
        return self.data / "practice"

    @property
    def redis_socket(self) -> Path:
        return self.sockets / "redis.sock"


def prepare(data: Path) -> Layout:
    """Makes the data folder and its parts where they are missing, and the secret key. Harmless when repeated.

    Raises:
        CannotStart: if the folder cannot be made or written, or its disk is full.
    """
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("run/heartbeats", "logs", "redis", "practice"):
            (data / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        installation.data_set(data).mkdir(exist_ok=True, mode=0o700)
        _need_space(data)
        _keep_secret_key(data / "secret.key")
        return Layout(data=data, sockets=_socket_folder(data))
    except OSError as error:
        raise cannot_write(data, error) from error


def cannot_write(data: Path, error: OSError) -> CannotStart:
    """The sentence for an error of the file system under ``data``."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CannotStart(f"The disk of {data} is full: free some space, then start again. Nothing is lost.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        where = error.filename or data
        return CannotStart(f"You may not write in {where} ({error.strerror}). {_ELSEWHERE}", exit_code=2)
    if error.errno == errno.ENAMETOOLONG:
        return CannotStart(f"The path of the data folder {str(data)[:60]}… is too long. {_ELSEWHERE}", exit_code=2)
    return CannotStart(f"The data folder {data} cannot be used ({error.strerror}). {_ELSEWHERE}", exit_code=2)


@contextmanager
def claim(layout: Layout) -> Iterator[None]:
    """Holds the data folder for this process. The kernel lets go when the process ends, however it ends, so a process
    id left in the file by a killed run means nothing.

    Raises:
        CannotStart: if another run holds it; says which process.
    """
    file = layout.run / "lock"
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise cannot_write(layout.data, error) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 20).decode(errors="replace").strip() or "unknown"
            raise CannotStart(
                f"Omroeper runs on {layout.data} already (process {holder}). Stop it first (Ctrl-C in its window, "
                f"or kill {holder}), or start this one elsewhere with OMROEPER_DATA=another-folder."
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def is_claimed(data: Path) -> bool:
    """Whether an installation runs on this data folder now."""
    try:
        handle = os.open(data / "run" / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)


def _need_space(data: Path) -> None:
    free = os.statvfs(data)
    available = free.f_bavail * free.f_frsize
    if available < NEEDED_BYTES:
        raise CannotStart(
            f"The disk of {data} has {available // 2**20} MB left and {NEEDED_BYTES // 2**20} MB are needed: "
            f"free some space, or choose another folder with OMROEPER_DATA."
        )


def _keep_secret_key(file: Path) -> None:
    if file.exists() or os.environ.get("OMROEPER_SECRET_KEY") or os.environ.get("OMROEPER_SECRET_KEY_FILE"):
        return
    draft = file.with_name(f".secret.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(secrets.token_urlsafe(50) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        # A link appears whole or not at all, and never replaces the key that another process made first.
        with suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink()


def _socket_folder(data: Path) -> Path:
    near = data / "run" / "sockets"
    if len(os.fsencode(near / "redis.sock")) <= SOCKET_PATH_BYTES and _PLAIN.fullmatch(str(near)):
        near.mkdir(exist_ok=True, mode=0o700)
        return near
    record = data / "run" / "sockets-at"
    with suppress(OSError):
        recorded = Path(record.read_text().strip())
        if recorded.is_absolute() and _is_private(recorded):
            return recorded
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    for base in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - owner and mode are checked below
        far = Path(base) / f"omroeper-{os.getuid()}-{digest}"
        if len(os.fsencode(far / "redis.sock")) <= SOCKET_PATH_BYTES and _PLAIN.fullmatch(str(far)):
            with suppress(FileExistsError):
                far.mkdir(mode=0o700)
            if not _is_private(far):
                raise CannotStart(f"{far} exists and is not yours alone: remove it, or set TMPDIR to another folder.")
            record.write_text(f"{far}\n")
            return far
    raise CannotStart(f"No folder has a path short enough for a socket. {_ELSEWHERE}", exit_code=2)


def _is_private(folder: Path) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) == 0o700
