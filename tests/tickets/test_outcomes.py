from __future__ import annotations

from dataclasses import replace

from assistant.articles import Explanation, Hit, Passage
from assistant.messages import Answer, AttachmentReport, Citation, Outcome, PluginFault, Step
from assistant.tickets.repository import Tickets
from tests.tickets.conftest import message

PASSAGE = Passage("a.md#1", "a.md", ("Billing", "Invoices"), "Invoices are sent by mail.", "/a")
ANSWER = Answer("They come by mail [1].", (Citation(1, PASSAGE, "sent by mail"),), 0.9)
REPLY = Outcome(
    "reply",
    "confidence 0.90",
    "They come by mail [1].",
    answer=ANSWER,
    attachments=(AttachmentReport("error.png", "image/png", True, "3 lines"),),
    hits=(
        Hit(
            PASSAGE, 0.5, {"dense": 1}, 0.8, Explanation({"words": 0.5}, (0.4, -0.1), {"mail": 2.0})
        ),
        Hit(PASSAGE, 0.4, {"order lookup": 1}),
    ),
    trace=(Step("search", 12.5, {"hits": 1}),),
)


def test_an_outcome_comes_back_with_its_trace_and_citations(tickets: Tickets) -> None:
    tickets.store_message(message())

    tickets.outcomes.store(1, message(), ["m1"], REPLY)

    (stored,) = tickets.outcomes.of_ticket(1)
    assert stored.outcome == REPLY
    assert stored == tickets.outcomes.get(stored.id)
    assert stored == tickets.outcomes.of_message("email", "m1")


def test_an_outcome_covers_its_whole_burst_and_answers_the_ticket(tickets: Tickets) -> None:
    for name in ("m1", "m2", "m3"):
        tickets.store_message(message(name))

    tickets.outcomes.store(1, message("m2"), ["m1", "m2"], REPLY)

    assert tickets.outcomes.of_message("email", "m1") == tickets.outcomes.of_message("email", "m2")
    assert tickets.outcomes.of_message("email", "m3") is None
    assert tickets.ticket(1).status == "answered"


def test_the_first_outcome_of_a_message_stays(tickets: Tickets) -> None:
    tickets.store_message(message())

    first = tickets.outcomes.store(1, message(), ["m1"], REPLY)
    second = tickets.outcomes.store(1, message(), ["m1"], replace(REPLY, text="Something else"))

    assert first == second is not None
    assert len(tickets.outcomes.of_ticket(1)) == len(tickets.replies.of_ticket(1)) == 1


def test_a_hand_over_gives_the_ticket_to_people_and_tells_the_customer(tickets: Tickets) -> None:
    tickets.store_message(message())

    reply_id = tickets.outcomes.store(
        1, message(), ["m1"], Outcome("hand over", "nothing found", "A colleague will answer.")
    )

    assert tickets.ticket(1).status == "handed over"
    assert tickets.replies.get(reply_id or "").reply.text == "A colleague will answer."


def test_an_answer_without_a_text_of_its_own_is_sent_as_it_is(tickets: Tickets) -> None:
    tickets.store_message(message())

    reply_id = tickets.outcomes.store(1, message(), ["m1"], replace(REPLY, text=""))

    assert tickets.replies.get(reply_id or "").reply.text == ANSWER.text


def test_an_answer_to_a_ticket_taken_meanwhile_becomes_a_draft(tickets: Tickets) -> None:
    tickets.store_message(message())
    tickets.hand_over(1, "ana")

    reply_id = tickets.outcomes.store(1, message(), ["m1"], REPLY)

    (stored,) = tickets.outcomes.of_ticket(1)
    assert reply_id is None
    assert (stored.outcome.action, stored.draft_state) == ("draft", "waiting")
    assert tickets.ticket(1).owner == "ana"


def test_an_answer_to_a_customer_whom_a_person_has_on_another_channel_becomes_a_draft(
    tickets: Tickets,
) -> None:
    ours = {"verified_address": "kim@example.org"}
    tickets.store_message(message(**ours))
    chat = tickets.store_message(replace(message("c1", **ours), connector="slack"))
    tickets.hand_over(chat.id, "ana")

    reply_id = tickets.outcomes.store(1, message(), ["m1"], REPLY)

    (stored,) = tickets.outcomes.of_ticket(1)
    assert (reply_id, stored.draft_state) == (None, "waiting")
    assert stored.outcome.reason.endswith(
        "; meanwhile ticket 2 of the same customer, on slack, is with ana"
    )


def test_plugin_faults_are_kept_with_the_ticket(tickets: Tickets) -> None:
    tickets.store_message(message())
    fault = PluginFault("voice", "message_received", "TimeoutError: 5 s")

    tickets.outcomes.store(1, message(), ["m1"], replace(REPLY, faults=(fault,)))

    assert tickets.outcomes.faults(1) == (fault,)


def test_a_citation_keeps_its_words_when_they_hold_nul(tickets: Tickets) -> None:
    passage = replace(PASSAGE, text="a\x00b", heading_path=("a\x00b",))
    answer = Answer("[1]", (Citation(1, passage, "a\x00b"),), 0.5)
    tickets.store_message(message())

    tickets.outcomes.store(1, message(), ["m1"], replace(REPLY, answer=answer, hits=()))

    stored = tickets.outcomes.of_ticket(1)[0].outcome.answer
    assert stored is not None
    assert stored.citations[0].quote == "a\ufffdb"
