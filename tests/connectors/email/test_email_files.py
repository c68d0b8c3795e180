"""Files: what colleagues attach reaches the customer; mails that hold nothing else are mails."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from email.message import Message

import pytest

from assistant import Attachment, Outcome
from assistant.testing.mail import MailServer
from connectors.email import files
from tests.channel_desk import eventually, replies_with
from tests.email_desk import SUPPORT, TEAM, EmailDesk, answer_to, mail
from tests.pictures import png

ANA = "ana@other.example"
KIM = "Kim Berg <team@other.example>"
HANDED = Outcome("hand over", "the articles do not settle this", "A person will answer you here.")
PDF = b"%PDF-1.4 an invoice"


def attached(message: Message) -> dict[str, object]:
    """The files of a mail that was sent, by name."""
    return {
        str(part.get_filename()): part.get_payload(decode=True)
        for part in message.walk()
        if part.get_filename()
    }


def archive(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return content.getvalue()


@pytest.mark.parametrize("words", ["Here is the invoice.", ""])
def test_a_colleagues_files_reach_the_customer(
    run: Callable[..., EmailDesk], server: MailServer, words: str
) -> None:
    desk = run(lambda *asked: HANDED)
    server.deliver(SUPPORT, mail().as_bytes())
    (told,) = desk.replies(TEAM)
    desk.replies(ANA)

    answer = answer_to(told, words, KIM)
    answer.add_attachment(PDF, "application", "pdf", filename="Rechnung Mai.pdf")
    server.deliver(SUPPORT, answer.as_bytes())

    sent = desk.replies(ANA, 2)[1]
    assert attached(sent.message) == {"Rechnung Mai.pdf": PDF}
    assert words in sent.text
    assert "the articles do not settle" not in sent.text
    assert desk.ticket(ANA).owner == KIM


def test_a_colleagues_program_is_not_passed_on_and_the_colleague_is_told(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run(lambda *asked: HANDED)
    server.deliver(SUPPORT, mail().as_bytes())
    (told,) = desk.replies(TEAM)
    desk.replies(ANA)

    answer = answer_to(told, "Run this.", KIM)
    answer.add_attachment(archive("tools/Fix.EXE"), "application", "zip", filename="fix.zip")
    server.deliver(SUPPORT, answer.as_bytes())

    failed = desk.replies(TEAM, 2)[1]
    assert "A reply could not be sent" in str(failed.message["Subject"])
    assert "fix.zip: it holds the program Fix.EXE. Answer once more, without it." in failed.text
    desk.settled()
    assert len(server.sent_to(ANA)) == 1


def test_a_customers_answer_may_be_a_screenshot_and_no_word(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    desk = run(lambda message, *rest: replies_with(f"Files: {len(message.attachments)}"))
    server.deliver(SUPPORT, mail().as_bytes())
    (first,) = desk.replies(ANA)

    answer = answer_to(first, "")
    answer.add_attachment(png("KT-4031"), "image", "png", filename="screen.png")
    server.deliver(SUPPORT, answer.as_bytes())

    assert "Files: 1" in desk.replies(ANA, 2)[1].text
    (ticket,) = desk.tickets.list()
    message = eventually(lambda: desk.tickets.messages(ticket.id)[1])
    assert (message.text, message.attachments[0].filename) == ("", "screen.png")


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (Attachment("application/pdf", "a.pdf", PDF), ""),
        (Attachment("application/zip", "a.zip", archive("notes.txt")), ""),
        (Attachment("application/zip", "a.zip", b"PK broken"), ""),
        (Attachment("text/plain", "run.js ", b"x"), "run.js : programs are not passed on"),
        (Attachment("image/png", "a.png", b"MZ\x90"), "a.png: programs are not passed on"),
        (Attachment("application/zip", "a", archive("x/y.scr")), "a: it holds the program y.scr"),
        (Attachment("video/mp4", "a.mp4", b"", "it is larger"), "a.mp4: it is larger"),
        (
            Attachment("video/mp4", "a.mp4", bytes(16_000_000)),
            "the files have 16 MB, and mail servers take 15",
        ),
    ],
)
def test_what_is_passed_on(file: Attachment, reason: str) -> None:
    assert files.refusal([file]) == reason
