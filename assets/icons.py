"""Draws the app's icons from our own bell, with a real browser: ``python -m assets.icons``, after bell.svg was changed.

The bell stands well within the middle 80 %, so that the same picture serves where a phone cuts icons to its own shape
(``maskable``); the ground runs to the edges.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.support.browser import find

HERE = Path(__file__).resolve().parent
SIZES = (192, 512)


def main() -> None:
    """Writes icon-192.png and icon-512.png beside bell.svg."""
    drawing = (HERE / "bell.svg").read_text().replace(' rx="5"', "").replace("<svg ", '<svg width="100%" ')
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=["--no-sandbox"])
        for size in SIZES:
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(f"<style>html, body {{ margin: 0; }} svg {{ display: block; }}</style>{drawing}")
            page.screenshot(path=HERE / f"icon-{size}.png")
        browser.close()


if __name__ == "__main__":
    main()
