"""A headless Chromium for the tests of pages, and what they do on that of the server."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
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


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a profile of its own; skips the test where none is installed."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser here: install one of {', '.join(NAMES)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def page_of(browser: Browser, url: str, **context: Any) -> Iterator[Page]:
    """The page, ready for a text. Fails where it logs an error, as it does for a broken policy."""
    made = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
    page = made.new_page()
    page.set_default_timeout(20_000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: problems.append(message.text) if message.type == "error" else None,
    )
    page.goto(url)
    page.wait_for_selector("#model:enabled")
    yield page
    made.close()
    # A status of 400 or more is logged by the browser itself; the page tells it in words.
    assert [one for one in problems if "Failed to load resource" not in one] == []


def encode(page: Page, text: str) -> None:
    """Have a text encoded and wait for the verdict."""
    page.fill("#text", text)
    page.click("#encode")
    page.wait_for_selector("#facts:not([hidden])")


def json_of(page: Page) -> str:
    """The JSON that is shown, without the spaces of its layout."""
    return page.evaluate(
        "() => [...document.querySelectorAll('#json .line')].map((line) =>"
        " [...line.children].map((child) => child.textContent).join('')).join('')"
    )
