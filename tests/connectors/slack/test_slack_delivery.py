"""Nothing is lost and nothing answered twice, whatever happens on the way."""

from __future__ import annotations

import time

from assistant.errors import DatabaseError
from tests.channel_desk import eventually, replies_with
from tests.slack_desk import shown


def test_a_redelivered_event_is_answered_once(slack, desk, help_channel, ana) -> None:
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoice?")
    events = [d for d in slack.deliveries.all if d.payload.get("event", {}).get("ts") == post["ts"]]
    desk.reply(help_channel, post)

    for delivery in events:
        slack.redeliver(delivery)
    eventually(lambda: all(delivery.attempts == 2 for delivery in events))
    time.sleep(1)
    desk.settled()

    assert [d.payload["event"]["type"] for d in events] == ["message", "app_mention"]
    assert len(slack.by_bot(help_channel)) == 1


def test_fifty_posts_in_a_second_are_each_answered_once(slack, desk, chosen) -> None:
    people = [slack.add_user(f"Person {n}") for n in range(50)]
    slack.workspaces.channel(chosen).members.extend(people)

    posts = [slack.post(chosen, user, f"Question {n}") for n, user in enumerate(people)]
    replies = [desk.reply(chosen, post) for post in posts]
    desk.settled()

    assert [reply["text"] for reply in replies] == [
        f"You asked: Question {n} [1]" for n in range(50)
    ]
    assert all(len(slack.thread(chosen, post)) == 1 for post in posts)


def test_what_cannot_be_noted_is_not_acknowledged_and_comes_again(
    slack, desk, help_channel, ana, monkeypatch
) -> None:
    arrivals = desk.tickets.arrivals
    note, failures = arrivals.note, iter([True, True])

    def fails_twice(*arguments):
        if next(failures, False):
            raise DatabaseError("the disk is full")
        return note(*arguments)

    monkeypatch.setattr(arrivals, "note", fails_twice)
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoice?")

    desk.reply(help_channel, post)
    desk.settled()
    events = [d for d in slack.deliveries.all if d.payload.get("event", {}).get("ts") == post["ts"]]
    assert max(delivery.attempts for delivery in events) >= 2
    assert len(slack.by_bot(help_channel)) == 1


def test_a_reply_that_slack_took_without_saying_so_is_not_posted_again(
    slack, desk, help_channel, ana, monkeypatch
) -> None:
    monkeypatch.setattr("assistant.inbox.send_pause", lambda attempt: 0.1)
    slack.fail("chat.postMessage", hang_up_after=True)

    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoice?")
    desk.reply(help_channel, post)
    ticket = desk.ticket(help_channel, post)
    stored = eventually(
        lambda: next((r for r in desk.tickets.replies.of_ticket(ticket.id) if r.sent_at), None)
    )

    assert stored.attempts == 2
    assert len(slack.by_bot(help_channel)) == 1


def test_a_long_reply_of_which_half_was_posted_is_completed(
    slack, desk, help_channel, ana, monkeypatch
) -> None:
    monkeypatch.setattr("assistant.inbox.send_pause", lambda attempt: 0.1)
    words = " ".join(f"word{n}" for n in range(9_000))
    desk.answer = lambda *asked: replies_with(words)
    slack.fail("chat.postMessage", hang_up_after=True)

    post = slack.post(help_channel, ana, f"{slack.mention} Everything?")
    desk.reply(help_channel, post, 3)
    desk.settled()

    texts = [
        block["text"]["text"]
        for message in slack.by_bot(help_channel)
        for block in message["blocks"]
        if block["type"] == "section"
    ]
    assert " ".join(texts).split() == words.split()


def test_slacks_rate_limit_is_waited_for(slack, desk, help_channel, ana) -> None:
    slack.fail("chat.postMessage", status=429, retry_after=2)
    before = len(slack.called("chat.postMessage"))

    began = time.monotonic()
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoice?")
    desk.reply(help_channel, post)

    assert time.monotonic() - began >= 2
    assert len(slack.called("chat.postMessage")) == before + 2
    (reply,) = desk.tickets.replies.of_ticket(desk.ticket(help_channel, post).id)
    assert reply.attempts == 1


def test_with_an_expired_token_the_reply_waits_until_there_is_a_good_one(
    slack, desk, help_channel, ana, monkeypatch
) -> None:
    monkeypatch.setattr("assistant.inbox.send_pause", lambda attempt: 0.2)
    token = slack.team.bot_token
    slack.expire(token)

    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoice?")
    ticket = eventually(lambda: desk.tickets.list(customer=f"({ana})"))[0]
    reply = eventually(
        lambda: next((r for r in desk.tickets.replies.of_ticket(ticket.id) if r.attempts > 1), None)
    )
    slack.revive(token)

    assert "token_expired" in reply.error
    assert "Where is my invoice?" in shown(desk.reply(help_channel, post))
    assert len(slack.by_bot(help_channel)) == 1
