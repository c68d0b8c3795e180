"""The console in real Chromium, as people use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from assistant import Attachment, Message
from assistant.model.encoder import MultimodalEncoder
from tests.console.attacks import XSS
from tests.console.browsing import log_in, look
from tests.console_desk import PASSWORD, ConsoleDesk
from tests.films import film
from tests.pictures import png, screenshot
from tests.slack_desk import eventually


@pytest.fixture
def desk(data_dir: Path, encoder: MultimodalEncoder) -> Iterator[ConsoleDesk]:
    """A desk that answers, with an agent kim and an agent bea."""
    with ConsoleDesk(data_dir, encoder, working=True) as desk:
        desk.desk.warm_up()
        desk.add("chief", "admin")
        desk.add("kim")
        desk.add("bea")
        yield desk


def answered(desk: ConsoleDesk) -> None:
    eventually(lambda: not desk.tickets.left(), 60)


def test_the_first_administrator_comes_by_the_link(
    office: ConsoleDesk, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(office.address)
    expect(page.locator("main")).to_contain_text("Open the link")

    page.goto(str(office.setup.link(office.address)))
    page.fill("[name=name]", "mara")
    page.fill("[name=password]", PASSWORD)
    page.click("text=Create the account")

    expect(page.locator("#notices")).to_contain_text("Welcome, mara")
    expect(page.locator("main")).to_contain_text("All caught up")


def test_a_screenshot_arrives_and_its_draft_is_sent(
    desk: ConsoleDesk, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    log_in(page, desk, "kim")
    expect(page.locator("#list")).to_contain_text("All caught up")

    desk.receive(
        "My upload stopped with this error", "Upload stopped",
        pictures=[png("Upload stopped\nKT-4031\nQuota exceeded")],
    )  # fmt: skip
    page.locator("#list a", has_text="Upload stopped").click()  # it came by itself

    picture = page.locator(".turn .thumb img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") == 360
    expect(page.locator(".outcome")).to_contain_text("quota")
    assert page.locator(".picture .spot").count() > 0
    page.hover(".sentence[data-cites]")
    expect(page.locator(".passage.lit mark").first).to_contain_text("quota")
    expect(page.locator(".panel")).to_contain_text("Plan: Team, 12 seats")

    page.click("button:text-is('Send')")

    expect(page.locator("#notices")).to_contain_text("on its way")
    eventually(lambda: desk.window.sent)
    assert "quota" in desk.window.sent[0].text
    expect(page.locator(".turn.reply .badge")).to_have_count(0)  # sent, and the page was told


def test_a_recording_is_played_from_anywhere_and_its_scenes_are_explained(
    desk: ConsoleDesk, new_page: Callable[..., Page]
) -> None:
    scenes = [(screenshot(text), 3.0) for text in ("Uploads", "Upload stopped\nKT-4031")]
    recording = Attachment("video/webm", "screen.webm", film(scenes, "webm"))
    desk.receive("It stops, see the recording", "Upload stopped", files=[recording])
    answered(desk)
    page = new_page()
    log_in(page, desk, "kim")
    page.goto(f"{desk.address}/tickets/1")

    video = page.locator(".turn video")
    video.evaluate(
        """video => new Promise((done) => {
            video.addEventListener("seeked", done, {once: true});
            video.currentTime = 5;
        })"""
    )

    assert video.evaluate("video => video.currentTime") == 5
    expect(page.locator(".picture")).to_have_count(2)
    expect(page.locator(".picture").nth(1)).to_contain_text("Scene 2 of screen.webm")
    assert page.locator(".picture .spot").count() > 0
    for number in range(2):
        loaded = page.request.get(f"{desk.address}/files/1/0/scenes/{number}")
        assert loaded.headers["content-type"] == "image/jpeg"
    look(page, "ticket-recording")


def test_a_corrected_draft_is_sent_by_keyboard_alone(
    desk: ConsoleDesk, new_page: Callable[..., Page]
) -> None:
    desk.receive("How do I download an invoice?", "Invoices")
    answered(desk)
    page = new_page()
    log_in(page, desk, "kim")

    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tickets/1")
    page.keyboard.press("e")
    page.keyboard.press("Control+End")
    page.keyboard.type(" Write to us if a month is missing.")
    expect(page.locator("#difference ins").last).to_contain_text("missing")
    page.keyboard.press("Control+Enter")

    expect(page.locator("#notices")).to_contain_text("on its way")
    eventually(lambda: desk.window.sent)
    assert desk.window.sent[0].text.endswith("Write to us if a month is missing.")
    (reply,) = desk.tickets.replies.of_ticket(1)
    assert (reply.author, reply.approved_by) == ("staff", "kim")
    page.click("text=Changed by kim")
    expect(page.locator(".turn.reply ins").last).to_contain_text("missing")


def test_a_new_agent_sends_a_first_corrected_draft_by_keyboard(
    desk: ConsoleDesk, new_page: Callable[..., Page]
) -> None:
    """Noa's first minute: she was told the address and the password, and touches no mouse."""
    desk.add("noa")
    desk.receive("How do I download an invoice?", "Invoices")
    answered(desk)
    page = new_page()
    keys = page.keyboard

    # She logs in: the cursor is where her name goes.
    page.goto(desk.address)
    expect(page.locator("[name=name]")).to_be_focused()
    keys.type("noa")
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    page.wait_for_url(f"{desk.address}/")

    # One ticket needs her. She asks which keys there are, and goes to it.
    expect(page.locator(".tickets tbody tr")).to_have_count(1)
    keys.press("?")
    expect(page.locator("#help")).to_be_visible()
    keys.press("Escape")
    keys.press("j")
    keys.press("Enter")
    page.wait_for_url("**/tickets/1")

    # She reads what the draft rests on, with Tab alone.
    page.locator(".sentence[data-cites]").first.focus()
    expect(page.locator(".passage.lit")).to_have_count(1)

    # She corrects it, sees what she changed, and sends it.
    keys.press("e")
    keys.press("Control+End")
    keys.type(" Best wishes, Noa")
    expect(page.locator("#difference ins").last).to_contain_text("Noa")
    keys.press("Control+Enter")
    expect(page.locator("#notices")).to_contain_text("on its way")
    eventually(lambda: desk.window.sent)

    # The customer has her words, and everybody sees whose they are.
    assert desk.window.sent[0].text.endswith("Best wishes, Noa")
    (reply,) = desk.tickets.replies.of_ticket(1)
    assert (reply.author, reply.approved_by) == ("staff", "noa")
    page.wait_for_load_state()  # only then do single keys mean something
    keys.press("u")
    page.wait_for_url(f"{desk.address}/")
    expect(page.locator("main")).to_contain_text("All caught up")


def test_the_keys_lead_to_buttons_and_do_not_press_them(
    desk: ConsoleDesk, new_page: Callable[..., Page]
) -> None:
    desk.receive("How do I download an invoice?", "Invoices")
    answered(desk)
    page = new_page()
    log_in(page, desk, "kim")
    page.goto(f"{desk.address}/tickets/1")

    for key, words in (("s", "Send"), ("h", "Take over"), ("d", "Discard")):
        page.keyboard.press(key)
        expect(page.locator("button:focus")).to_have_text(words)
    assert not desk.window.sent
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("h")
    page.keyboard.press("Enter")

    expect(page.locator("#notices")).to_contain_text("The ticket is yours")
    assert desk.tickets.ticket(1).owner == "kim"
    page.keyboard.press("u")
    page.wait_for_url(f"{desk.address}/")


def test_two_people_see_each_other_and_only_one_sends(
    desk: ConsoleDesk, new_page: Callable[..., Page]
) -> None:
    desk.receive("How do I download an invoice?", "Invoices")
    answered(desk)
    kim, bea = new_page(), new_page()
    for page, name in ((kim, "kim"), (bea, "bea")):
        log_in(page, desk, name)
        page.goto(f"{desk.address}/tickets/1")
    expect(kim.locator("#presence")).to_contain_text("bea is here too")
    expect(bea.locator("#presence")).to_contain_text("kim is here too")

    kim.fill("#text", "Written by kim while bea was faster.")
    bea.click("button:text-is('Send')")
    expect(bea.locator("#notices")).to_contain_text("on its way")
    expect(kim.locator("#stale")).to_contain_text("bea sent this draft")
    expect(kim.locator("#text")).to_have_value("Written by kim while bea was faster.")
    kim.click("button:text-is('Send')")

    expect(kim.locator(".problem")).to_contain_text("bea sent this draft already")
    expect(kim.locator("#text")).to_have_value("Written by kim while bea was faster.")
    eventually(lambda: desk.window.sent)
    assert len(desk.tickets.replies.of_ticket(1)) == 1


def test_a_colleague_asks_notes_searches_and_solves(
    desk: ConsoleDesk, new_page: Callable[..., Page]
) -> None:
    desk.receive("How do I download an invoice?", "Invoices")
    desk.receive("What does the Team plan cost?", "Prices")
    answered(desk)
    page = new_page()
    log_in(page, desk, "kim")

    page.keyboard.press("/")
    page.keyboard.type("team pla")
    expect(page.locator(".tickets tbody tr")).to_have_count(1)
    page.click("text=Prices")
    page.wait_for_url("**/tickets/2")
    page.keyboard.press("a")
    page.keyboard.type("How much may I refund?")
    page.keyboard.press("Enter")
    expect(page.locator("#asked")).to_contain_text("200 euros")
    expect(page.locator("#asked .badge").first).to_have_text("internal")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.keyboard.type("They ask for the third time.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".turn.note")).to_contain_text("third time")
    page.click("button:text-is('Solve')")

    expect(page.locator("#notices")).to_contain_text("Ticket 2 is solved")
    assert not desk.window.sent
    who = [(e.who, e.action) for e in desk.tickets.audit.of_ticket(2)]
    assert who == [("kim", "see"), ("kim", "ask"), ("kim", "note"), ("kim", "solve")]


def test_a_viewer_sees_and_cannot_act(desk: ConsoleDesk, new_page: Callable[..., Page]) -> None:
    desk.add("vic", "viewer")
    desk.receive("How do I download an invoice?", "Invoices")
    answered(desk)
    page = new_page()
    log_in(page, desk, "vic")
    page.goto(f"{desk.address}/tickets/1")

    expect(page.locator(".outcome")).to_be_visible()
    expect(page.locator("main form")).to_have_count(0)
    page.goto(f"{desk.address}/users")
    expect(page.locator(".problem")).to_contain_text("needs the role admin")


def test_asvs_1_3_what_customers_write_is_never_a_script(
    desk: ConsoleDesk, new_page: Callable[..., Page]
) -> None:
    for number, payload in enumerate(XSS, 1):
        desk.tickets.store_message(
            Message(
                "window", f"x{number}", f"x{number}", payload, f"How do invoices work? {payload}",
                payload, attachments=(Attachment("image/png", payload, b"<script>"),),
            )
        )  # fmt: skip
        desk.tickets.teamwork.note(number, payload, payload)
        desk.tickets.replies.write(number, payload, payload)
        desk.tickets.audit.note(payload, payload, payload, number)
    desk.panel.html = "<p>ok</p>" + "".join(XSS)
    page = new_page()
    called: list[str] = []
    page.expose_function("pwned", lambda: called.append(page.url))
    page.add_init_script("window.alert = () => pwned();")
    log_in(page, desk, "chief")

    page.goto(f"{desk.address}/?queue=all")
    expect(page.locator(".tickets tbody tr")).to_have_count(len(XSS))
    page.goto(f"{desk.address}/?queue=all&words=invoices+script")
    page.goto(f"{desk.address}/audit?who={XSS[4]}")
    for number in range(1, len(XSS) + 1):
        page.goto(f"{desk.address}/tickets/{number}", wait_until="commit")
        page.locator(".panel").wait_for()
        assert page.locator(".turn .words").first.inner_text().startswith("How do invoices work?")
    page.goto(f"{desk.address}/audit")

    assert called == []
    page.goto(f"{desk.address}/account")  # nothing logged us out either
    expect(page.locator("h1")).to_have_text("Your account")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(
    scheme: Any, desk: ConsoleDesk, new_page: Callable[..., Page]
) -> None:
    picture = png("Upload stopped\nKT-4031\nQuota exceeded")
    desk.receive("My upload stopped", "Upload stopped", pictures=[picture])
    answered(desk)
    desk.tickets.teamwork.note(1, "bea", "Please be quick.")
    page = new_page(color_scheme=scheme)

    page.goto(f"{desk.address}/log-in")
    look(page, f"log-in-{scheme}")
    log_in(page, desk, "chief")
    paths = {"inbox": "/", "ticket": "/tickets/1", "audit": "/audit", "users": "/users"}
    for name, path in {**paths, "account": "/account", "missing": "/tickets/99"}.items():
        page.goto(desk.address + path)
        if name == "ticket":
            page.locator(".panel").wait_for()
            page.locator("details.trace summary").first.click()
        look(page, f"{name}-{scheme}")
