"""Public complaints about known products, told in Slack: real pipeline, bolt's real client, a
stand-in for Slack."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assistant import inbox
from assistant.model.encoder import MultimodalEncoder
from assistant.testing.slack import Slack
from connectors.slack import connector
from connectors.slack.manifest import SCOPES
from tests.channel_desk import eventually
from tests.films import film, sound
from tests.pictures import png, screenshot
from tests.slack_desk import SlackDesk, shown

QUESTION = "How do I download an invoice?"
ERROR = png("Upload stopped\nKT-4031\nQuota exceeded")


@pytest.fixture
def slack() -> Iterator[Slack]:
    with Slack(scopes=SCOPES) as slack:
        yield slack


@pytest.fixture
def ana(slack: Slack) -> str:
    return slack.add_user("Ana Lima")


@pytest.fixture
def kim(slack: Slack) -> str:
    return slack.add_user("Kim Berg")


@pytest.fixture
def staff(slack: Slack, kim: str) -> str:
    return slack.add_channel("support-team", [kim], kind="group")


@pytest.fixture
def channel(slack: Slack, ana: str, kim: str) -> str:
    """Where customers ask and every post is answered."""
    return slack.add_channel("questions", [ana, kim])


@pytest.fixture
def company(
    slack: Slack,
    staff: str,
    channel: str,
    data_dir: Path,
    encoder: MultimodalEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[SlackDesk]:
    """A desk that knows the help centre of `tests/help_centre.py`."""
    monkeypatch.setattr(inbox, "ANSWER_PAUSES", (0.01, 0.01))
    monkeypatch.setattr(connector, "PING_SECONDS", 0.3)
    desk = SlackDesk(
        slack,
        data_dir,
        None,
        staff_channel=staff,
        channels=[channel],
        quiet_seconds=1.0,
        policy={"reply_at": 0.3, "draft_at": 0.2},
    )
    desk.desk.encoder = encoder
    with desk:
        yield desk


def told(slack: Slack, staff: str, number: int = 1) -> str:
    """What the staff channel was told, first or later; waits for it."""
    eventually(lambda: len(slack.by_bot(staff)) >= number)
    return shown(slack.by_bot(staff)[number - 1])


@pytest.mark.parametrize("caption", ["What does this mean?", ""])
def test_a_screenshot_is_read_and_not_only_its_caption(
    slack, company, channel, ana, caption: str
) -> None:
    post = slack.post(channel, ana, caption, files=[("error.png", ERROR)])

    assert "disk quota of your account is used up" in shown(company.reply(channel, post))


def test_a_screenshot_below_which_the_bot_is_called_is_read(slack, company, staff, ana) -> None:
    elsewhere = slack.add_channel("general", [ana])
    post = slack.post(elsewhere, ana, "What does this mean?", files=[("error.png", ERROR)])

    slack.post(elsewhere, ana, f"{slack.mention} can you help?", thread_ts=post["ts"])

    assert "disk quota of your account is used up" in shown(company.reply(elsewhere, post))


def test_a_recording_is_read_like_screenshots(slack, company, channel, ana) -> None:
    shown_after = screenshot("Upload stopped\nKT-4031\nQuota exceeded")
    recording = film([(screenshot("Files\nUpload"), 2), (shown_after, 2)])

    post = slack.post(channel, ana, "What does this mean?", files=[("film.mp4", recording)])

    assert "disk quota of your account is used up" in shown(company.reply(channel, post))


def test_a_voice_note_is_answered_by_what_slack_heard(slack, company, channel, ana) -> None:
    heard = {"status": "complete", "preview": {"content": QUESTION, "has_more": False}}
    fields = {"subtype": "slack_audio", "transcription": heard}

    post = slack.post(channel, ana, files=[("note.m4a", sound())], file_fields=fields)

    assert "Download PDF" in shown(company.reply(channel, post))


def test_a_voice_note_that_nobody_heard_is_handed_over(slack, company, staff, channel, ana) -> None:
    post = slack.post(channel, ana, files=[("note.m4a", sound())])

    reply = shown(company.reply(channel, post))
    assert "a person from our team takes over" in reply
    assert "I could not read note.m4a: voice notes and other sound cannot be heard here." in reply
    assert "*Needs a person*" in told(slack, staff)


def test_a_file_that_cannot_be_read_is_accounted_for(slack, company, staff, channel, ana) -> None:
    slack.post(channel, ana, QUESTION, files=[("film.mp4", b"recording")])

    notice = told(slack, staff)
    assert "*A draft waits for you*" in notice
    assert "Download PDF" in notice
    assert "I could not read film.mp4: " in notice


def test_staff_are_told_of_a_hand_over_and_so_is_the_customer(
    slack, company, staff, channel, ana
) -> None:
    post = slack.post(channel, ana, "Which trombone do you recommend for the opera in Verona?")
    reply = company.reply(channel, post)

    notice = told(slack, staff)
    assert "a person" in shown(reply)
    assert "*Needs a person*" in notice
    assert "> Which trombone do you recommend" in notice
    assert f"archives/{channel}/p{post['ts'].replace('.', '')}" in notice


def test_the_bot_does_not_talk_over_a_colleague_who_replies(
    slack, company, channel, ana, kim
) -> None:
    post = slack.post(channel, ana, QUESTION)
    slack.post(channel, kim, "Hi Ana, I have a look.", thread_ts=post["ts"])
    eventually(lambda: company.ticket(channel, post).owner)
    slack.post(channel, ana, "Thank you! It is the one of May.", thread_ts=post["ts"])
    company.settled()
    time.sleep(1.5)

    assert slack.by_bot(channel) == []
    assert company.ticket(channel, post).owner == f"Kim Berg ({kim})"


def test_who_asked_for_a_person_does_not_get_the_bot_again(
    slack, company, staff, channel, ana
) -> None:
    post = slack.post(channel, ana, QUESTION)
    reply = company.reply(channel, post)
    slack.press(channel, reply, "talk_to_person", ana)
    company.reply(channel, post, 2)

    slack.post(channel, ana, "How do I reset my password?", thread_ts=post["ts"])
    notice = told(slack, staff, 2)
    company.settled()

    assert "> How do I reset my password?" in notice
    assert len(slack.by_bot(channel)) == 2


def test_three_messages_in_a_row_get_one_answer(slack, company, channel, ana) -> None:
    first = slack.post(channel, ana, "Hello")
    time.sleep(0.4)
    slack.post(channel, ana, "I need an invoice of May")
    time.sleep(0.4)
    slack.post(channel, ana, "How do I download it?")
    reply = company.reply(channel, first)
    company.settled()

    assert "Download PDF" in shown(reply)
    assert len(slack.by_bot(channel)) == 1


def test_when_models_fail_the_customer_and_staff_hear_of_it(
    slack, company, staff, channel, ana, monkeypatch
) -> None:
    def fail(*arguments):
        raise ConnectionError("the model's server is away")

    monkeypatch.setattr(type(company.desk.pipeline.encoder), "encode", fail)
    post = slack.post(channel, ana, QUESTION)

    assert "A colleague will answer you." in shown(company.reply(channel, post))
    assert "ConnectionError: the model's server is away" in told(slack, staff)


def test_an_abandoned_thread_does_not_count_as_solved(slack, company, staff, channel, ana) -> None:
    helped = slack.post(channel, ana, QUESTION)
    company.reply(channel, helped)
    company.settled()
    bo = slack.add_user("Bo")
    slack.workspaces.channel(channel).members.append(bo)
    unhelped = slack.post(channel, bo, "How do I reset my password?")
    slack.press(channel, company.reply(channel, unhelped), "thumb_down", bo)
    eventually(lambda: company.tickets.feedback.of_ticket(company.ticket(channel, unhelped).id))
    cal = slack.add_user("Cal")
    slack.workspaces.channel(channel).members.append(cal)
    alone = slack.post(channel, cal, "Which trombone do you recommend for the opera in Verona?")
    told(slack, staff)
    company.settled()

    company.tickets.solutions.mark_quiet(datetime.now(UTC) + timedelta(days=8))

    tickets = [company.ticket(channel, post) for post in (helped, unhelped, alone)]
    assert [ticket.status for ticket in tickets] == ["solved", "answered", "handed over"]
    assert tickets[0].solved_by == "assistant"
