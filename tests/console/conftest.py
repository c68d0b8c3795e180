from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.console.browsing import pages_of
from tests.console.visitor import Visitor
from tests.console_desk import ConsoleDesk


@pytest.fixture
def office(tmp_path: Path) -> Iterator[ConsoleDesk]:
    """A console without models and without people; messages are stored and not answered."""
    with ConsoleDesk(tmp_path / "data") as desk:
        yield desk


@pytest.fixture
def visitor(office: ConsoleDesk) -> Iterator[Visitor]:
    """Somebody who is not logged in."""
    with Visitor(office.address) as visitor:
        yield visitor


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium: install Debian's `chromium`")
    with sync_playwright() as playwright:
        # Containers have no user namespaces, which Chromium's sandbox needs.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a browser of its own for each person."""
    yield from pages_of(browser)
