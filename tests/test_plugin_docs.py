"""docs/plugins.md says what is so: its code runs as written, and its tables are the contract's."""

from __future__ import annotations

import re
import threading
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from assistant import Message, Reply, Ticket, hooks
from assistant.desk import Desk
from assistant.messages import PluginFault
from assistant.model.encoder import MultimodalEncoder
from assistant.plugging import Plugins
from assistant.settings import Policy, Settings
from assistant.testing.desk import PluginDesk
from assistant.tools import Risk
from plugins.mcp_servers import McpServers
from plugins.order_lookup import OrderLookup
from plugins.redaction import Redaction

PAGE = (Path(__file__).parents[1] / "docs" / "plugins.md").read_text(encoding="utf-8")
FIRST, HOLIDAYS, TESTING, TOOL, SOURCE, CONNECTOR, PANEL = re.findall(
    r"```python\n(.*?)```", PAGE, re.DOTALL
)
TABLES = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)]
TODAY = f"{date.today():%m-%d}"


def ran(*blocks: str) -> SimpleNamespace:
    """A module of the page's blocks."""
    names: dict[str, Any] = {"__name__": "docs_plugins"}
    for block in blocks:
        exec(compile(block, "docs/plugins.md", "exec", dont_inherit=True), names)
    return SimpleNamespace(**names)


def test_the_first_plugin_is_a_file_of_ten_lines_in_a_folder(
    tmp_path: Path, message, ticket
) -> None:
    (tmp_path / "written_out.py").write_text(FIRST)

    plugins = Plugins.installed({}, folder=tmp_path)
    seen = plugins.message_received(message("How do I set up 2FA?"), ticket, [])

    assert seen.text == "How do I set up two-factor authentication?"
    assert "written-out" in [info.name for info in plugins.list() if info.state == "running"]
    assert len([line for line in FIRST.splitlines() if line]) <= 10


@pytest.mark.parametrize(
    ("days", "reason"), [([TODAY], "holidays: today is a holiday"), ([], None)]
)
def test_the_plugin_with_settings(days: list[str], reason: str | None) -> None:
    plugins = Plugins({"holidays": {"days": days}})
    plugins.register("holidays", ran(HOLIDAYS).Holidays)
    reply = Reply("r1", 1, "test", "thread", "ann@example.com", "Re: Help", "Three days.")

    assert plugins.reply_sending(reply, []) == reason


def test_the_test(plugin_desk: PluginDesk) -> None:
    ran(HOLIDAYS, TESTING).test_replies_wait_on_holidays(plugin_desk)

    assert plugin_desk.recorded == [("reply_sending", "holidays: today is a holiday")]


@pytest.fixture
def plugin_desk() -> PluginDesk:
    return PluginDesk()


def test_the_tool_answers_and_is_cited(data_dir: Path, encoder: MultimodalEncoder) -> None:
    plugins = Plugins()
    plugins.register("parcels", ran(TOOL))
    settings = Settings(data_dir=data_dir, policy=Policy(reply_at=0.5))
    with Desk(settings, plugins=plugins) as desk:
        desk.encoder = encoder
        message = Message("test", "1", "t", "ann@example.com", "Where is my parcel P-77?")
        outcome = desk.pipeline.answer(message, desk.tickets.store_message(message))

    assert desk.faults == []
    assert (outcome.action, outcome.text) == ("reply", "Parcel P-77 is in Leeds. [1]")
    assert outcome.answer is not None
    assert outcome.answer.citations[0].passage.title == "Your parcel"


def test_the_source_is_indexed(tmp_path: Path, encoder: MultimodalEncoder) -> None:
    plugins = Plugins()
    plugins.register("faq", ran(SOURCE))
    with Desk(Settings(data_dir=tmp_path), plugins=plugins) as desk:
        desk.encoder = encoder
        (report,) = desk.index_plugins()
        ranked = desk.rank("Do you ship abroad?")

    assert (desk.faults, report.unreadable) == ([], [])
    assert ranked.articles[0] == "faq/1"


def test_the_connector_receives_and_sends(tmp_path: Path, plugin_desk: PluginDesk) -> None:
    (tmp_path / "in.txt").write_text("Where is it?\nHello?\n")
    plugin_desk.add("lines", ran(CONNECTOR))
    connector = plugin_desk.connectors(lines={"folder": str(tmp_path)})["lines"]
    received: list[Message] = []
    stop = threading.Event()

    def accept(message: Message) -> None:
        received.append(message)
        if len(received) == 2:
            stop.set()

    connector.run(accept, stop)
    reply = Reply("r1", 1, "lines", "0", "someone", "Re:", "In Leeds.")

    assert [message.text for message in received] == ["Where is it?", "Hello?"]
    assert connector.find_sent(reply) is None
    assert (connector.send(reply), connector.find_sent(reply)) == ("r1", "r1")
    assert plugin_desk.connectors() == {}


def test_the_panel_is_shown_for_a_customer_who_has_a_plan(ticket: Ticket) -> None:
    plugins, faults = Plugins(), list[PluginFault]()
    plugins.register("plans", ran(PANEL))
    others = replace(ticket, customer="bob@example.com")

    assert plugins.console_panels(ticket, faults) == (("Plan", "<p>Team, 12 seats</p>"),)
    assert plugins.console_panels(others, faults) == ()
    assert faults == []


def test_every_table_of_settings_is_one_that_can_be_set() -> None:
    models = {
        "holidays": ran(HOLIDAYS).Holidays.Settings,
        "redaction": Redaction.Settings,
        "order-lookup": OrderLookup.Settings,
        "mcp-servers": McpServers.Settings,
    }
    told = set()

    for table in TABLES:
        for name, own in Settings(**table).plugins.items():
            models[name].model_validate(own)
            told.add(name)

    assert told == models.keys()


def test_the_table_of_hooks_is_the_contract() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| `([\w:]+)` \| (\d+) s \|$", PAGE, re.MULTILINE)

    assert {name: need for name, need, _ in rows} == hooks.NEEDS
    assert {name: float(limit) for name, _, limit in rows} == hooks.TIME_LIMITS_S


def test_the_tables_of_permissions_and_risks_are_the_contract() -> None:
    first = re.findall(r"^\| `([\w:]+)` \| [^|]*\|$", PAGE, re.MULTILINE)

    assert set(get_args(hooks.Permission)) <= set(first)
    assert set(get_args(Risk)) <= set(first)
    assert f"The contract has a number, {hooks.CONTRACT} today" in PAGE
