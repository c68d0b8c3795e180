"""The slash command and the app's home."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import KnowledgeError
from tests.channel_desk import eventually, replies_with
from tests.slack_desk import shown


def answer_to(slack, text: str) -> dict:
    """What the command's sender was shown later."""

    def found():
        return [r for r in slack.web.responses if text in str(r)]

    return eventually(found)[0]


def test_ask_answers_the_sender_alone(slack, desk, help_channel, ana, monkeypatch) -> None:
    outcome = replies_with("Open Settings. [1]")
    asked = []

    def ask(text, *, audience):
        asked.append((text, audience))
        return outcome

    monkeypatch.setattr(desk.desk, "ask", ask)
    command = slack.command(help_channel, "/deskmate", "ask Where is my <invoice>?", ana)
    command.done.wait(10)
    response = answer_to(slack, "Open Settings.")

    assert command.answer == {"text": "Looking into it …"}
    assert response["response_type"] == "ephemeral"
    assert "Open Settings. <https://help.example/invoices|[1]>" in shown(response)
    assert asked == [("Where is my <invoice>?", "public")]
    assert slack.by_bot(help_channel) == []


def test_ask_says_so_when_nothing_is_indexed(slack, desk, help_channel, ana, monkeypatch) -> None:
    def ask(text, *, audience):
        raise KnowledgeError("the index is empty.")

    monkeypatch.setattr(desk.desk, "ask", ask)
    slack.command(help_channel, "/deskmate", "ask Where?", ana)

    assert answer_to(slack, "cannot be answered now: the index is empty.")


def test_status_and_index_are_for_staff(slack, desk, help_channel, ana, kim) -> None:
    from types import SimpleNamespace

    desk.desk.lexical = SimpleNamespace(counts=lambda: (5, 9), close=lambda: None)
    for word in ("status", "index"):
        before = len(slack.web.responses)
        slack.command(help_channel, "/deskmate", word, ana)
        eventually(lambda: len(slack.web.responses) > before)  # noqa: B023
        assert "Only members of the staff channel" in slack.web.responses[-1]["text"]

    slack.command(help_channel, "/deskmate", "status", kim)
    status = answer_to(slack, "with a person:")
    slack.command(help_channel, "/deskmate", "index", kim)

    assert "articles: 5" in status["text"]
    assert "No plugin brings articles" in answer_to(slack, "5 articles, 9 passages.")["text"]


@pytest.mark.parametrize("text", ["", "ask", "dance"])
def test_anything_else_shows_what_there_is(slack, desk, help_channel, ana, text: str) -> None:
    command = slack.command(help_channel, "/deskmate", text, ana)
    command.done.wait(10)

    assert "`/deskmate ask QUESTION`" in command.answer["text"]


def test_the_home_shows_own_tickets_and_staff_what_waits(
    slack, desk, help_channel, ana, kim
) -> None:
    bo = slack.add_user("Bo")
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my &lt;invoice&gt;?")
    desk.reply(help_channel, post)
    desk.settled()
    desk.answer = lambda *asked: replies_with("", "hand over")
    burning = slack.post(help_channel, bo, f"{slack.mention} It burns")
    ticket = desk.ticket(help_channel, burning)
    desk.settled()

    for user in (ana, bo, kim):
        slack.open_home(user)
    homes = eventually(lambda: len(slack.workspaces.homes) == 3 and slack.workspaces.homes)

    assert "Where is my &lt;invoice&gt;? · _answered_" in shown(homes[ana])
    assert "It burns" not in shown(homes[ana])
    assert "It burns · _with a person_" in shown(homes[bo])
    assert f"{ticket.id} · <@{bo}>: It burns" in shown(homes[kim])


def test_the_command_line_prints_manifest_and_key(tmp_path: Path, monkeypatch) -> None:
    import json

    import typer
    from cryptography.fernet import Fernet
    from typer.testing import CliRunner

    from connectors.slack import plugin

    monkeypatch.chdir(tmp_path)
    (tmp_path / "deskmate.toml").write_text(
        '[connectors.slack]\nmode = "http"\npublic_url = "https://desk.example"\n'
    )
    cli = typer.Typer()
    cli.command("other")(lambda: None)
    plugin.register_commands(cli)

    printed = CliRunner().invoke(cli, ["slack", "manifest"])
    key = CliRunner().invoke(cli, ["slack", "key"])

    assert json.loads(printed.stdout)["settings"]["socket_mode_enabled"] is False
    assert Fernet(key.stdout.strip())
