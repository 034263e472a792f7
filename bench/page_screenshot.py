"""Draws docs/page.png: the server's page, in a headless browser, with an answer on it.

spokesmith serve &
python bench/page_screenshot.py [--url URL] [--example NUMBER] [--width PIXELS] [--dark]
"""

import argparse
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

DOCS = Path(__file__).parents[1] / "docs"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HEIGHT = 1000
ANSWER_LIMIT_MS = 300_000


def draw(browser: Browser, options: argparse.Namespace) -> None:
    """Encode an example of the page's own, point at a value, and draw what is seen."""
    page = browser.new_page(
        viewport={"width": options.width, "height": HEIGHT},
        color_scheme="dark" if options.dark else "light",
    )
    page.set_default_timeout(ANSWER_LIMIT_MS)
    page.goto(options.url)
    page.wait_for_selector("#model:enabled")
    page.click(f"[data-example='{options.example}']")
    page.click("#encode")
    page.wait_for_selector("#facts:not([hidden]), #problem:not([hidden])")
    if page.locator("#problem").is_visible():
        raise ValueError(f"the server gave no answer: {page.inner_text('#problem')}")
    page.locator("#json .quote").nth(1).focus()
    page.evaluate("window.scrollTo(0, 0)")
    page.screenshot(path=options.out)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", default="http://127.0.0.1:8899")
    parser.add_argument("--example", type=int, choices=range(3), default=0)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--out", type=Path, default=DOCS / "page.png")
    options = parser.parse_args()
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        sys.exit(f"no browser here: install one of {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        draw(playwright.chromium.launch(executable_path=path, args=FLAGS), options)


if __name__ == "__main__":
    main()
