"""Plugins, connectors, settings, keys and privacy in real Chromium, as an admin uses them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import tool
from playwright.sync_api import Page, expect
from pydantic import BaseModel, Field, SecretStr

from assistant import Tool, hookimpl
from assistant.messages import PluginFault
from assistant.tickets.repository import Tickets
from tests.console.browsing import log_in, look
from tests.console_desk import ConsoleDesk, Window

ORDERS_TOKEN = "orders-token-nobody-may-see"
REFUNDED: list[str] = []


class Orders:
    """A plugin with settings of several kinds, a secret, and a tool that needs approval."""

    class Settings(BaseModel):
        token: SecretStr = Field(SecretStr(""), description="The shop's token.")
        retries: int = Field(1, ge=0, le=5, description="How often it tries again.")
        greeting: str = Field("Hello", description="How it greets.")
        strict: bool = Field(False, description="Refuses what it does not know.")
        shops: tuple[str, ...] = Field(("main",), description="Shops it looks into.")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @hookimpl
    def register_tools(self, settings: Any) -> list[Tool]:
        @tool
        def refund(order: str) -> str:
            """Refunds an order."""
            REFUNDED.append(order)
            return f"Refunded {order}."

        return [Tool(refund, "approval")]


class Shop(Window):
    """A connector with the same settings."""

    name = "shop"

    def read_settings(self, table: Mapping[str, Any]) -> BaseModel:
        return Orders.Settings.model_validate(table)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsoleDesk]:
    """A desk with the plugin `orders` and a settings file of its own."""
    file = tmp_path / "deskmate.toml"
    file.write_text(
        "# ours, and it stays\n[plugins.orders]\nretries = 2 # twice\n"
        f'token = "{ORDERS_TOKEN}"\n[policy]\nreply_at = 0.9\n'
    )
    monkeypatch.setenv("DESKMATE_CONFIG", str(file))
    monkeypatch.setenv("DESKMATE_MODEL__THREADS", "1")
    REFUNDED.clear()
    with ConsoleDesk(tmp_path / "data", policy={"reply_at": 0.9}, model={"threads": 1}) as desk:
        table = tomllib.loads(file.read_text())["plugins"]["orders"]
        desk.desk.plugins.table("orders", table)
        desk.desk.plugins.register("orders", Orders, version="1.2", distribution="shop-orders")
        desk.add("chief", "admin")
        desk.add("lea", "lead")
        desk.add("kim")
        yield desk


def written() -> Any:
    from assistant import settings_file

    return tomllib.loads(settings_file.path().read_text())


def waiting_refund(tickets: Tickets) -> None:
    tickets.tool_calls.begin(
        "k1", ticket_id=1, tool="refund", plugin="orders", risk="approval",
        arguments={"order": "A-1001"}, customer="ann@example.com", state="waiting",
    )  # fmt: skip


def test_a_plugin_is_seen_set_and_switched_off(
    office: ConsoleDesk,
    new_page: Callable[..., Page],
) -> None:
    office.receive("Where is my order?", "Order")
    fault = PluginFault("orders", "register_tools", "the shop did not answer")
    office.tickets.outcomes.note_faults(1, [fault])
    page = new_page()
    log_in(page, office, "chief")
    page.click("nav >> text=Plugins")
    row = page.locator("tr", has_text="shop-orders 1.2")
    expect(row).to_contain_text("running")
    row.locator("a").click()
    expect(page.locator("main")).to_contain_text("the shop did not answer")
    expect(page.locator("main")).to_contain_text("Refunds an order")
    assert ORDERS_TOKEN not in page.content()

    page.fill("[name=retries]", "9")
    page.click("button:text-is('Save')")
    expect(page.locator("[role=alert]")).to_contain_text("Not saved")
    expect(page.locator("#wrong-retries")).to_have_text(
        "9: Input should be less than or equal to 5."
    )
    expect(page.locator("[name=retries]")).to_have_value("9")
    assert written()["plugins"]["orders"]["retries"] == 2

    page.fill("[name=retries]", "3")
    page.select_option("[name=strict]", "yes")
    page.fill("[name=shops]", "main\noutlet")
    page.click("button:text-is('Save')")
    expect(page.locator("#notices")).to_contain_text("once the desk is started again")
    assert written()["plugins"]["orders"] == {
        "retries": 3,
        "token": ORDERS_TOKEN,
        "strict": True,
        "shops": ["main", "outlet"],
    }
    page.fill("[name=token]", "another-token-of-the-shop")
    page.click("button:text-is('Save')")
    expect(page.locator("#notices")).to_contain_text("Saved")
    assert written()["plugins"]["orders"]["token"] == "another-token-of-the-shop"
    assert "another-token" not in page.content()
    trail = office.tickets.audit.page(action="set plugin")
    assert [entry.detail for entry in trail] == ["orders: token", "orders: retries, strict, shops"]

    page.click("button:text-is('Switch off')")
    expect(page.locator(".facts")).to_contain_text("stops at the next start")
    assert written()["disabled_plugins"] == ["orders"]
    page.click("text=Leave on")
    assert written()["disabled_plugins"] == []


def test_a_lead_sees_plugins_and_changes_nothing(
    office: ConsoleDesk,
    new_page: Callable[..., Page],
) -> None:
    page = new_page()
    log_in(page, office, "lea")
    page.goto(f"{office.address}/plugins/orders")

    expect(page.locator("[name=retries]")).to_be_disabled()
    expect(page.locator("main button")).to_have_count(0)


def test_a_tool_waits_until_a_person_approves_it(
    office: ConsoleDesk,
    new_page: Callable[..., Page],
) -> None:
    office.receive("Please refund my order A-1001", "Refund")
    waiting_refund(office.tickets)
    page = new_page()
    log_in(page, office, "kim")
    page.click("nav >> text=Approvals")
    expect(page.locator(".approval")).to_contain_text("A-1001")
    assert REFUNDED == []

    page.click("button:text-is('Approve')")

    expect(page.locator("#notices")).to_contain_text("Refunded A-1001")
    assert REFUNDED == ["A-1001"]
    expect(page.locator("main")).to_contain_text("Nothing waits")
    assert ("kim", "approve tool") in [(e.who, e.action) for e in office.tickets.audit.of_ticket(1)]


def test_a_connector_shows_how_it_is_and_sends_a_test_message(
    office: ConsoleDesk,
    new_page: Callable[..., Page],
) -> None:
    arrivals = office.tickets.arrivals
    arrivals.note("window", "a1", "c", "ann", {})
    arrivals.give_up("window", "a1", "it is no message")
    arrivals.note("window", "a2", "c", "ann", {})
    office.parts[0].update(state="failed", restarts=2, error="connection refused")
    page = new_page()
    log_in(page, office, "chief")
    page.click("nav >> text=Connectors")

    card = page.locator(".connector")
    expect(card).to_contain_text("failed")
    expect(card).to_contain_text("connection refused")
    assert card.locator(".facts dd").all_inner_texts() == ["1", "0", "1"]
    card.locator("summary").click()
    expect(card).to_contain_text("a1: it is no message")
    page.fill("[name=to]", "ops@example.com")
    page.click("button:text-is('Send a test message')")
    expect(page.locator("#notices")).to_contain_text("Sent to ops@example.com")
    assert office.window.sent[0].to == "ops@example.com"


def test_settings_say_where_they_come_from_and_hide_secrets(
    office: ConsoleDesk,
    new_page: Callable[..., Page],
) -> None:
    page = new_page()
    log_in(page, office, "chief")
    page.click("nav >> text=Settings")

    for name, origin in (("reply_at", "file"), ("threads", "environment"), ("port", "default")):
        row = page.locator("tr", has=page.locator(f"code:text-is('{name}')"))
        expect(row.locator(".badge")).to_have_text(origin)
    secret = page.locator("tr", has=page.locator("code:text-is('secret_key')"))
    expect(secret).to_contain_text("(not set)")
    assert ORDERS_TOKEN not in page.content()
    row = page.locator("tr", has=page.locator("code:text-is('passages')"))
    row.locator("input[type=number]").fill("30")
    row.locator("button").click()
    expect(page.locator(".problem")).to_contain_text("less than or equal to 20")

    row.locator("input[type=number]").fill("7")
    row.locator("button").click()
    expect(page.locator("#notices")).to_contain_text("started again")
    expect(row).to_contain_text("until the desk is started again")
    assert written()["answering"] == {"passages": 7}


def test_thresholds_are_set_in_one_place_and_the_settings_say_where(
    office: ConsoleDesk,
    new_page: Callable[..., Page],
) -> None:
    page = new_page()
    log_in(page, office, "chief")
    page.goto(f"{office.address}/settings")
    row = page.locator("tr", has=page.locator("code:text-is('reply_at')"))
    expect(row.locator("input, button")).to_have_count(0)
    row.locator("text=Change it on Quality").click()
    page.fill("[name=reply_at]", "0.8")
    page.click("text=Set them")
    expect(page.locator(".thresholds")).to_contain_text("in place of the settings' 0.90 and 0.35")

    page.goto(f"{office.address}/settings")

    expect(row).to_contain_text("0.8")
    expect(row).to_contain_text("chief chose it")
    expect(row).to_contain_text("in place of 0.9")
    expect(row.locator(".badge")).to_have_text("Quality")


def test_a_key_is_shown_once_and_revoked(
    office: ConsoleDesk,
    new_page: Callable[..., Page],
) -> None:
    page = new_page()
    log_in(page, office, "chief")
    page.click("nav >> text=API keys")
    page.fill("[name=name]", "shop backend")
    page.check("[name='scope.messages:write']")
    page.click("text=Make the key")

    key = page.locator("#made").input_value()
    assert office.tickets.api_keys.find(key) is not None
    page.goto(f"{office.address}/api-keys")
    expect(page.locator("main")).to_contain_text("shop backend")
    assert key not in page.content()
    page.click("button:text-is('Revoke')")
    expect(page.locator("#notices")).to_contain_text("opens nothing any more")
    assert office.tickets.api_keys.find(key) is None
    assert key.split("_", 2)[2] not in repr(office.tickets.audit.page())


def test_a_customer_is_exported_and_erased_only_after_a_second_yes(
    office: ConsoleDesk,
    new_page: Callable[..., Page],
) -> None:
    office.receive("My password is secret", "Log-in")
    office.receive("Something else", sender="ben@example.com")
    page = new_page()
    log_in(page, office, "chief")
    page.click("nav >> text=Privacy")
    page.fill("[name=address]", "ann@example.com")
    page.click("text=See what there is")
    expect(page.locator("h2").first).to_have_text("1 ticket")
    assert "ann@" not in page.url
    with page.expect_download() as download:
        page.click("text=Download the zip")
    assert download.value.suggested_filename == "customer.zip"

    page.fill("[name=again]", "ben@example.com")
    page.click("text=Erase 1 ticket")
    expect(page.locator(".problem")).to_contain_text("Nothing was erased")
    assert len(office.tickets.list()) == 2
    page.fill("[name=again]", "ann@example.com")
    page.click("text=Erase 1 ticket")

    expect(page.locator("#notices")).to_contain_text("1 tickets, 1 messages")
    assert [ticket.customer for ticket in office.tickets.list()] == ["ben@example.com"]
    assert "ann@example.com" not in repr(office.tickets.audit.page())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_operating_pages_are_accessible(
    scheme: Any,
    office: ConsoleDesk,
    new_page: Callable[..., Page],
) -> None:
    office.receive("Please refund my order A-1001", "Refund")
    waiting_refund(office.tickets)
    office.tickets.arrivals.note("window", "a2", "c", "ann", {})
    office.tickets.outcomes.note_faults(1, [PluginFault("orders", "register_tools", "no answer")])
    office.tickets.api_keys.create("shop backend", ["messages:write", "tickets:read"])
    office.desk.plugins.register("shop", Shop())
    page = new_page(color_scheme=scheme)
    log_in(page, office, "chief")

    for path in (
        "plugins", "plugins/orders", "approvals", "connectors", "settings", "api-keys", "privacy"
    ):  # fmt: skip
        page.goto(f"{office.address}/{path}")
        look(page, f"{path.replace('/', '-')}-{scheme}")
    page.goto(f"{office.address}/connectors")
    page.click("main >> text=Settings")
    look(page, f"connector-{scheme}")
    page.fill("[name=retries]", "12")
    page.click("button:text-is('Save')")
    expect(page.locator("#wrong-retries")).to_contain_text("less than or equal to 5")
    look(page, f"connector-wrong-{scheme}")
    page.goto(f"{office.address}/privacy")
    page.fill("[name=address]", "ann@example.com")
    page.click("text=See what there is")
    look(page, f"privacy-found-{scheme}")
    page.goto(f"{office.address}/api-keys")
    page.fill("[name=name]", "widget")
    page.check("[name='scope.messages:write']")
    page.click("text=Make the key")
    look(page, f"api-keys-made-{scheme}")
