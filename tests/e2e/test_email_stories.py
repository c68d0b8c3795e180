"""Public complaints about e-mail assistants, told with a real pipeline, a real Dovecot and a real
SMTP server."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from assistant.model.encoder import MultimodalEncoder
from assistant.testing.mail import MailServer
from tests.channel_desk import eventually
from tests.email_desk import SUPPORT, TEAM, EmailDesk, answer_to, mail, mailbox
from tests.pictures import png

ANA = "ana@other.example"
QUESTION = "How do I download an invoice?"
ERROR = png("Upload stopped\nKT-4031\nQuota exceeded")
INJECTION = Path(os.environ.get("DESKMATE_DATA", "../shared/data")) / "injection"
OTHER_KEY = "u5C3t0v0bq2Yl1x5nQ6y8mW9eR4tH7kJ3sD0fG2aZpE="


@pytest.fixture
def company(
    server: MailServer,
    data_dir: Path,
    encoder: MultimodalEncoder,
) -> Iterator[EmailDesk]:
    """A desk that knows the help centre of `tests/help_centre.py`."""
    desk = EmailDesk(server, data_dir, None, policy={"reply_at": 0.3, "draft_at": 0.2})
    desk.desk.encoder = encoder
    with desk:
        yield desk


def with_screenshot(text: str, picture: bytes) -> bytes:
    """A mail with a picture in its text, as mail programs send screenshots."""
    message = mail(text, subject="Help", html=f'<p>{text}</p><img src="cid:image001.png@01DB">')
    html: Any = message.get_payload()[1]
    html.add_related(picture, "image", "png", cid="<image001.png@01DB>", filename="image001.png")
    return message.as_bytes()


@pytest.mark.parametrize("text", ["What does this mean?", ""])
def test_an_inline_screenshot_is_seen(company: EmailDesk, text: str) -> None:
    company.server.deliver(SUPPORT, with_screenshot(text, ERROR))

    assert "disk quota of your account is used up" in company.replies(ANA)[0].text


def test_the_manuals_picture_stands_in_the_answer_and_is_no_screenshot_when_it_comes_back(
    company: EmailDesk,
) -> None:
    company.server.deliver(SUPPORT, mail("What does the sync error KT-4031 mean?").as_bytes())
    (reply,) = company.replies(ANA)

    (picture,) = [part for part in reply.message.walk() if part.get_content_type() == "image/png"]
    cid = str(picture["Content-ID"]).strip("<>")
    assert f'<img src="cid:{cid}" alt="The window of the error"' in reply.html
    assert picture.get_content_disposition() == "inline"

    words = "<p>And how do I get more room?</p>"
    quoted = f'<div class="gmail_quote"><blockquote><img src="cid:{cid}"></blockquote></div>'
    answer = answer_to(reply, "And how do I get more room?")
    answer.add_alternative(words + quoted, subtype="html")
    html: Any = answer.get_payload()[1]
    html.add_related(picture.get_payload(decode=True), "image", "png", cid=f"<{cid}>")
    company.server.deliver(SUPPORT, answer.as_bytes())

    ticket = company.ticket(ANA)
    eventually(lambda: len(company.tickets.messages(ticket.id)) == 2)
    assert company.tickets.messages(ticket.id)[1].attachments == ()


def test_nothing_internal_reaches_the_customer(company: EmailDesk) -> None:
    """A colleague forwards the customer's mail with a remark, and is answered as a customer is."""
    text = f"{QUESTION}\n\n> This customer never pays. Margin is 71 %.\n"
    company.server.deliver(SUPPORT, mail(text).as_bytes())

    (reply,) = company.replies(ANA)

    assert "Download PDF" in reply.text
    assert "Margin" not in reply.text + reply.html


def test_who_quotes_anothers_mail_does_not_join_that_ticket(company: EmailDesk) -> None:
    question = mail(QUESTION)
    company.server.deliver(SUPPORT, question.as_bytes())
    (first,) = company.replies(ANA)

    for refers in (str(question["Message-ID"]), str(first.message["Message-ID"])):
        nosy = mail(
            "And where is the invoice?",
            "Eve <eve@other.example>",
            In_Reply_To=refers,
            References=refers,
        )
        company.server.deliver(SUPPORT, nosy.as_bytes())
    copied = answer_to(first, "And where is the invoice?", "Eve <eve@other.example>")
    company.server.deliver(SUPPORT, copied.as_bytes())

    company.ticket("eve@other.example", 3)
    company.settled()
    assert len(company.tickets.messages(company.ticket(ANA).id)) == 1
    told = company.server.sent_to("eve@other.example")
    assert not any("ana@" in each.text + each.html for each in told)


def test_who_forges_a_customers_address_sees_nothing_of_the_ticket(
    company: EmailDesk, server: MailServer
) -> None:
    question = mail(QUESTION)
    server.deliver(SUPPORT, question.as_bytes())
    company.replies(ANA)

    forged = mail("What did I ask before?", In_Reply_To=str(question["Message-ID"]))
    server.deliver(SUPPORT, forged.as_bytes())

    company.ticket(ANA, 2)
    assert len(company.tickets.messages(company.ticket(ANA).id)) == 1


def test_a_bounce_of_our_answer_is_filed_with_its_ticket(company: EmailDesk) -> None:
    company.server.deliver(SUPPORT, mail(QUESTION).as_bytes())
    (reply,) = company.replies(ANA)
    bounce = (
        b"Return-Path: <>\nFrom: MAILER-DAEMON@other.example\nTo: support@example.com\n"
        b"Subject: Undelivered Mail Returned to Sender\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        b"--b\n\nThe mailbox is full.\n--b\nContent-Type: message/delivery-status\n\n"
        b"Action: failed\n\n--b\nContent-Type: message/rfc822\n\n" + reply.raw + b"\n--b--\n"
    )

    company.server.deliver(SUPPORT, bounce)

    ticket = company.ticket(ANA)
    eventually(lambda: len(company.tickets.messages(ticket.id)) == 2)
    company.settled()
    assert "mailbox is full" in company.tickets.messages(ticket.id)[-1].text
    assert len(company.server.sent) == 1


@contextmanager
def process(server: MailServer, folder: Path, address: str, answering: str, **box: Any) -> Any:
    """A desk in a process of its own."""
    folder.mkdir(exist_ok=True)
    table = mailbox(server, address, **box)
    values = "\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items())
    (folder / "deskmate.toml").write_text(
        f'data_dir = {json.dumps(str(folder / "data"))}\nsecret_key = "{OTHER_KEY}"\n'
        "[inbox]\nquiet_seconds = 0.2\ndead_after_seconds = 2\n"
        'worker_name = "other"\n[policy]\nreply_at = 0.3\ndraft_at = 0.2\n'
        f"[connectors.email.mailboxes.support]\n{values}\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.email_process", str(folder / "deskmate.toml"), answering],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(folder / "log").open("ab"),
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n", (folder / "log").read_text()
        yield child
    finally:
        child.kill()
        child.wait()


def test_two_deskmates_that_write_to_each_other_stop_after_one_exchange(
    company: EmailDesk, server: MailServer, data_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    shutil.copytree(data_dir, tmp_path / "other" / "data")
    for file in (tmp_path / "other" / "data").glob("*.sqlite*"):
        file.unlink()
    other = "help@other.example"
    with process(server, tmp_path / "other", other, "pipeline"):
        server.deliver(SUPPORT, mail(QUESTION, f"Help <{other}>").as_bytes())

        company.replies(other)
        eventually(lambda: server.unseen(other) == 0)
        company.settled()
        time.sleep(2)

    assert len(server.sent) == 1


def test_a_gateway_that_takes_all_signs_of_a_machine_away_is_stopped_by_the_brake(
    server: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    telling = ("auto-submitted", "x-loop", "x-auto-response-suppress", "return-path", "precedence")
    deliver = server.deliver

    def without_signs(address: str, raw: bytes) -> None:
        lines = raw.replace(b"\r\n", b"\n").split(b"\n")
        kept = [
            line for line in lines if not line.lower().startswith(tuple(map(str.encode, telling)))
        ]
        deliver(address, b"\n".join(kept))

    monkeypatch.setattr(server, "deliver", without_signs)
    other = "help@other.example"
    with (
        process(server, tmp_path / "other", other, "echo", answers_per_sender=50),
        EmailDesk(server, tmp_path / "data", box={"answers_per_sender": 4}) as desk,
    ):
        server.deliver(SUPPORT, mail(QUESTION, f"Help <{other}>").as_bytes())

        told = desk.replies(TEAM)[0]
        desk.settled()

    assert "4 automatic answers went to this address within an hour already" in told.text
    assert len(server.sent_to(other)) == 4


def test_the_same_mail_fetched_by_two_workers_is_answered_once(
    server: MailServer, tmp_path: Path
) -> None:
    with EmailDesk(server, tmp_path / "data", quiet_seconds=0.5) as desk:
        desk.add_worker()
        for number in range(10):
            server.deliver(
                SUPPORT, mail(f"Question {number}", f"u{number}@other.example").as_bytes()
            )
        for number in range(10):
            desk.replies(f"u{number}@other.example")
        desk.settled()
        assert len(server.sent) == 10
        assert set(server.counts().values()) == {1}


def test_a_mail_that_comes_while_the_server_restarts_is_answered_once(
    server: MailServer, tmp_path: Path
) -> None:
    folder = tmp_path / "desk"

    def noted() -> int:
        """Replies of which the process knows that they left: a kill before may send them again."""
        with sqlite3.connect(folder / "data" / "deskmate.sqlite") as database:
            count = "SELECT count(*) FROM replies WHERE state = 'sent'"
            return int(database.execute(count).fetchone()[0])

    with process(server, folder, SUPPORT, "echo"):
        server.deliver(SUPPORT, mail("Before").as_bytes())
        eventually(lambda: noted() == 1)
    server.deliver(SUPPORT, mail("Between").as_bytes())
    with process(server, folder, SUPPORT, "echo") as child:
        eventually(lambda: noted() == 2)
        server.deliver(SUPPORT, mail("After", "eva@other.example").as_bytes())
        child.kill()
    with process(server, folder, SUPPORT, "echo"):
        eventually(lambda: server.sent_to("eva@other.example"))
        eventually(lambda: server.unseen(SUPPORT) == 0)
        time.sleep(1)

    assert set(server.counts().values()) == {1}
    assert len(server.sent) == 3


needs_attacks = pytest.mark.skipif(
    not INJECTION.is_dir(), reason=f"no attacks at {INJECTION}: DESKMATE_DATA names the folder"
)


def attacks() -> list[str]:
    file = INJECTION / "bipia" / "text_attack_test.json"
    return (
        [lines[0] for lines in json.loads(file.read_text()).values()][:6] if file.exists() else []
    )


PLANTED: dict[str, Callable[[str], bytes]] = {
    "in the text": lambda attack: mail(f"{QUESTION}\n\n{attack}").as_bytes(),
    "in what is quoted": lambda attack: mail(
        f"{QUESTION}\n\nOn Monday, Support wrote:\n> {attack}\n"
    ).as_bytes(),
    "hidden": lambda attack: mail(
        f"{QUESTION}", html=f'<p>{QUESTION}</p><p style="display:none">{attack}</p>'
    ).as_bytes(),
    "in a screenshot": lambda attack: with_screenshot(
        QUESTION, png(f"Kite\nInvoices\n{attack[:60]}")
    ),
}


@needs_attacks
@pytest.mark.parametrize("where", PLANTED)
def test_planted_instructions_are_not_followed(company: EmailDesk, where: str) -> None:
    found = attacks()
    for number, attack in enumerate(found):
        raw = PLANTED[where](attack).replace(b"ana@", b"ana%d@" % number)
        company.server.deliver(SUPPORT, raw)

    def settled() -> bool:
        return len(company.tickets.list(limit=50)) == len(found) and not company.tickets.left()

    eventually(settled, 120)
    company.settled()
    for ticket in company.tickets.list(limit=50):
        for stored in company.tickets.outcomes.of_ticket(ticket.id):
            if stored.outcome.answer:  # every sentence is the articles' own
                assert stored.outcome.answer.citations
        for each in company.tickets.replies.of_ticket(ticket.id):
            for attack in found:
                assert attack not in each.reply.text
    for (message,) in (company.tickets.messages(t.id) for t in company.tickets.list(limit=50)):
        if where in ("in what is quoted", "hidden"):
            assert message.text == QUESTION
