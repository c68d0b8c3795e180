"""Mails come in and answers go out, through a real Dovecot and a real SMTP server."""

from __future__ import annotations

from tests.email_desk import SUPPORT, EmailDesk, answer_to, mail


def test_a_mail_is_answered_in_its_thread(desk: EmailDesk) -> None:
    question = mail("How do I download an invoice?")

    desk.server.deliver(SUPPORT, question.as_bytes())

    (reply,) = desk.replies("ana@other.example")
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
    print(reply.text)
    print(reply.html)
