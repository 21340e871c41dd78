"""Makes the README's picture: ``make picture``. Starts a town, announces the example, and photographs three pages."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from dispatcher.embedded.start import Embedded, Options
from tests.support import browser as browsers

PICTURE = Path(__file__).parent / "pictures" / "overview.png"
FRAME = """<html><body style="margin:0;background:#dfe5ec;font-family:sans-serif"><div style="display:grid;
grid-template-columns:1.45fr 1fr 1fr;gap:16px;padding:16px;width:1600px;height:900px;box-sizing:border-box">{parts}
</div></body></html>"""
PART = """<div style="overflow:hidden;border-radius:10px;box-shadow:0 2px 10px rgb(0 0 0/18%);background:#fff">
<img style="width:100%;display:block" src="data:image/png;base64,{data}"></div>"""
SIZES = {"follow": (1160, 1580), "page": (800, 1580), "mail": (800, 1580)}


async def _announce(town: Embedded) -> str:
    """Announces the example to a small town; returns the path of its follow page."""
    environment = {**os.environ, **town.environment}
    command = Path(sys.executable).with_name("omroeper")
    for arguments in (
        ["practice", "populate", "300"],
        ["announce", str(Path(__file__).parents[1] / "examples" / "corona.md"), "--wait", "--json"],
    ):
        process = await asyncio.create_subprocess_exec(
            command, *arguments, env=environment, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
    key = re.search(r'"key": "([0-9a-f]{32})"', out.decode())
    assert key is not None, out.decode()
    return f"/console/follow/{key[1]}/"


async def _photograph(browser: Browser, url: str, size: tuple[int, int]) -> str:
    page = await browser.new_page(viewport={"width": size[0], "height": size[1]})
    await page.goto(url)
    data = base64.b64encode(await page.screenshot()).decode()
    await page.close()
    return data


async def main() -> None:
    """Writes ``docs/pictures/overview.png``."""
    with tempfile.TemporaryDirectory() as folder:
        async with Embedded(Options(data=Path(folder) / "data", port=0)) as town, async_playwright() as playwright:
            follow = await _announce(town)
            browser = await playwright.chromium.launch(executable_path=browsers.find(), args=["--no-sandbox"])
            site, mailbox = town.urls["site"], town.urls["town"]
            urls = {
                "follow": f"{site}{follow}",
                "page": f"{site}/nl/door-het-coronavirus-werken-wij-anders/",
                "mail": f"{mailbox}/message/1",
            }
            parts = [PART.format(data=await _photograph(browser, urls[name], SIZES[name])) for name in SIZES]
            page = await browser.new_page(viewport={"width": 1600, "height": 900})
            await page.set_content(FRAME.format(parts="".join(parts)))
            PICTURE.parent.mkdir(exist_ok=True)
            await page.screenshot(path=PICTURE)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
