"""A browser for tests: the machine's own Chromium, else one that ``make test`` could install.

``python -m tests.support.browser`` sees to it that there is one, and says so where that cannot be.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MISSING = (
    "There is no browser here and none could be installed: the tests that need one are skipped. "
    "Install Chromium with your system's package manager, then run this again."
)


def find() -> str | None:
    """The path of a Chromium: on PATH, else the one that Playwright has downloaded."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).is_file() else None


def install() -> None:
    """Tries the distribution's packages where that is allowed, then Playwright's own download."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "chromium"]):
            done = subprocess.run(["apt-get", *arguments], env=environment, stdout=subprocess.DEVNULL, check=False)
            if done.returncode:
                break
        else:
            return
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> None:
    if find() is None:
        sys.stdout.write("Installing a browser for the tests (once) …\n")
        sys.stdout.flush()
        install()
        if find() is None:
            sys.stdout.write(f"{MISSING}\n")


if __name__ == "__main__":
    main()
