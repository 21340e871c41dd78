"""What a newcomer sees after ``make run``: the corona announcement in five places, all saying the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import lxml.html

from dispatcher.embedded import state
from tests.support.side_by_side import PLACES, Shown

PATIENCE = 180.0


def test_the_town_shows_the_example_in_five_places(scratch_folder: Path) -> None:
    data = scratch_folder / "data"
    with subprocess.Popen(
        [Path(sys.executable).with_name("omroeper"), "run", "--port", "0", "--residents", "25", "--json"],
        env={**os.environ, "OMROEPER_DATA": str(data), "DATABASE_URL": "", "OMROEPER_PRACTICE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            shown = _once_all_agree(data, process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)

    assert "Door het coronavirus werken wij anders" in shown.text
    for place in PLACES:
        assert "Onze dienstverlening is veranderd door het coronavirus" in shown.words(f"column-{place}-drawn"), place


def _once_all_agree(data: Path, process: subprocess.Popen[bytes]) -> Shown:
    """The town's page, once every place has the announcement."""
    deadline = time.monotonic() + PATIENCE
    words = "nothing yet"
    with httpx.Client(timeout=10, trust_env=False) as client:
        while time.monotonic() < deadline:
            assert process.poll() is None, "it ended"
            running = state.running(data)
            if running and "town" in running.urls:
                try:
                    shown = Shown(lxml.html.document_fromstring(client.get(f"{running.urls['town']}/").content))
                except httpx.TransportError:  # it is still starting
                    continue
                words = shown.words("verdict")
                if words.startswith("Alle 5 zeggen hetzelfde."):
                    return shown
            time.sleep(0.2)
    raise AssertionError(f"not all of it arrived: {words}")
