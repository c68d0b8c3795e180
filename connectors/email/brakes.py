"""How many automatic answers may leave, to one address and altogether: whatever the rules miss, a
loop ends here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from assistant import Reply
from connectors.email.address import address_of

if TYPE_CHECKING:
    from assistant.tickets.replies import Replies

HOUR = timedelta(hours=1)


def reason_to_hold(replies: Replies, reply: Reply, per_sender: int, per_mailbox: int) -> str | None:
    """Why this automatic answer is left to a person: so many left within the hour already, to this
    address or from this mailbox; None if it may go."""
    since = datetime.now(UTC) - HOUR
    to, mailbox = f"<{address_of(reply.to)}>", reply.thread_id.partition("/")[0] + "/"
    if replies.automatic_since(reply.connector, since, mailbox, to) >= per_sender:
        return f"{per_sender} automatic answers went to this address within an hour already"
    if replies.automatic_since(reply.connector, since, mailbox) >= per_mailbox:
        return f"{per_mailbox} automatic answers left this mailbox within an hour already"
    return None
