"""Macros: canned answers with variables, for people and for the assistant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assistant import Message, Passage, SettingsError
from assistant.desk import Desk
from assistant.model.encoder import MultimodalEncoder
from assistant.plugging import Plugins
from assistant.settings import Settings
from assistant.testing.desk import PluginDesk
from plugins.macros import Macros

RETURNS = "How do I return an item?"
TABLE: dict[str, Any] = {
    "signature": "Acme support",
    "texts": {
        RETURNS: "To return an item, send it to {address} within {days} days.",
        "Is my ticket open?": "Ticket {ticket} is open, {customer}. {signature} <3",
    },
    "variables": {"address": "Dock Road 1, Leeds", "days": "30"},
}


@pytest.fixture
def desk(plugin_desk: PluginDesk) -> PluginDesk:
    plugin_desk.add("macros", Macros, TABLE)
    return plugin_desk


def test_people_find_them_filled_in_beside_the_ticket(desk: PluginDesk) -> None:
    ((title, html),) = desk.plugins.console_panels(desk.ticket, [])

    assert title == "Canned answers"
    assert "send it to Dock Road 1, Leeds within 30 days" in html
    assert "Ticket 1 is open, ann@example.com. Acme support &lt;3" in html


def test_those_that_speak_of_one_ticket_are_no_article(desk: PluginDesk) -> None:
    assert [article.title for article in desk.articles()] == [RETURNS]


def test_passages_are_filled_in_and_others_are_left(desk: PluginDesk) -> None:
    macro = Passage("m", "m", (RETURNS,), "Within {days} days.", source="macros")
    article = Passage("a", "a", ("A",), "Write {days} in the template.", source="help")

    texts = [hit.passage.text for hit in desk.find("return?", macro, article)]

    assert texts == ["Within 30 days.", "Write {days} in the template."]


def test_a_text_that_the_settings_no_longer_fill_is_left(desk: PluginDesk) -> None:
    old = Passage("m", "m", (RETURNS,), "Within {weeks} weeks.", source="macros")

    assert desk.find("return?", old)[0].passage.text == "Within {weeks} weeks."


@pytest.mark.parametrize(
    ("text", "error"),
    [("Call {phone}.", "unknown variable 'phone'"), ("A { brace", "write {{ for a brace")],
)
def test_a_text_with_an_unknown_variable_is_a_wrong_setting(
    plugin_desk: PluginDesk, text: str, error: str
) -> None:
    with pytest.raises(SettingsError, match=error):
        plugin_desk.add("macros", Macros, {"texts": {"Q": text}})


def test_the_assistant_answers_from_them(data_dir: Path, encoder: MultimodalEncoder) -> None:
    plugins = Plugins({"macros": TABLE})
    plugins.register("macros", Macros)
    with Desk(Settings(data_dir=data_dir), plugins=plugins) as desk:
        desk.encoder = encoder
        desk.index_plugins()
        message = Message("t", "1", "1", "ann@example.com", RETURNS)
        outcome = desk.pipeline.answer(message, desk.tickets.store_message(message))

    assert outcome.answer is not None
    assert "send it to Dock Road 1, Leeds within 30 days" in outcome.answer.text
    assert outcome.answer.citations[0].passage.source == "macros"
