"""Makes the README's pictures: ``make picture``. Starts a town, announces two examples, and photographs its pages."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import sys
import tempfile
from pathlib import Path

import httpx
from playwright.async_api import Browser, async_playwright

from dispatcher.embedded.start import Embedded, Options
from tests.support import browser as browsers

PICTURES = Path(__file__).parent / "pictures"
EXAMPLES = Path(__file__).parents[1] / "examples"
CORONA, VISION = "door-het-coronavirus-werken-wij-anders", "zo-willen-wij-met-u-praten"
STAGES = re.compile(r"^stages: .*$", re.MULTILINE)  # nobody waits for a picture
FRAME = """<html><body style="margin:0;background:#dfe5ec;font-family:sans-serif"><div style="display:grid;
grid-template-columns:1.45fr 1fr 1fr;gap:16px;padding:16px;width:1600px;height:900px;box-sizing:border-box">{parts}
</div></body></html>"""
PART = """<div style="overflow:hidden;border-radius:10px;box-shadow:0 2px 10px rgb(0 0 0/18%);background:#fff">
<img style="width:100%;display:block" src="data:image/png;base64,{data}"></div>"""
SIZES = {"follow": (1160, 1580), "page": (800, 1580), "mail": (800, 1580)}
TOWN = (1280, 1180)


async def _announce(town: Embedded, folder: Path) -> str:
    """Announces the examples to a small town; returns the path of the first one's follow page."""
    environment = {**os.environ, **town.environment}
    command = Path(sys.executable).with_name("omroeper")
    vision = folder / "vision.md"
    vision.write_text(STAGES.sub("", (EXAMPLES / "vision.md").read_text(encoding="utf-8")), encoding="utf-8")
    said = ""
    for arguments in (
        ["practice", "populate", "300"],
        ["announce", str(EXAMPLES / "corona.md"), "--wait", "--json"],
        ["announce", str(vision), "--wait", "--json"],
    ):
        process = await asyncio.create_subprocess_exec(
            command, *arguments, env=environment, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        said += out.decode()
    key = re.search(r'"key": "([0-9a-f]{32})"', said)
    assert key is not None, said
    return f"/console/follow/{key[1]}/"


async def _photograph(browser: Browser, url: str, size: tuple[int, int]) -> bytes:
    page = await browser.new_page(viewport={"width": size[0], "height": size[1]})
    await page.goto(url)
    data = await page.screenshot()
    await page.close()
    return data


async def _overview(browser: Browser, urls: dict[str, str]) -> bytes:
    """The follow page, the public page and a mail beside each other."""
    shots = [await _photograph(browser, urls[name], SIZES[name]) for name in SIZES]
    page = await browser.new_page(viewport={"width": 1600, "height": 900})
    parts = "".join(PART.format(data=base64.b64encode(shot).decode()) for shot in shots)
    await page.set_content(FRAME.format(parts=parts))
    return await page.screenshot()


async def main() -> None:
    """Writes ``docs/pictures/town.png``, in which somebody changed the post, and ``overview.png``."""
    with tempfile.TemporaryDirectory() as folder:
        async with Embedded(Options(data=Path(folder) / "data", port=0)) as town, async_playwright() as playwright:
            follow = await _announce(town, Path(folder))
            browser = await playwright.chromium.launch(executable_path=browsers.find(), args=["--no-sandbox"])
            site, practice = town.urls["site"], town.urls["town"]
            urls = {"follow": f"{site}{follow}", "page": f"{site}/nl/{CORONA}/", "mail": f"{practice}/message/1"}
            PICTURES.mkdir(exist_ok=True)
            (PICTURES / "overview.png").write_bytes(await _overview(browser, urls))
            async with httpx.AsyncClient(trust_env=False) as stranger:
                await stranger.post(f"{practice}/town/tamper", data={"slug": VISION, "language": "en", "do": "fact"})
            shot = await _photograph(browser, f"{practice}/?on={VISION}&lang=en", TOWN)
            (PICTURES / "town.png").write_bytes(shot)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
