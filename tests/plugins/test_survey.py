"""The satisfaction survey: one link a solved ticket, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from assistant import Message, Ticket
from assistant.desk import Desk
from assistant.plugging import Plugins
from assistant.settings import Settings
from assistant.testing.desk import PluginDesk
from plugins.survey import Survey
from tests.recording import RecordingConnector


@pytest.fixture
def survey(tmp_path: Path) -> Survey:
    url = "https://help.example.com/"
    return Survey(Survey.Settings(public_url=url, file=tmp_path / "survey.sqlite"))


@pytest.fixture
def channel(tmp_path: Path) -> RecordingConnector:
    return RecordingConnector(tmp_path / "sent.jsonl")


@pytest.fixture
def desk(survey: Survey, channel: RecordingConnector, tmp_path: Path) -> Iterator[Desk]:
    plugins = Plugins()
    plugins.register("survey", survey)
    with Desk(Settings(data_dir=tmp_path / "data"), plugins=plugins) as desk:
        (tmp_path / "data").mkdir()
        desk.connectors = {**desk.connectors, channel.name: channel}
        yield desk


@pytest.fixture
def ticket(desk: Desk) -> Ticket:
    return desk.tickets.store_message(Message("email", "m1", "t1", "ann@example.com", "Help"))


@pytest.fixture
def web(survey: Survey) -> TestClient:
    return TestClient(Starlette(routes=survey.routes(lambda message: None)))


def token(channel: RecordingConnector) -> str:
    (sent,) = channel.sent()
    return str(sent["text"]).rpartition("/")[2]


def test_a_solved_ticket_is_asked_about_once(desk: Desk, ticket: Ticket, channel) -> None:
    desk.solve(ticket.id, "ben")
    desk.plugins.ticket_solved(ticket, faults := [])

    (sent,) = channel.sent()
    assert (sent["to"], sent["thread"], faults) == ("ann@example.com", "t1", [])
    assert "https://help.example.com/connectors/survey/" in sent["text"]


def test_the_answer_is_the_tickets_feedback(desk: Desk, ticket: Ticket, channel, web) -> None:
    desk.solve(ticket.id, "ben")
    page = web.get(f"/{token(channel)}")
    assert page.text.count("<button") == 5

    thanks = web.post(f"/{token(channel)}", data={"rating": "4", "comment": "<b>Quick</b>"})

    (feedback,) = desk.tickets.feedback.of_ticket(ticket.id)
    assert (thanks.status_code, feedback.helpful) == (200, True)
    assert (feedback.author, feedback.comment) == ("customer", "4 of 5. <b>Quick</b>")
    assert desk.plugins.console_panels(ticket, []) == (
        ("Survey", "<p>4 of 5</p><p>&lt;b&gt;Quick&lt;/b&gt;</p>"),
    )


def test_looking_at_the_page_answers_nothing(desk: Desk, ticket: Ticket, channel, web) -> None:
    desk.solve(ticket.id, "ben")
    web.get(f"/{token(channel)}")

    assert desk.tickets.feedback.of_ticket(ticket.id) == ()
    assert desk.plugins.console_panels(ticket, []) == ()


def test_the_first_answer_stays(desk: Desk, ticket: Ticket, channel, web) -> None:
    desk.solve(ticket.id, "ben")
    for rating in "15":
        web.post(f"/{token(channel)}", data={"rating": rating})

    (feedback,) = desk.tickets.feedback.of_ticket(ticket.id)
    assert (feedback.helpful, feedback.comment) == (False, "1 of 5.")


def test_an_unknown_link_and_a_wrong_number_are_refused(
    desk: Desk, ticket: Ticket, channel, web
) -> None:
    desk.solve(ticket.id, "ben")

    assert web.get("/guessed").status_code == 404
    assert web.post(f"/{token(channel)}", data={"rating": "9"}).status_code == 400
    assert web.post(f"/{token(channel)}", data={"comment": "x" * 50_000}).status_code == 413
    assert desk.tickets.feedback.of_ticket(ticket.id) == ()


def test_it_is_off_without_an_address(plugin_desk: PluginDesk) -> None:
    plugin_desk.add("survey", Survey)

    plugin_desk.solve()

    assert plugin_desk.connectors() == {}
