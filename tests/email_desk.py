"""A desk with its mailboxes at work, beside a mail server on loopback."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any

from assistant.messages import Ticket, now
from assistant.testing.mail import PASSWORD, Delivered, MailServer
from connectors.email import plugin
from tests.channel_desk import ChannelDesk, echo, eventually

KEY = "5uVtO8sDQxMOyqnb0oW7Zb3c1Kf4mYz7vXnQ2rJtLhE="
SUPPORT = "support@example.com"
TEAM = "team@other.example"


def mailbox(server: MailServer, address: str = SUPPORT, **more: Any) -> dict[str, Any]:
    """The settings of a mailbox on this server, which answers at once."""
    return {
        "address": address,
        "name": "Example Support",
        "imap_host": "127.0.0.1",
        "imap_port": server.imap_port,
        "imap_security": "none",
        "smtp_host": "127.0.0.1",
        "smtp_port": server.smtp_port,
        "smtp_security": "none",
        "password": PASSWORD,
        "drafts_first": 0,
        **more,
    }


class EmailDesk(ChannelDesk):
    """A desk that answers the mails of its mailboxes. `answer` stands in for the pipeline, if it is
    given; `box` are settings of the mailbox `support`, `more` of the connector."""

    def __init__(
        self,
        server: MailServer,
        data_dir: Path,
        answer: Any = echo,
        box: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        self.server = server
        self.address: str = (box or {}).get("address", SUPPORT)
        boxes = more.pop("mailboxes", {"support": mailbox(server, **(box or {}))})
        inbox = {"quiet_seconds": more.pop("quiet_seconds", 0.2), "worker_name": "desk"}
        others = {"policy": more.pop("policy", {}), "secret_key": KEY}
        table = {"mailboxes": boxes, "staff_address": TEAM, **more}
        super().__init__("email", plugin, data_dir, answer, table, inbox, **others)

    def replies(self, to: str, number: int = 1) -> list[Delivered]:
        """The mails to this address; waits until there are so many."""
        eventually(lambda: len(self.server.sent_to(to)) >= number)
        return self.server.sent_to(to)

    def ticket(self, customer: str, number: int = 1) -> Ticket:
        """The first, or a later, ticket of this customer; waits for it."""

        def own() -> list[Ticket]:
            found = self.tickets.list(limit=500, customer=f"<{customer}>")
            return sorted(found, key=lambda ticket: ticket.id)

        eventually(lambda: len(own()) >= number)
        return own()[number - 1]

    def settled(self) -> None:
        """Waits until nothing is waiting or under way."""
        eventually(lambda: self.server.unseen(self.address) == 0)
        super().settled()


def mail(
    text: str = "How do I download an invoice?",
    sender: str = "Ana Lima <ana@other.example>",
    to: str = SUPPORT,
    subject: str = "Invoices",
    html: str = "",
    **headers: str,
) -> EmailMessage:
    """A customer's mail; names of `headers` are written with underscores for dashes."""
    message = EmailMessage(policy=default.clone(max_line_length=900))
    values = {
        "From": sender,
        "To": to,
        "Subject": subject,
        "Date": format_datetime(now()),
        "Message-ID": make_msgid(domain=sender.rpartition("@")[2].rstrip(">")),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    for name, value in values.items():
        if value:
            message[name] = value
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def answer_to(
    delivered: Delivered, text: str, sender: str = "Ana Lima <ana@other.example>", **h: str
) -> EmailMessage:
    """A customer's answer to a mail of ours, as mail programs write it."""
    original = delivered.message
    own = str(original["Message-ID"])
    quoted = "\n".join(f"> {line}" for line in delivered.text.splitlines())
    headers = {
        "In_Reply_To": own,
        "References": f"{original['References'] or ''} {own}".strip(),
        **h,
    }
    to = headers.pop("to", str(original["From"]))
    return mail(
        f"{text}\n\nOn Tue, Nov 24, 2026 at 10:00 AM Example Support wrote:\n{quoted}\n",
        sender,
        to=to,
        subject=f"Re: {original['Subject']}",
        **headers,
    )
