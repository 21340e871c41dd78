"""What a newcomer sees after ``make run``: the corona announcement in five places, all saying the same."""

from __future__ import annotations

import json
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


SLUG = "door-het-coronavirus-werken-wij-anders"


def test_the_town_shows_the_example_in_five_places_and_proving_finds_a_stranger(scratch_folder: Path) -> None:
    data = scratch_folder / "data"
    environment = {**os.environ, "OMROEPER_DATA": str(data), "DATABASE_URL": "", "OMROEPER_PRACTICE": "1"}
    with subprocess.Popen(
        [Path(sys.executable).with_name("omroeper"), "run", "--port", "0", "--residents", "25", "--json"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            shown = _once_all_agree(data, process)
            before = _prove(environment)
            running = state.running(data)
            assert running is not None
            form = {"slug": SLUG, "language": "nl", "do": "text"}
            httpx.post(f"{running.urls['town']}/town/tamper", data=form, trust_env=False)
            after = _prove(environment)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)

    assert "Door het coronavirus werken wij anders" in shown.text
    for place in PLACES:
        assert "Onze dienstverlening is veranderd door het coronavirus" in shown.words(f"column-{place}-drawn"), place
    assert [each for each in before if each["result"] != "same"] == []
    assert [(each["outlet"], each["target"]) for each in after if each["result"] == "differs"] == [("mastodon", "nl")]


def _prove(environment: dict[str, str]) -> list[dict[str, str]]:
    """What ``omroeper prove`` finds, in a second terminal."""
    done = subprocess.run(
        [Path(sys.executable).with_name("omroeper"), "prove", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


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
            time.sleep(0.2)  # a page of another process: nothing can be awaited of it
    raise AssertionError(f"not all of it arrived: {words}")
