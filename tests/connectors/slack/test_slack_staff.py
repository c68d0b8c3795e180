"""The staff channel: who is told what, and what colleagues can do there."""

from __future__ import annotations

import time

import pytest

from tests.channel_desk import echo, eventually, replies_with
from tests.slack_desk import buttons, shown


def draft(*asked):
    return replies_with("Open Settings. [1]", "draft")


def notice(slack, staff: str, ticket_id: int, number: int = 1):
    """What the staff channel was told about a ticket."""

    def found():
        told = [m for m in slack.by_bot(staff) if m["text"].endswith(f"ticket {ticket_id}")]
        return told[number - 1 :] and told[number - 1]

    return eventually(found)


@pytest.fixture
def drafted(slack, desk, staff, help_channel, ana):
    """A question whose answer waits as a draft: the post, the ticket, the staff channel's post."""
    desk.answer = draft
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my &lt;invoice&gt;?")
    ticket = desk.ticket(help_channel, post)
    return post, ticket, notice(slack, staff, ticket.id)


def test_a_draft_is_shown_to_staff_and_not_to_the_customer(
    slack, desk, help_channel, ana, drafted
) -> None:
    post, ticket, told = drafted

    link = f"https://acme.slack.com/archives/{help_channel}/p{post['ts'].replace('.', '')}"
    assert shown(told).splitlines() == [
        f"*A draft waits for you* · ticket {ticket.id} · <{link}|the conversation> with <@{ana}>",
        "Why: the article says so",
        "> Where is my &lt;invoice&gt;?",
        "The answer:",
        "Open Settings. [1]",
        "[Send]",
        "[Edit]",
        "[Discard]",
    ]
    assert slack.by_bot(help_channel) == []


def test_send_posts_the_draft_once_and_says_who_sent_it(
    slack, desk, staff, kim, help_channel, drafted
) -> None:
    post, ticket, told = drafted

    for _ in range(2):
        slack.press(staff, told, "send_draft", kim)
    reply = desk.reply(help_channel, post)
    eventually(lambda: buttons(told) == [])
    desk.settled()

    assert "Open Settings. <https://help.example/invoices|[1]>" in shown(reply)
    assert f"Sent by <@{kim}>." in shown(told)
    assert len(slack.by_bot(help_channel)) == 1
    (stored,) = desk.tickets.replies.of_ticket(ticket.id)
    assert stored.approved_by == f"Kim Berg ({kim})"


def test_edit_opens_a_modal_and_sends_what_was_written(
    slack, desk, staff, kim, help_channel, drafted
) -> None:
    post, _, told = drafted
    before = set(slack.workspaces.views)

    slack.press(staff, told, "edit_draft", kim)
    new = eventually(lambda: set(slack.workspaces.views) - before)
    view = slack.workspaces.views[new.pop()]
    slack.submit(view, kim, lambda text: text.replace("Settings", "your Settings"))

    assert "Open your Settings." in shown(desk.reply(help_channel, post))
    eventually(lambda: f"Edited and sent by <@{kim}>." in shown(told))


def test_a_draft_that_is_sent_already_cannot_be_sent_edited(
    slack, desk, staff, kim, help_channel, drafted
) -> None:
    post, _, told = drafted
    before = set(slack.workspaces.views)
    slack.press(staff, told, "edit_draft", kim)
    view = slack.workspaces.views[eventually(lambda: set(slack.workspaces.views) - before).pop()]
    slack.press(staff, told, "send_draft", kim)
    desk.reply(help_channel, post)

    submitted = slack.submit(view, kim)
    submitted.done.wait(10)

    assert submitted.answer["response_action"] == "errors"
    assert "is not waiting for a person" in submitted.answer["errors"]["part-0"]


def test_a_long_draft_is_edited_in_several_inputs(
    slack, desk, staff, kim, help_channel, ana
) -> None:
    words = " ".join(f"word{n}" for n in range(1_000))
    desk.answer = lambda *asked: replies_with(words, "draft")
    post = slack.post(help_channel, ana, f"{slack.mention} Everything?")
    told = notice(slack, staff, desk.ticket(help_channel, post).id)
    before = set(slack.workspaces.views)

    slack.press(staff, told, "edit_draft", kim)
    view = slack.workspaces.views[eventually(lambda: set(slack.workspaces.views) - before).pop()]
    slack.submit(view, kim)
    desk.reply(help_channel, post)
    desk.settled()

    (stored,) = desk.tickets.replies.of_ticket(desk.ticket(help_channel, post).id)
    assert len(view["blocks"]) == 3
    assert stored.reply.text.split() == words.split()


def test_discard_leaves_the_ticket_to_the_colleague(
    slack, desk, staff, kim, help_channel, drafted
) -> None:
    _post, ticket, told = drafted

    slack.press(staff, told, "discard_draft", kim)
    eventually(lambda: "Discarded by" in shown(told))

    now = desk.tickets.ticket(ticket.id)
    assert (now.status, now.owner) == ("handed over", f"Kim Berg ({kim})")
    assert slack.by_bot(help_channel) == []


def test_only_members_of_the_staff_channel_can_send(slack, desk, staff, ana, drafted) -> None:
    _, ticket, told = drafted

    slack.press(staff, told, "send_draft", ana)
    eventually(lambda: "Only members of the staff" in slack.web.responses[-1]["text"])

    assert desk.tickets.replies.of_ticket(ticket.id) == ()


def test_a_customer_who_presses_for_a_person_gets_one(
    slack, desk, staff, kim, help_channel, ana
) -> None:
    from assistant.answering import remarks

    def answer(message, ticket, conversation):
        return remarks.decide(message, conversation) or replies_with("Open Settings. [1]")

    desk.answer = answer
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoice?")
    reply = desk.reply(help_channel, post)
    slack.press(help_channel, reply, "talk_to_person", ana)
    told = notice(slack, staff, desk.ticket(help_channel, post).id)
    said = desk.reply(help_channel, post, 2)

    slack.post(help_channel, ana, "Are you there?", thread_ts=post["ts"])
    more = notice(slack, staff, desk.ticket(help_channel, post).id, 2)
    desk.settled()

    assert "Why: the customer asks for a person" in shown(told)
    assert "a person from our team takes over" in said["text"]
    assert buttons(said) == []
    assert "> Are you there?" in shown(more)
    assert more["thread_ts"] == told["ts"]
    assert len(slack.by_bot(help_channel)) == 2


def test_a_colleague_takes_a_ticket_and_solves_it(
    slack, desk, staff, kim, help_channel, ana
) -> None:
    desk.answer = lambda *asked: replies_with("", "hand over")
    post = slack.post(help_channel, ana, f"{slack.mention} It burns")
    ticket = desk.ticket(help_channel, post)
    told = notice(slack, staff, ticket.id)

    slack.press(staff, told, "take_ticket", kim)
    eventually(lambda: f"<@{kim}> has it." in shown(told))
    taken = desk.tickets.ticket(ticket.id)
    slack.post(help_channel, ana, "Hurry!", thread_ts=post["ts"])
    called = shown(notice(slack, staff, ticket.id, 2))
    left = buttons(told)
    slack.press(staff, told, "solve_ticket", kim)
    eventually(lambda: desk.tickets.ticket(ticket.id).status == "solved")

    assert taken.owner == f"Kim Berg ({kim})"
    assert left == ["solve_ticket", "hand_back_ticket"]
    assert f"for <@{kim}>" in called
    assert desk.tickets.ticket(ticket.id).solved_by == f"Kim Berg ({kim})"


def test_a_ticket_that_is_given_back_is_answered_again(
    slack, desk, staff, kim, help_channel, ana
) -> None:
    desk.answer = lambda *asked: replies_with("", "hand over")
    post = slack.post(help_channel, ana, f"{slack.mention} It burns")
    ticket = desk.ticket(help_channel, post)
    told = notice(slack, staff, ticket.id)
    desk.answer = echo

    slack.press(staff, told, "hand_back_ticket", kim)
    eventually(lambda: "Given back to the assistant by" in shown(told))
    slack.post(help_channel, ana, "Where is my invoice?", thread_ts=post["ts"])

    assert "You asked: Where is my invoice?" in shown(desk.reply(help_channel, post))
    assert buttons(told) == []


def test_thumbs_are_kept_and_the_last_one_counts(slack, desk, help_channel, ana) -> None:
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoice?")
    reply = desk.reply(help_channel, post)
    ticket = desk.ticket(help_channel, post)

    for action in ("thumb_up", "thumb_up", "thumb_down"):
        pressed = slack.press(help_channel, reply, action, ana)
        pressed.done.wait(10)
        time.sleep(0.2)
    eventually(lambda: len(desk.tickets.feedback.of_ticket(ticket.id)) == 2)

    feedback = desk.tickets.feedback.of_ticket(ticket.id)
    (outcome,) = desk.tickets.outcomes.of_ticket(ticket.id)
    assert [each.helpful for each in feedback] == [True, False]
    assert {(each.author, each.outcome_id) for each in feedback} == {
        (f"Ana Lima ({ana})", outcome.id)
    }


def test_a_notice_that_slack_took_without_saying_so_is_not_posted_again(
    slack, desk, staff, help_channel, ana
) -> None:
    desk.answer = draft
    slack.fail("chat.postMessage", hang_up_after=True)
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoice?")
    ticket = desk.ticket(help_channel, post)

    eventually(lambda: any(n.told_as for n in desk.tickets.notices.of_ticket(ticket.id)), 60)

    told = [m for m in slack.by_bot(staff) if m["text"].endswith(f"ticket {ticket.id}")]
    assert len(told) == 1
