"""Incidents: many tickets about one thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from assistant import Message
from assistant.desk import Desk
from assistant.model.encoder import MultimodalEncoder
from assistant.plugging import Plugins
from assistant.settings import Settings
from assistant.testing.desk import PluginDesk
from plugins.incidents import Incidents

ALIKE = [
    "I cannot sign in, it says error 503",
    "Sign in fails with error 503 since this morning",
    "Error 503 when I sign in. Please help!",
    "Hello, sign in gives me error 503",
]
OTHER = "Where do I find my invoice for October?"
NOTICE = "Signing in fails with error 503; we expect a fix by 15:00 UTC."


@pytest.fixture
def settings(tmp_path: Path) -> Incidents.Settings:
    return Incidents.Settings(file=tmp_path / "incidents.sqlite", tickets=3, minutes=60)


@pytest.fixture
def plugin(settings: Incidents.Settings) -> Incidents:
    return Incidents(settings, lambda: 1_000_000.0)


@pytest.fixture
def come_in(plugin_desk: PluginDesk, plugin: Incidents) -> Callable[..., list[str]]:
    """Takes in messages, a ticket and a customer each; returns what their panels say."""
    plugin_desk.add("incidents", plugin)

    def take(*texts: str, customer: str = "") -> list[str]:
        said = []
        for number, text in enumerate(texts, 1):
            plugin_desk.ticket = replace(plugin_desk.ticket, id=number)
            plugin_desk.receive(
                Message("t", f"{number}{customer}", f"{number}", customer or f"c{number}", text)
            )
        for number in range(1, len(texts) + 1):
            ticket = replace(plugin_desk.ticket, id=number)
            said += [html for _, html in plugin_desk.plugins.console_panels(ticket, [])]
        return said

    return take


def run(plugin: Incidents, *arguments: str) -> str:
    cli = typer.Typer()
    plugin.register_commands(cli)
    result = CliRunner().invoke(cli, ["incidents", *arguments])
    return result.output + ("" if result.exit_code == 0 else str(result.exception))


def test_tickets_alike_become_one_incident_and_later_ones_join_it(come_in) -> None:
    assert come_in(*ALIKE, OTHER) == ["<p>1: 4 tickets</p>"] * 4


def test_fewer_are_none(come_in) -> None:
    assert come_in(*ALIKE[:2], OTHER) == []


def test_one_customer_who_writes_again_and_again_is_none(come_in) -> None:
    assert come_in(*ALIKE, customer="ann") == []


def test_a_message_that_is_answered_again_counts_once(come_in) -> None:
    come_in(*ALIKE[:2])

    assert come_in(*ALIKE[:2]) == []


def test_what_came_too_long_ago_does_not_count(
    plugin_desk: PluginDesk, settings: Incidents.Settings
) -> None:
    times = iter([0.0, 0.0, 0.0, 0.0, *[3_700.0] * 9])
    plugin = Incidents(settings, lambda: next(times))
    plugin_desk.add("incidents", plugin)
    for number, text in enumerate(ALIKE[:3]):
        plugin_desk.receive(Message("t", str(number), str(number), f"c{number}", text))

    assert run(plugin, "list") == ""


def test_a_person_says_what_is_going_on_and_linked_tickets_hear_it_first(
    plugin_desk: PluginDesk, plugin: Incidents, come_in
) -> None:
    come_in(*ALIKE[:3])
    linked = Message("t", "9", "9", "c9", ALIKE[3])
    assert len(plugin_desk.find(linked, "An article")) == 1

    run(plugin, "say", "1", NOTICE)

    first, second = plugin_desk.find(linked, "An article")
    assert (first.passage.text, second.passage.text) == (NOTICE, "An article")
    assert len(plugin_desk.find(OTHER, "An article")) == 1
    assert "tickets 1, 2, 3" in run(plugin, "list")


def test_a_closed_incident_is_over(plugin_desk: PluginDesk, plugin: Incidents, come_in) -> None:
    come_in(*ALIKE[:3])
    run(plugin, "say", "1", NOTICE)

    run(plugin, "close", "1")

    assert len(plugin_desk.find(Message("t", "9", "9", "c9", ALIKE[3]), "An article")) == 1
    assert run(plugin, "list") == ""


def test_an_unknown_incident_is_said(plugin: Incidents) -> None:
    assert "There is no incident 7." in run(plugin, "say", "7", "x")
    assert run(plugin, "list") == ""


def test_it_is_off_without_a_file(plugin_desk: PluginDesk) -> None:
    plugin_desk.add("incidents", Incidents)

    assert plugin_desk.receive(ALIKE[0]).text == ALIKE[0]
    assert len(plugin_desk.find(ALIKE[0], "An article")) == 1


def test_the_real_path_answers_alike_and_cites_it(
    plugin: Incidents, data_dir: Path, encoder: MultimodalEncoder
) -> None:
    plugins = Plugins()
    plugins.register("incidents", plugin)
    with Desk(Settings(data_dir=data_dir), plugins=plugins) as desk:
        desk.encoder = encoder
        answers = []
        for number, text in enumerate(ALIKE):
            message = Message("t", str(number), str(number), f"c{number}", text)
            outcome = desk.pipeline.answer(message, desk.tickets.store_message(message))
            answers.append(outcome.answer.text if outcome.answer else "")
            if number == 2:
                run(plugin, "say", "1", NOTICE)

    assert "15:00 UTC" in answers[3]
    assert not any("15:00" in answer for answer in answers[:3])
