"""What the tests in a real browser share: logging in, pasting, looking."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.console_desk import PASSWORD, ConsoleDesk

expect.set_options(timeout=20_000)  # as the pages' own limit: machines are busy

SCREENSHOTS = os.environ.get("DESKMATE_TEST_SCREENSHOTS", "")
"""A folder for pictures of every page."""


def pages_of(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a browser of its own for each person; nothing may go wrong in its scripts."""
    contexts, wrong = [], []

    def make(**options: Any) -> Page:
        context = browser.new_context(**options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda m: wrong.append(m.text) if "Content Security" in m.text else None)
        return page

    yield make
    for context in contexts:
        context.close()
    assert wrong == []


def log_in(page: Page, desk: ConsoleDesk, name: str) -> None:
    """Somebody logs in, and is at the inbox."""
    page.goto(f"{desk.address}/log-in")
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"{desk.address}/")


def paste(page: Page, selector: str, picture: bytes) -> None:
    """Pastes a picture, as the browser tells the page when somebody does."""
    page.locator(selector).evaluate(
        """(element, content) => {
            const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "image.png", {type: "image/png"}));
            element.dispatchEvent(
                new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})
            );
        }""",
        base64.b64encode(picture).decode(),
    )


def look(page: Page, name: str) -> None:
    """Checks a page with axe, and keeps a picture of it if somebody wants to look."""
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png", full_page=True)
    found = Axe().run(page).response["violations"]
    bad = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not bad, [(one["id"], [n["html"][:200] for n in one["nodes"]]) for one in bad]
