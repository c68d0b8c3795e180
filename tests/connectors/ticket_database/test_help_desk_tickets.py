"""A help desk's tickets are answered where they stand, on PostgreSQL, MariaDB and SQLite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert

from assistant.messages import Outcome
from tests.help_desk import ANA, BO, FILES, HelpDesk, TicketDatabaseDesk
from tests.pictures import png
from tests.slack_desk import eventually, replies_with

Run = Callable[..., TicketDatabaseDesk]


def draft(*asked: Any) -> Outcome:
    return replies_with("Open Settings. [1]", "draft")


def hand_over(*asked: Any) -> Outcome:
    return Outcome("hand over", "the sources say nothing about it", "A colleague will answer you.")


def test_a_new_ticket_is_answered_with_a_row(run: Run, help_desk: HelpDesk) -> None:
    old = help_desk.ticket("This was there before.")
    desk = run(help_desk)

    ticket = help_desk.ticket("How do I download an invoice?", subject="Invoices")
    (reply,) = desk.replies(ticket)

    assert reply.startswith("You asked: How do I download an invoice? [1]")
    assert "[1] Download an invoice – https://help.example/invoices" in reply
    assert "written by an automatic assistant" in reply
    assert help_desk.row(ticket).state == "pending"
    assert desk.known(ticket).customer == "ana@example.com"
    assert help_desk.written(old) == []


def test_what_the_customer_says_next_is_answered_in_the_same_conversation(
    run: Run, help_desk: HelpDesk
) -> None:
    desk = run(help_desk)
    ticket = help_desk.ticket("How do I download an invoice?")
    desk.replies(ticket)

    help_desk.say(ticket, ANA, "And the one of May?")
    replies = desk.replies(ticket, 2)

    assert "And the one of May?" in replies[1]
    assert [t.author for t in desk.tickets.conversation(desk.known(ticket).id)] == [
        "customer", "assistant", "customer", "assistant",
    ]  # fmt: skip


def test_a_screenshot_in_the_database_comes_with_its_message(run: Run, help_desk: HelpDesk) -> None:
    seen: list[Any] = []
    desk = run(help_desk, lambda message, *_: seen.append(message) or replies_with("Yes."))
    ticket, picture = help_desk.ticket(), png("Upload stopped")
    with help_desk.engine.begin() as connection:
        number = help_desk.comment(connection, ticket, ANA, "What does this mean?")
        connection.execute(insert(FILES).values(comment_id=number, name="a.png", content=picture))
    desk.replies(ticket)

    (attachment,) = seen[0].attachments
    assert (attachment.media_type, attachment.content) == ("image/png", picture)


def test_a_draft_is_an_internal_note_until_a_colleague_says_send(
    run: Run, help_desk: HelpDesk
) -> None:
    desk = run(help_desk, draft)
    ticket = help_desk.ticket("How do I download an invoice?")
    (note,) = desk.notes(ticket)
    assert "Open Settings. [1]" in note
    assert help_desk.written(ticket) == []

    help_desk.say(ticket, BO, "send", internal=True)
    (reply,) = desk.replies(ticket)

    assert reply.startswith("Open Settings. [1]")
    assert "checked by a person" in reply


def test_a_hand_over_tells_the_customer_and_leaves_a_note(run: Run, help_desk: HelpDesk) -> None:
    desk = run(help_desk, hand_over)
    ticket = help_desk.ticket("My invoice is wrong.")

    (note,), (reply,) = desk.notes(ticket), desk.replies(ticket)

    assert "the sources say nothing about it" in note
    assert reply.startswith("A colleague will answer you.")
    eventually(lambda: help_desk.row(ticket).state == "open" or None)
    help_desk.say(ticket, ANA, "Hello?")
    eventually(lambda: len(desk.tickets.messages(desk.known(ticket).id)) == 2)
    desk.settled()
    assert len(help_desk.written(ticket)) == len(help_desk.written(ticket, internal=True)) == 1


def test_the_assistant_keeps_out_once_a_colleague_answered(run: Run, help_desk: HelpDesk) -> None:
    desk = run(help_desk, draft)
    ticket = help_desk.ticket("How do I download an invoice?")
    desk.notes(ticket)

    help_desk.say(ticket, BO, "Open Settings, then Billing.")
    eventually(lambda: desk.known(ticket).owner == "Bo")
    help_desk.say(ticket, ANA, "Thanks! And for May?")
    eventually(lambda: len(desk.tickets.messages(desk.known(ticket).id)) == 3)
    desk.settled()

    assert help_desk.written(ticket) == []
    first, *_ = desk.tickets.outcomes.of_ticket(desk.known(ticket).id)
    assert first.draft_state == "discarded"


def test_a_ticket_that_a_colleague_takes_is_that_colleagues(run: Run, help_desk: HelpDesk) -> None:
    desk = run(help_desk)
    ticket = help_desk.ticket("How do I download an invoice?")
    desk.replies(ticket)

    help_desk.change(ticket, assignee_id=BO)
    eventually(lambda: desk.known(ticket).owner == "Bo")
    help_desk.say(ticket, ANA, "And for May?")
    eventually(lambda: len(desk.tickets.messages(desk.known(ticket).id)) == 2)
    desk.settled()

    assert len(help_desk.written(ticket)) == 1


def test_a_ticket_solved_in_the_help_desk_is_solved_here(run: Run, help_desk: HelpDesk) -> None:
    desk = run(help_desk)
    ticket = help_desk.ticket("How do I download an invoice?")
    desk.replies(ticket)

    help_desk.change(ticket, state="solved")

    eventually(lambda: desk.known(ticket).status == "solved")


def test_internal_notes_are_nobody_elses(run: Run, help_desk: HelpDesk) -> None:
    desk = run(help_desk)
    ticket = help_desk.ticket()
    help_desk.say(ticket, BO, "This customer never pays.", internal=True)
    help_desk.say(ticket, ANA, "How do I download an invoice?")
    (reply,) = desk.replies(ticket)

    turns = desk.tickets.conversation(desk.known(ticket).id)
    assert not any("never pays" in turn.text for turn in turns)
    assert "never pays" not in reply


@pytest.mark.parametrize("drafts_first", [1])
def test_a_new_help_desk_answers_nothing_without_a_person(
    run: Run, sqlite_help_desk: HelpDesk, drafts_first: int
) -> None:
    desk = run(sqlite_help_desk, drafts_first=drafts_first)
    ticket = sqlite_help_desk.ticket("How do I download an invoice?")
    (note,) = desk.notes(ticket)
    assert "0 of 1 drafts were looked at" in note

    sqlite_help_desk.say(ticket, BO, "send", internal=True)
    desk.replies(ticket)
    second = sqlite_help_desk.ticket("And how do I pay one?")

    assert "And how do I pay one?" in desk.replies(second)[0]


def test_a_conversation_that_began_before_is_understood_and_left_to_its_colleague(
    run: Run, sqlite_help_desk: HelpDesk
) -> None:
    mine, theirs = (sqlite_help_desk.ticket("Where are invoices?") for _ in range(2))
    sqlite_help_desk.say(theirs, BO, "I will look into it.")
    desk = run(sqlite_help_desk)

    sqlite_help_desk.say(mine, ANA, "Any news?")
    sqlite_help_desk.say(theirs, ANA, "Any news?")

    assert "Where are invoices?\n\nAny news?" in desk.replies(mine)[0]
    eventually(lambda: desk.known(theirs).owner == "Bo")
    desk.settled()
    assert sqlite_help_desk.written(theirs) == []


def test_a_closed_ticket_is_left_alone(run: Run, sqlite_help_desk: HelpDesk) -> None:
    desk = run(sqlite_help_desk)
    ticket = sqlite_help_desk.ticket()
    sqlite_help_desk.change(ticket, state="spam")
    sqlite_help_desk.say(ticket, ANA, "Buy this!")

    known = desk.known(ticket)
    desk.settled()

    (outcome,) = desk.tickets.outcomes.of_ticket(known.id)
    assert outcome.outcome.reason == "the ticket is 'spam'"
    assert sqlite_help_desk.written(ticket) == []
