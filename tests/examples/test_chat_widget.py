"""examples/chat_widget.html in a real browser, on a page of another origin than the API's."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assistant.model.encoder import MultimodalEncoder
from tests.api_desk import ApiDesk
from tests.channel_desk import eventually
from tests.pictures import png

sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")

WIDGET = Path(__file__).parents[2] / "examples/chat_widget.html"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PATIENCE_MS = 90_000
NOTE_STEPS = """
    window.steps = [];
    const note = ({ addedNodes }) => addedNodes.forEach((text) => steps.push(text.textContent));
    new MutationObserver((changes) => changes.forEach(note)).observe(
      document.getElementById("step"), { childList: true });
"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a company's web site, and its folder."""
    folder = tmp_path / "shop"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


@pytest.fixture
def api(data_dir: Path, encoder: MultimodalEncoder) -> Iterator[ApiDesk]:
    """A desk with real models that knows the help centre."""
    settings = {"policy": {"reply_at": 0.2, "draft_at": 0.1}}
    with ApiDesk(data_dir, answer=None, settings=settings) as desk:
        desk.desk.encoder = encoder
        yield desk


@pytest.fixture
def page(shop: tuple[str, Path], api: ApiDesk) -> Iterator[sync_api.Page]:
    """The widget, with a key for its page."""
    if CHROMIUM is None:
        pytest.skip("no Chromium: install Debian's `chromium`")
    address, folder = shop
    key = api.key("messages:write", origins=[address])
    widget = WIDGET.read_text(encoding="utf-8")
    widget = widget.replace("http://127.0.0.1:8080/api", f"{api.url}/api").replace("dk_…", key)
    (folder / "index.html").write_text(widget, encoding="utf-8")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(address)
        yield page
        browser.close()


def test_a_customer_asks_with_a_screenshot_sees_the_steps_and_the_cited_answer(
    page: sync_api.Page, api: ApiDesk
) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.evaluate(NOTE_STEPS)
    picture = png("Upload stopped\nKT-4031\nQuota exceeded")

    # Without a mark at its end the desk waits for more, while the browser begins to follow.
    page.get_by_label("Your question").fill("What does the error KT-4031 mean")
    page.get_by_label("Screenshot").set_input_files(
        {"name": "screen.png", "mimeType": "image/png", "buffer": picture}
    )
    page.get_by_role("button", name="Send").click()
    answer = page.locator("#said .assistant").inner_text()

    assert "the disk quota of your account is used up" in answer
    assert "[1] Sync error KT-4031" in answer
    steps = page.evaluate("window.steps")
    assert any("Looking into it" in step for step in steps)
    assert api.tickets.messages(1)[0].attachments[0].content == picture

    page.get_by_role("button", name="That helped").click()
    eventually(lambda: [one.helpful for one in api.tickets.feedback.of_ticket(1)] == [True])
    page.get_by_label("Your question").fill("How do I download an invoice? <img src=x>")
    page.get_by_role("button", name="Send").click()
    page.locator("#said .assistant").nth(1).wait_for()
    assert page.locator("#said .customer").nth(1).inner_text().endswith("<img src=x>")
    assert page.locator("#said img").count() == 0
    page.get_by_role("button", name="Talk to a person").click()
    eventually(lambda: api.tickets.ticket(1).status == "handed over")
    assert len(api.tickets.messages(1)) == 3
    assert problems == []
