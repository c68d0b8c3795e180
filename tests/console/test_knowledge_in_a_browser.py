"""Knowledge and quality in real Chromium, as people use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from assistant.knowledge.sources import Folder
from assistant.model.encoder import MultimodalEncoder
from benchmarks.full_desk import fill
from tests.console.browsing import log_in, look, paste
from tests.console_desk import ConsoleDesk, apart
from tests.help_centre import write_help_centre
from tests.pictures import png


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """The help centre's folder, with an article that may disagree with another one."""
    folder = tmp_path / "help"
    folder.mkdir()
    write_help_centre(folder)
    (folder / "devices.md").write_text(
        "# Devices\n\nThe Team plan allows at most 10 devices for each user.\n"
    )
    return folder


@pytest.fixture
def desk(articles: Path, tmp_path: Path, encoder: MultimodalEncoder) -> Iterator[ConsoleDesk]:
    with ConsoleDesk(tmp_path / "data", encoder) as desk:
        apart(lambda: desk.desk.index(Folder(articles, source="help")))
        desk.desk.warm_up()
        desk.add("lee", "lead")
        desk.add("kim")
        desk.add("vic", "viewer")
        yield desk


def test_a_pasted_screenshot_is_tried_step_by_step(
    desk: ConsoleDesk, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    log_in(page, desk, "kim")
    page.goto(f"{desk.address}/knowledge")
    page.click("text=Try a question")

    page.fill("#question", "My upload stopped")
    paste(page, "#question", png("Upload stopped\nKT-4031\nQuota exceeded"))
    expect(page.locator("[data-named]")).to_have_text("image.png")
    page.keyboard.press("Control+Enter")

    stages = page.locator(".stages > li")
    expect(stages).to_have_count(4)
    image = stages.nth(0).locator("svg image")
    expect(image).to_be_visible()
    assert page.request.get(desk.address + str(image.get_attribute("href"))).ok
    assert stages.nth(0).locator(".spot").count() > 0
    first = stages.nth(1).locator("tbody tr").first
    expect(first).to_contain_text("Sync error KT-4031")
    expect(first.locator(".rank.first").first).to_have_text("1")
    first.locator("summary").click()
    expect(first.locator(".parts")).to_contain_text("label, best passage")
    sentence = stages.nth(2).locator(".sentence[data-cites]").first
    expect(sentence).to_contain_text("Kite stops uploading")
    sentence.hover()
    expect(stages.nth(2).locator(".passage.lit mark").first).to_contain_text("Kite stops uploading")
    expect(stages.nth(3)).to_contain_text("draft")
    assert desk.tickets.list() == ()  # nothing is stored


def test_a_dropped_file_is_taken_and_seen_by_its_owner_only(
    desk: ConsoleDesk, new_page: Callable[..., Page]
) -> None:
    kim, lee = new_page(), new_page()
    log_in(kim, desk, "kim")
    log_in(lee, desk, "lee")
    kim.goto(f"{desk.address}/knowledge/try")

    kim.set_input_files("[data-takes]", {"name": "a.png", "mimeType": "image/png", "buffer": png()})
    kim.click("text=Try it")
    image = kim.locator(".stages svg image")
    expect(image).to_be_visible()

    address = desk.address + str(image.get_attribute("href"))
    assert kim.request.get(address).headers["content-type"] == "image/png"
    assert lee.request.get(address).status == 404


def test_a_lead_brings_articles_up_to_date_and_watches(
    desk: ConsoleDesk, articles: Path, new_page: Callable[..., Page]
) -> None:
    for number in range(40):
        (articles / f"more-{number}.md").write_text(f"# More {number}\n\nFolder {number} is kept.")
    page, other = new_page(), new_page()
    log_in(page, desk, "lee")
    log_in(other, desk, "vic")
    other.goto(f"{desk.address}/knowledge")
    expect(other.locator("main button", has_text="Update")).to_have_count(0)
    page.goto(f"{desk.address}/knowledge")
    page.click("text=Look for changes")
    expect(page.locator("table").first).to_contain_text("40 new, 0 changed, 0 gone")

    page.click("button:text-is('Update')")

    done = "help: 40 added, 0 changed, 0 removed, 6 unchanged"
    expect(page.locator("#work")).to_contain_text(done)
    expect(other.locator("#work")).to_contain_text(done)  # it was told
    assert [e.action for e in desk.tickets.audit.page(who="lee", action="index")] == ["index"]
    page.goto(f"{desk.address}/knowledge?words=more")
    page.click("#articles a >> nth=0")
    expect(page.locator("h1")).to_contain_text("More")


def test_gaps_hold_only_what_people_wrote(desk: ConsoleDesk, new_page: Callable[..., Page]) -> None:
    for text in ("Can I pay by PayPal?", "Do you accept PayPal?", "Where is the cat?"):
        message = desk.receive(text)
        outcome = desk.desk.ask(text)
        ticket = desk.tickets.find("window", message.thread_id)
        assert ticket
        handed = type(outcome)("hand over", "the sources do not settle “x”", "")
        desk.tickets.outcomes.store(ticket.id, message, [message.external_id], handed)
    reply = desk.tickets.replies.write(1, "kim", "PayPal is accepted on the Team plan.")
    desk.tickets.replies.record_sent(reply, "sent-1")
    page = new_page()
    log_in(page, desk, "kim")
    page.goto(f"{desk.address}/knowledge/gaps")
    expect(page.locator(".empty")).to_contain_text("Nobody has looked yet")

    page.click("text=Look now")
    expect(page.locator("#work")).to_contain_text("3 questions had no answer")
    page.reload()

    gap = page.locator(".gaps > li")
    expect(gap).to_have_count(1)
    expect(gap).to_contain_text("2 tickets")
    gap.locator("summary").click()
    outline = gap.locator("textarea").input_value()
    assert "- Can I pay by PayPal? (ticket 1)" in outline
    assert "- PayPal is accepted on the Team plan. (ticket 1)" in outline


def test_articles_that_may_disagree_stand_beside_each_other(
    desk: ConsoleDesk, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    log_in(page, desk, "kim")
    page.goto(f"{desk.address}/knowledge/overlaps")

    page.click("text=Compare now")
    expect(page.locator("#work")).to_contain_text("1 pair of passages may disagree")
    page.reload()

    card = page.locator(".gaps > li")
    expect(card).to_contain_text("may disagree")
    expect(card).to_contain_text("15 devices")
    expect(card).to_contain_text("10 devices")


def test_a_lead_previews_and_sets_thresholds(
    desk: ConsoleDesk, new_page: Callable[..., Page]
) -> None:
    fill(desk.desk.engine, 300)
    page = new_page()
    log_in(page, desk, "lee")
    page.click("nav >> text=Quality")
    expect(page.locator(".plot svg.pygal-chart")).to_have_count(8)
    expect(page.locator("#preview")).to_contain_text("With these thresholds")
    before = page.locator("#preview").inner_text()

    page.fill("[name=reply_at]", "0.5")
    expect(page.locator("#preview")).not_to_have_text(before)
    page.click("text=Set them")

    expect(page.locator("#notices")).to_contain_text("from the next message on")
    expect(page.locator(".thresholds")).to_contain_text("Set by lee")
    assert desk.desk.policy().reply_at == 0.5
    page.fill("[name=draft_at]", "0.9")
    page.click("text=Set them")
    expect(page.locator(".problem")).to_contain_text("drafts do not begin above replies")
    page.goto(f"{desk.address}/quality")
    page.click("text=Use the settings' again")
    expect(page.locator(".thresholds")).to_contain_text("As in the settings")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(
    scheme: Any, desk: ConsoleDesk, new_page: Callable[..., Page]
) -> None:
    fill(desk.desk.engine, 30)
    page = new_page(color_scheme=scheme)
    log_in(page, desk, "lee")

    page.goto(f"{desk.address}/knowledge/try")
    page.fill("#question", "My upload stopped with this error")
    paste(page, "#question", png("Upload stopped\nKT-4031\nQuota exceeded"))
    page.click("text=Try it")
    page.locator(".stages").wait_for()
    page.locator(".ranks summary").first.click()
    look(page, f"playground-{scheme}")
    for name, path in {
        "knowledge": "/knowledge",
        "article": "/knowledge/article?id=help/invoices.md",
        "quality": "/quality",
        "quality-90-days": "/quality?days=90",
        "quality-empty": "/quality?channel=nobody",
    }.items():
        page.goto(desk.address + path)
        expect(page.locator("text=Counting …")).to_have_count(0)
        look(page, f"{name}-{scheme}")
    for name in ("gaps", "overlaps"):
        page.goto(f"{desk.address}/knowledge/{name}")
        page.click(".section-head button")
        expect(page.locator("#work .finished")).to_be_visible()
        page.reload()
        look(page, f"{name}-{scheme}")
