"""What happens on tickets, told to whoever follows one and to webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

EventKind = Literal[
    "message.received",
    "answer.step",
    "outcome.stored",
    "reply.sent",
    "ticket.handed_over",
    "ticket.solved",
]


@dataclass(frozen=True)
class Event:
    """Something that happened on a ticket.

    message.received     a customer's message was stored: `message`
    answer.step          a step of the path to an answer began: `step`
    outcome.stored       a message ended: `outcome`, `action`
    reply.sent           its channel took a reply: `reply`, `outcome`
    ticket.handed_over   a person has the ticket, or is to take it: `by` or `outcome`
    ticket.solved        it is solved: `by`

    `detail` holds these ids and single words, and nothing that a customer wrote. Ids grow within a
    ticket.
    """

    id: int
    ticket_id: int
    kind: EventKind
    detail: Mapping[str, Any]
    at: datetime
