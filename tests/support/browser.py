"""A real Chromium, and somebody who signs in with it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import expect, sync_playwright

from support import needs
from support.patience import PATIENCE_S
from support.running import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

PATIENCE_MS = 1000 * PATIENCE_S
"""The machine may be busy."""
_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Page]:
    """A fresh browser with one page; skips where there is no browser."""
    program = needs.browser() or needs.lacking(needs.BROWSER)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        yield page
        browser.close()


def sign_in(page: Page, url: str, name: str) -> None:
    """By name and password, on the hub's own page."""
    page.goto(f"{url}/hub/login")
    page.get_by_label("Username").fill(name)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/hub/home")
