"""Mails come in and answers go out, through a real Dovecot and a real SMTP server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from imap_tools import MailMessageFlags

from assistant import Answer, Outcome
from assistant.testing.mail import MailServer
from connectors.email import imap
from tests.channel_desk import echo, eventually, replies_with
from tests.email_desk import SUPPORT, EmailDesk, answer_to, mail
from tests.pictures import png

ANA = "ana@other.example"


def test_a_mail_is_answered_in_its_thread(desk: EmailDesk) -> None:
    question = mail("How do I download an invoice?")

    desk.server.deliver(SUPPORT, question.as_bytes())

    (reply,) = desk.replies(ANA)
    message = reply.message
    assert message["In-Reply-To"] == question["Message-ID"]
    assert message["References"] == question["Message-ID"]
    assert message["Subject"] == "Re: Invoices"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["From"] == "Example Support <support@example.com>"
    assert "You asked: How do I download an invoice? [1]" in reply.text
    assert "https://help.example/invoices" in reply.text
    assert "automatic assistant" in reply.text
    assert "> How do I download an invoice?" in reply.text
    assert '<a href="https://help.example/invoices">[1]</a>' in reply.html


def test_the_answer_to_an_answer_goes_on_in_its_ticket(desk: EmailDesk) -> None:
    desk.server.deliver(SUPPORT, mail().as_bytes())
    (first,) = desk.replies(ANA)

    desk.server.deliver(SUPPORT, answer_to(first, "And the one of May?").as_bytes())

    second = desk.replies(ANA, 2)[1]
    assert "You asked: And the one of May? [1]" in second.text
    assert second.message["References"].split()[-2:] == [
        first.message["Message-ID"],
        second.message["In-Reply-To"],
    ]
    ticket = desk.ticket(ANA)
    assert [m.text for m in desk.tickets.messages(ticket.id)] == [
        "How do I download an invoice?",
        "And the one of May?",
    ]


def test_a_mail_program_that_drops_all_headers_is_known_by_the_mark_it_quotes(
    desk: EmailDesk,
) -> None:
    desk.server.deliver(SUPPORT, mail().as_bytes())
    (first,) = desk.replies(ANA)

    later = answer_to(first, "And the one of May?", In_Reply_To="", References="")
    desk.server.deliver(SUPPORT, later.as_bytes())

    desk.replies(ANA, 2)
    assert len(desk.tickets.list()) == 1


def test_a_mail_is_marked_as_seen_once_it_is_accepted_and_kept_unseen_until_then(
    run: Callable[..., EmailDesk], server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = run()
    note, unseen = desk.tickets.arrivals.note, list[int]()

    def noting(*what: Any, **more: Any) -> bool:
        unseen.append(server.unseen(SUPPORT))
        return note(*what, **more)

    monkeypatch.setattr(desk.tickets.arrivals, "note", noting)
    server.deliver(SUPPORT, mail().as_bytes())

    assert desk.replies(ANA)
    eventually(lambda: server.unseen(SUPPORT) == 0)
    assert unseen[0] == 1


def test_what_was_already_seen_before_the_first_start_is_left_alone(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    server.deliver(SUPPORT, mail("An old one, long answered").as_bytes())
    with server.mailbox(SUPPORT) as box:
        box.flag(box.uids(), MailMessageFlags.SEEN, True)
    server.deliver(SUPPORT, mail("A new one that waits").as_bytes())

    desk = run()

    (reply,) = desk.replies(ANA)
    assert "A new one that waits" in reply.text
    desk.settled()
    assert len(server.sent_to(ANA)) == 1


def test_what_a_person_opened_first_is_answered_nevertheless(
    run: Callable[..., EmailDesk], server: MailServer, tmp_path: Path
) -> None:
    with_first = run(data_dir=tmp_path / "same")
    server.deliver(SUPPORT, mail("The first").as_bytes())
    with_first.replies(ANA)
    with_first.settled()
    with_first.__exit__()
    server.deliver(SUPPORT, mail("Opened by a curious colleague").as_bytes())
    with server.mailbox(SUPPORT) as box:
        box.flag(box.uids(), MailMessageFlags.SEEN, True)

    desk = run(data_dir=tmp_path / "same")

    assert "curious colleague" in desk.replies(ANA, 2)[1].text


def test_done_and_filed_mails_are_moved_where_folders_are_named(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run(box={"done_folder": "Sent", "filed_folder": "Filed", "sent_folder": "Drafts"})

    server.deliver(SUPPORT, mail("A question").as_bytes())
    server.deliver(SUPPORT, mail("Away", Auto_Submitted="auto-replied").as_bytes())

    desk.replies(ANA)
    eventually(lambda: len(server.mails(SUPPORT, "Filed")) == 1)
    eventually(lambda: len(server.mails(SUPPORT, "Sent")) == 1)
    assert server.mails(SUPPORT) == []


def test_without_idle_the_mailbox_is_looked_into(
    run: Callable[..., EmailDesk], server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = imap.Imap.__init__

    def without_idle(self: imap.Imap, *arguments: Any) -> None:
        opened(self, *arguments)
        self.idles = False

    monkeypatch.setattr(imap.Imap, "__init__", without_idle)
    desk = run(box={"poll_seconds": 0.5})

    server.deliver(SUPPORT, mail().as_bytes())

    assert desk.replies(ANA)


def test_a_lost_connection_is_made_again(desk: EmailDesk, server: MailServer) -> None:
    server.deliver(SUPPORT, mail("Before").as_bytes())
    desk.replies(ANA)

    server.stop_imap()
    server.deliver(SUPPORT, mail("Meanwhile").as_bytes())
    server.start_imap()

    assert "Meanwhile" in desk.replies(ANA, 2)[1].text


def test_a_mailbox_that_was_made_anew_is_read_without_answering_anything_twice(
    desk: EmailDesk, server: MailServer
) -> None:
    first, second = mail("Before"), mail("After")
    server.deliver(SUPPORT, first.as_bytes())
    desk.replies(ANA)
    desk.settled()

    server.stop_imap()
    box = server.maildir(SUPPORT)
    for file in box.glob("dovecot*"):  # the indexes with UIDVALIDITY, and all marks
        file.unlink()
    for file in (box / "cur").iterdir():
        file.rename(box / "new" / file.name.partition(":")[0])
    server.deliver(SUPPORT, second.as_bytes())
    server.start_imap()

    assert "After" in desk.replies(ANA, 2)[1].text
    desk.settled()
    assert len(server.sent_to(ANA)) == 2


def test_several_mailboxes_answer_each_from_its_own_address(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    from tests.email_desk import mailbox

    boxes = {
        "support": mailbox(server),
        "sales": mailbox(server, "sales@example.com", name="Example Sales"),
    }
    desk = run(mailboxes=boxes)

    server.deliver(
        "sales@example.com", mail("What does it cost?", to="sales@example.com").as_bytes()
    )

    (reply,) = desk.replies(ANA)
    assert reply.message["From"] == "Example Sales <sales@example.com>"


def test_the_same_mail_in_two_mailboxes_is_answered_once(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    from tests.email_desk import mailbox

    boxes = {"support": mailbox(server), "sales": mailbox(server, "sales@example.com")}
    desk = run(mailboxes=boxes)
    both = mail(to="support@example.com, sales@example.com").as_bytes()

    server.deliver("sales@example.com", b"Received: by one\n" + both)
    server.deliver(SUPPORT, b"Received: by another\n" + both)

    desk.replies(ANA)
    eventually(lambda: server.unseen(SUPPORT) + server.unseen("sales@example.com") == 0)
    desk.settled()
    assert len(server.sent_to(ANA)) == 1


def test_two_mails_with_one_message_id_are_both_answered(
    desk: EmailDesk, server: MailServer
) -> None:
    server.deliver(SUPPORT, mail("The first", Message_ID="<same@broken.example>").as_bytes())
    server.deliver(SUPPORT, mail("The second", Message_ID="<same@broken.example>").as_bytes())

    eventually(lambda: "The first" in "".join(reply.text for reply in server.sent))
    eventually(lambda: "The second" in "".join(reply.text for reply in server.sent))


def test_a_copy_stands_in_the_sent_folder(desk: EmailDesk, server: MailServer) -> None:
    server.deliver(SUPPORT, mail().as_bytes())
    (reply,) = desk.replies(ANA)

    (copy,) = eventually(lambda: server.mails(SUPPORT, "Sent"))

    assert copy["Message-ID"] == reply.message["Message-ID"]


def test_a_temporary_refusal_is_waited_out(
    desk: EmailDesk, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.inbox.send_pause", lambda attempt: 0.1)
    server.refuse[ANA] = ["451 4.7.1 Greylisted, come back later", "452 4.2.2 Mailbox full"]

    server.deliver(SUPPORT, mail().as_bytes())

    assert len(desk.replies(ANA)) == 1


def test_what_is_refused_for_good_is_told_to_staff_at_once(
    desk: EmailDesk, server: MailServer
) -> None:
    server.refuse[ANA] = ["550 5.1.1 No such user"] * 5

    server.deliver(SUPPORT, mail().as_bytes())

    (told,) = desk.replies("team@other.example")
    assert "could not be sent" in told.message["Subject"]
    assert "550 5.1.1 No such user" in told.text


def test_a_reply_that_was_taken_without_our_hearing_so_is_found_in_the_sent_folder(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run()
    server.deliver(SUPPORT, mail().as_bytes())
    desk.replies(ANA)
    desk.settled()
    (stored,) = desk.tickets.replies.of_ticket(desk.ticket(ANA).id)

    found = desk.connector.find_sent(stored.reply)

    assert found == stored.external_id


def test_an_answer_in_the_wrong_language_waits_for_a_person(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    def in_english(message: Any, ticket: Any, conversation: Any) -> Outcome:
        return replies_with(
            "Open the settings of your account, choose Invoices, and press the download button. [1]"
        )

    desk = run(in_english)
    german = "Guten Tag, wie kann ich meine Rechnung vom letzten Monat herunterladen?"
    server.deliver(SUPPORT, mail(german, subject="Rechnung").as_bytes())

    (told,) = desk.replies("team@other.example")

    assert "the customer writes in 'de', and the answer is in 'en'" in told.text
    assert server.sent_to(ANA) == []


def test_what_stands_around_an_answer_is_in_the_customers_language(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run(echo)
    german = "Guten Tag, wie kann ich meine Rechnung vom letzten Monat herunterladen?"

    server.deliver(SUPPORT, mail(german, subject="Rechnung").as_bytes())

    (reply,) = desk.replies(ANA)
    assert "Diese Antwort hat ein automatischer Assistent geschrieben." in reply.text
    assert "Quellen:" in reply.text


def test_an_inline_screenshot_is_seen(run: Callable[..., EmailDesk], server: MailServer) -> None:
    desk = run(lambda message, *rest: replies_with(f"Pictures: {len(message.attachments)}"))
    question = mail("It says this:", html='<p>It says this:</p><img src="cid:screen@1">')
    html: Any = question.get_payload()[1]
    html.add_related(png("KT-4031"), "image", "png", cid="<screen@1>", filename="image001.png")

    server.deliver(SUPPORT, question.as_bytes())

    assert "Pictures: 1" in desk.replies(ANA)[0].text
    (message,) = desk.tickets.messages(desk.ticket(ANA).id)
    assert message.attachments[0].content == png("KT-4031")


def test_a_large_attachment_is_reported_and_the_question_answered(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run(
        lambda message, *rest: replies_with(f"{message.attachments[0].missing}|{message.text}")
    )
    question = mail("Please see the recording.")
    question.add_attachment(b"\x00" * 26_000_000, "video", "mp4", filename="screen.mp4")

    server.deliver(SUPPORT, question.as_bytes())

    assert "it is larger than 25 MB|Please see the recording." in desk.replies(ANA)[0].text


def test_of_a_mail_that_is_too_large_the_beginning_is_read_and_a_person_looks(
    run: Callable[..., EmailDesk], server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "BEGINNING_BYTES", 100_000)
    desk = run(box={"max_mail_mb": 1})
    question = mail("Please see the log.")
    question.add_attachment(b"x" * 2_000_000, "application", "zip", filename="log.zip")

    server.deliver(SUPPORT, question.as_bytes())

    (told,) = desk.replies("team@other.example")
    assert "only its beginning was fetched" in told.text
    assert "Please see the log." in told.text


def test_an_empty_answer_is_no_mail(run: Callable[..., EmailDesk], server: MailServer) -> None:
    ignored = Outcome("ignore", "thanks", "", Answer("", (), 0.0))
    desk = run(lambda *asked: ignored)

    server.deliver(SUPPORT, mail("Thanks!").as_bytes())

    desk.ticket(ANA)
    desk.settled()
    assert server.sent == []


def test_the_marks_of_other_customers_are_taken_out_of_what_is_kept(desk: EmailDesk) -> None:
    desk.server.deliver(SUPPORT, mail().as_bytes())
    (first,) = desk.replies(ANA)
    mark = first.text.partition("[DM-")[2].partition("]")[0]

    desk.server.deliver(SUPPORT, mail(f"About [DM-{mark}]", "Eve <eve@other.example>").as_bytes())

    assert mark not in desk.replies("eve@other.example")[0].text
