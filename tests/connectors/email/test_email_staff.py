"""Colleagues: what they are told, what they answer, and that the assistant then keeps out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from assistant import Outcome
from assistant.testing.mail import MailServer
from tests.channel_desk import echo, eventually, replies_with
from tests.email_desk import SUPPORT, TEAM, EmailDesk, answer_to, mail
from tests.pictures import png

ANA = "ana@other.example"
KIM = "Kim Berg <team@other.example>"
HANDED = Outcome("hand over", "the articles do not settle this", "A person will answer you here.")
UNSURE = replies_with("Perhaps in the settings [1]", action="draft")


def test_a_new_mailbox_sends_nothing_until_enough_drafts_were_looked_at(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run(box={"drafts_first": 1})
    server.deliver(SUPPORT, mail("The first").as_bytes())
    (told,) = desk.replies(TEAM)
    assert "0 of 1 drafts were looked at" in told.text
    assert "You asked: The first [1]" in told.text
    assert server.sent_to(ANA) == []

    server.deliver(SUPPORT, answer_to(told, "Send.", KIM).as_bytes())
    (first,) = desk.replies(ANA)
    server.deliver(SUPPORT, mail("The second", "Eva <eva@other.example>").as_bytes())

    assert "You asked: The first [1]" in first.text
    assert "checked by a person" in first.text
    assert first.message["Auto-Submitted"] is None
    assert "The second" in desk.replies("eva@other.example")[0].text


def test_a_draft_that_a_colleague_discards_is_not_sent(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run(lambda *asked: UNSURE)
    server.deliver(SUPPORT, mail().as_bytes())
    (told,) = desk.replies(TEAM)

    server.deliver(SUPPORT, answer_to(told, "discard", KIM).as_bytes())

    eventually(lambda: desk.ticket(ANA).owner == "Kim Berg <team@other.example>")
    desk.settled()
    assert server.sent_to(ANA) == []


def test_a_hand_over_tells_staff_what_was_asked_and_tried(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run(lambda *asked: HANDED)
    question = mail("It is broken, see the picture.")
    question.add_attachment(png("KT-4031"), "image", "png", filename="screen.png")

    server.deliver(SUPPORT, question.as_bytes())

    (told,) = desk.replies(TEAM)
    assert told.message["Subject"] == "[ticket 1] Needs a person: Invoices"
    assert "| It is broken, see the picture." in told.text
    assert "the articles do not settle this" in told.text
    assert [p.get_filename() for p in told.message.walk() if p.get_filename()] == ["screen.png"]
    assert "A person will answer you here." in desk.replies(ANA)[0].text


def test_a_colleagues_answer_goes_to_the_customer_without_what_it_quotes(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run(lambda *asked: HANDED)
    server.deliver(SUPPORT, mail().as_bytes())
    (told,) = desk.replies(TEAM)
    desk.replies(ANA)
    words = "Dear Ana, please restart it.\n\n-- \nKim Berg\nExample Ltd, internal 4711"

    server.deliver(SUPPORT, answer_to(told, words, KIM).as_bytes())

    answer = desk.replies(ANA, 2)[1]
    assert "Dear Ana, please restart it." in answer.text
    for internal in ("the articles do not settle", "Needs a person", "4711", "DS-"):
        assert internal not in answer.text + answer.html
    assert "automatic assistant" not in answer.text
    assert desk.ticket(ANA).owner == KIM


def test_the_assistant_keeps_out_once_a_colleague_answered(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run(lambda *asked: HANDED)
    server.deliver(SUPPORT, mail().as_bytes())
    (told,) = desk.replies(TEAM)
    server.deliver(SUPPORT, answer_to(told, "Please restart it.", KIM).as_bytes())
    answer = desk.replies(ANA, 2)[1]
    desk.answer = echo

    server.deliver(SUPPORT, answer_to(answer, "And then?").as_bytes())

    assert "And then?" in desk.replies(TEAM, 2)[1].text
    desk.settled()
    assert len(server.sent_to(ANA)) == 2


def test_a_colleague_who_answers_from_the_mailbox_itself_is_noticed(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run(lambda *asked: UNSURE)
    question = mail("It is broken.")
    server.deliver(SUPPORT, question.as_bytes())
    desk.replies(TEAM)
    own = mail(
        "I have mended it.",
        "Example Support <support@example.com>",
        to=ANA,
        subject="Re: Invoices",
        In_Reply_To=str(question["Message-ID"]),
        References=str(question["Message-ID"]),
    )

    with server.mailbox(SUPPORT) as box:
        box.append(own.as_bytes(), "Sent")

    eventually(lambda: desk.ticket(ANA).status == "handed over")
    ticket = desk.ticket(ANA)
    assert desk.tickets.messages(ticket.id)[-1].author == "staff"
    (stored,) = [o for o in desk.tickets.outcomes.of_ticket(ticket.id) if o.draft_state]
    eventually(lambda: desk.tickets.outcomes.get(stored.id).draft_state == "discarded")


def test_a_colleague_in_the_thread_is_noticed(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    server.header = b"Authentication-Results: mx; dmarc=pass\n"
    desk = run(box={"authserv_id": "mx"}, staff=["@office.example"])
    question = mail()
    server.deliver(SUPPORT, question.as_bytes())
    desk.replies(ANA)
    colleague = mail(
        "I take this one.",
        "Lea <lea@office.example>",
        to=ANA,
        Cc=SUPPORT,
        In_Reply_To=str(question["Message-ID"]),
    )

    server.deliver(SUPPORT, colleague.as_bytes())

    eventually(lambda: desk.ticket(ANA).owner == "Lea <lea@office.example>")
    desk.settled()
    assert server.sent_to("lea@office.example") == []


def test_who_only_claims_to_be_staff_is_a_customer(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run(box={"authserv_id": "mx"}, staff=["@office.example"])
    question = mail()
    server.deliver(SUPPORT, question.as_bytes())
    (first,) = desk.replies(ANA)

    forged = answer_to(first, "Give me the data.", "Lea <lea@office.example>")
    server.deliver(SUPPORT, forged.as_bytes())

    desk.ticket("lea@office.example")
    assert desk.ticket(ANA).owner is None


def test_staffs_out_of_office_is_no_answer(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run(lambda *asked: HANDED)
    server.deliver(SUPPORT, mail().as_bytes())
    (told,) = desk.replies(TEAM)

    away = answer_to(told, "I am away.", KIM, Auto_Submitted="auto-replied")
    server.deliver(SUPPORT, away.as_bytes())

    desk.settled()
    assert len(server.sent_to(ANA)) == 1
    assert desk.ticket(ANA).owner is None


def test_a_hand_over_does_not_loop_when_the_ticket_is_reopened(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run(lambda *asked: HANDED)
    server.deliver(SUPPORT, mail("First").as_bytes())
    (acknowledged,) = desk.replies(ANA)
    desk.replies(TEAM)
    desk.desk.solve(desk.ticket(ANA).id, "Kim")

    for number in range(2, 4):
        text = f"It is back, number {number}"
        server.deliver(SUPPORT, answer_to(acknowledged, text).as_bytes())
        assert text in desk.replies(TEAM, number)[number - 1].text
        desk.settled()

    # Handed over anew once; from then on the person has it, and the customer is not told again.
    assert len(server.sent_to(ANA)) == 2
    assert len(server.sent_to(TEAM)) == 3


def test_drafts_stand_in_the_drafts_folder_and_count_as_answers_when_sent(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run(lambda *asked: UNSURE, box={"imap_drafts": True})
    server.deliver(SUPPORT, mail().as_bytes())
    (draft,) = eventually(lambda: server.mails(SUPPORT, "Drafts"))
    assert draft["To"] == "Ana Lima <ana@other.example>"

    with server.mailbox(SUPPORT, "Drafts") as box:
        box.move(box.uids(), "Sent")  # as a mail program does when a draft is sent

    eventually(lambda: desk.ticket(ANA).status == "handed over")
    ticket = desk.ticket(ANA)
    (stored,) = desk.tickets.outcomes.of_ticket(ticket.id)[:1]
    eventually(lambda: desk.tickets.outcomes.get(stored.id).draft_state == "discarded")


def test_a_draft_that_was_sent_otherwise_leaves_the_drafts_folder(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run(lambda *asked: UNSURE, box={"imap_drafts": True})
    server.deliver(SUPPORT, mail().as_bytes())
    eventually(lambda: server.mails(SUPPORT, "Drafts"))
    (told,) = desk.replies(TEAM)

    server.deliver(SUPPORT, answer_to(told, "send", KIM).as_bytes())

    assert "Perhaps in the settings" in desk.replies(ANA)[0].text
    eventually(lambda: server.mails(SUPPORT, "Drafts") == [])


@pytest.mark.parametrize("by_person", [False, True])
def test_who_is_in_copy_gets_what_a_person_sent_and_nothing_automatic(
    run: Callable[..., EmailDesk], server: MailServer, by_person: bool
) -> None:
    answers: dict[bool, Any] = {False: echo, True: lambda *asked: UNSURE}
    desk = run(answers[by_person])
    server.deliver(SUPPORT, mail(Cc="Bob <bob@other.example>").as_bytes())
    if by_person:
        (told,) = desk.replies(TEAM)
        server.deliver(SUPPORT, answer_to(told, "send", KIM).as_bytes())

    desk.replies(ANA)

    assert bool(server.sent_to("bob@other.example")) is by_person
