from __future__ import annotations

import time
import uuid

import pytest

from assistant.errors import DeskmateError
from assistant.messages import Attachment, Outcome
from assistant.tickets.repository import Tickets
from assistant.tickets.rows import reply_id_for
from tests.tickets.conftest import message
from tests.tickets.test_outcomes import ANSWER, REPLY

DRAFT = Outcome("draft", "confidence 0.50", "They come by mail [1].", answer=ANSWER)


@pytest.fixture
def reply_id(tickets: Tickets) -> str:
    """The reply to a message, not sent yet."""
    tickets.store_message(message(subject="Invoice"))
    return tickets.outcomes.store(1, message(), ["m1"], REPLY) or ""


@pytest.fixture
def draft(tickets: Tickets) -> int:
    """The outcome of a message that waits for a person."""
    tickets.store_message(message())
    tickets.outcomes.store(1, message(), ["m1"], DRAFT)
    return tickets.outcomes.of_ticket(1)[0].id


def test_a_person_sends_files_with_a_reply(tickets: Tickets) -> None:
    tickets.store_message(message())
    files = (
        Attachment("application/pdf", "invoice.pdf", b"%PDF"),
        Attachment("video/mp4", "film.mp4", b"", "it is larger than 25 MB"),
    )

    first = tickets.replies.write(1, "Kim", "Here it is.", str(uuid.UUID(int=7)), files)
    again = tickets.replies.write(1, "Kim", "Here it is.", str(uuid.UUID(int=7)), files)

    assert first == again
    assert tickets.replies.get(first).reply.attachments == files


def test_a_reply_says_all_that_a_connector_needs(tickets: Tickets, reply_id: str) -> None:
    reply = tickets.replies.get(reply_id).reply

    assert reply.id == reply_id == reply_id_for("email:m1")
    assert (reply.connector, reply.thread_id, reply.to) == ("email", "t1", "kim@example.org")
    assert (reply.subject, reply.in_reply_to) == ("Invoice", "m1")
    assert reply.citations == ANSWER.citations


def test_a_reply_is_due_until_its_attempt_begins(tickets: Tickets, reply_id: str) -> None:
    first = tickets.replies.take_due(again_after=60)
    second = tickets.replies.take_due(again_after=60)

    assert [stored.reply.id for stored in first] == [reply_id]
    assert second == ()


def test_attempts_are_counted_and_the_result_recorded(tickets: Tickets, reply_id: str) -> None:
    joined_at = tickets.workers.join("a", dead_after=60)
    attempts = [tickets.replies.begin_attempt(reply_id, "a", joined_at, 60) for _ in range(2)]
    tickets.replies.record_failure(reply_id, "refused", again_after=0)
    failed = tickets.replies.get(reply_id)
    tickets.replies.record_sent(reply_id, "<1@example.org>")
    sent = tickets.replies.get(reply_id)

    assert attempts == [1, 2]
    assert (failed.state, failed.error) == ("intended", "refused")
    assert (sent.state, sent.external_id, sent.error) == ("sent", "<1@example.org>", None)
    assert sent.sent_at is not None


def test_a_reply_given_up_or_held_waits_for_a_person(tickets: Tickets, reply_id: str) -> None:
    outcome_id = tickets.outcomes.of_ticket(1)[0].id

    tickets.replies.record_failure(reply_id, "no such address", again_after=None)
    given_up = tickets.replies.get(reply_id).state, tickets.ticket(1).status
    tickets.replies.approve(outcome_id, "ana")
    approved = tickets.replies.get(reply_id).state, tickets.ticket(1).status
    tickets.replies.record_held(reply_id, "holds a password")
    held = tickets.replies.get(reply_id).state, tickets.ticket(1).status

    assert given_up == ("failed", "needs review")
    assert approved == ("intended", "answered")
    assert held == ("held", "needs review")


def test_a_draft_is_sent_once_a_person_approves_it(tickets: Tickets, draft: int) -> None:
    before = tickets.ticket(1).status, tickets.replies.take_due(60)

    reply_id = tickets.replies.approve(draft, "ana")

    stored = tickets.replies.get(reply_id)
    assert before == ("needs review", ())
    assert (stored.state, stored.approved_by) == ("intended", "ana")
    assert (stored.reply.text, stored.reply.citations) == (DRAFT.text, ANSWER.citations)
    assert tickets.ticket(1).status == "answered"
    assert tickets.outcomes.get(draft).draft_state == "approved"


def test_an_edited_draft_is_the_persons_words(tickets: Tickets, draft: int) -> None:
    reply_id = tickets.replies.approve(draft, "ana", "They come on Monday.")

    assert tickets.replies.get(reply_id).reply.text == "They come on Monday."
    assert tickets.conversation(1)[-1].author == "staff"
    assert [(e.who, e.action, e.detail) for e in tickets.audit.of_ticket(1)] == [
        ("ana", "approve", "edited")
    ]


def test_a_draft_is_approved_by_one_person_only(tickets: Tickets, draft: int) -> None:
    tickets.replies.approve(draft, "ana")

    with pytest.raises(DeskmateError, match="not waiting for a person: it is 'intended'"):
        tickets.replies.approve(draft, "ben")
    with pytest.raises(DeskmateError, match="not waiting"):
        tickets.replies.discard(draft, "ben")


def test_whoever_discards_a_draft_has_the_ticket(tickets: Tickets, draft: int) -> None:
    tickets.replies.discard(draft, "ana", "wrong product")

    ticket = tickets.ticket(1)
    assert (ticket.status, ticket.owner) == ("handed over", "ana")
    assert tickets.outcomes.get(draft).draft_state == "discarded"
    with pytest.raises(DeskmateError, match="it is 'discarded'"):
        tickets.replies.approve(draft, "ben")


def test_solving_a_ticket_discards_its_drafts(tickets: Tickets, draft: int) -> None:
    tickets.solutions.mark(1, "ana")

    assert tickets.outcomes.get(draft).draft_state == "discarded"


def test_a_worker_that_was_taken_over_may_not_send(tickets: Tickets, reply_id: str) -> None:
    joined_at = tickets.workers.join("a", dead_after=60)
    time.sleep(0.1)
    with tickets.workers.dead(0.01, besides="b"):
        pass
    tickets.workers.join("a", dead_after=60)

    with pytest.raises(DeskmateError, match="'a' was taken over"):
        tickets.replies.begin_attempt(reply_id, "a", joined_at, 60)
    assert tickets.replies.get(reply_id).attempts == 0
