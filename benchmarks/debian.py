"""Programs of other makers that a benchmark compares with: from PATH, else from Debian's packages.

A package is unpacked into the virtual environment and never installed: nothing is set up or started by it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_ADMIN_FOLDERS = ("/usr/sbin", "/usr/local/sbin")  # not on everybody's PATH


class Unavailable(Exception):
    """A program is not there and cannot be fetched. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """Path of a program, and what its environment needs beside ours."""

    path: str
    environment: Mapping[str, str]

    @property
    def whole_environment(self) -> dict[str, str]:
        """Ours with what the program needs."""
        return {**os.environ, **self.environment}


def program(name: str, packages: Sequence[str], libraries: str = "") -> Program:
    """The program ``name``: from PATH, else from ``packages``, the first of which holds it.

    ``libraries`` is the folder in the packages with shared libraries of their own; empty where they are Debian's usual
    ones.

    Raises:
        Unavailable: with the remedy.
    """
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *_ADMIN_FOLDERS]))
    if found:
        return Program(found, {})
    folder = Path(sys.prefix) / packages[0]
    if not _in(folder, name):
        _fetch(name, packages, folder)
    path = _in(folder, name)
    if path is None:
        raise Unavailable(f"The package {packages[0]} holds no {name}. See that {name} is on PATH.")
    where = _libraries(folder, libraries)
    unpacked = Program(str(path), {"LD_LIBRARY_PATH": where} if where else {})
    _need_libraries(unpacked, name, packages[0])
    return unpacked


def _in(folder: Path, name: str) -> Path | None:
    return next((path for below in ("usr/bin", "usr/sbin") if (path := folder / below / name).exists()), None)


def _libraries(folder: Path, own: str) -> str:
    if own:
        return str(folder / own)
    return os.pathsep.join(sorted({str(path.parent) for path in (folder / "usr/lib").rglob("*.so*")}))


def _fetch(name: str, packages: Sequence[str], folder: Path) -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Unavailable(
            f"This benchmark needs {name}, and this machine has no apt-get to fetch it with: install it, and see that "
            "it is on PATH."
        )
    with tempfile.TemporaryDirectory(prefix="omroeper-packages-") as download:
        if not _downloaded(packages, download) and os.geteuid() == 0:
            subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
            _downloaded(packages, download)
        files = [file for package in packages for file in Path(download).glob(f"{package}_*.deb")]
        if len(files) < len(packages):
            raise Unavailable(
                f"This benchmark needs {name}, and the package {packages[0]} could not be fetched. Run apt-get update "
                f"as root and try again, or see that {name} is on PATH."
            )
        for file in files:
            subprocess.run(["dpkg-deb", "-x", file, folder], check=True)


def _downloaded(packages: Sequence[str], folder: str) -> bool:
    done = subprocess.run(["apt-get", "download", *packages], cwd=folder, check=False, capture_output=True)
    return done.returncode == 0


def _need_libraries(unpacked: Program, name: str, package: str) -> None:
    told = subprocess.run(
        ["ldd", unpacked.path], env=unpacked.whole_environment, check=False, capture_output=True, text=True
    ).stdout
    missing = [line.split()[0] for line in told.splitlines() if "not found" in line]
    if missing:
        raise Unavailable(
            f"{name} was unpacked, but this machine lacks {', '.join(missing)}. Install the libraries that the package "
            f"{package} depends on (apt-cache depends {package} names them)."
        )
