"""All operations in one table: the routes and the OpenAPI description are both made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from connectors.api import handlers, schema
from connectors.api.handlers import Handler

if TYPE_CHECKING:
    from assistant.tickets.api_keys import Scope


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    `scope` is what a caller needs, None for nothing at all. `form` takes the place of `body` where
    files are posted. `staff`: not for a conversation's token. `streams`: answered with events, not
    by the handler. Whatever is posted may be repeated under an Idempotency-Key.
    """

    name: str
    method: Literal["GET", "POST"]
    path: str
    summary: str
    scope: Scope | None
    handler: Handler | None
    answers: type[BaseModel] | None = None
    status: int = 200
    query: type[BaseModel] = schema.Nothing
    body: type[BaseModel] | None = None
    form: type[BaseModel] | None = None
    staff: bool = False

    @property
    def streams(self) -> bool:
        """Whether it is answered with events."""
        return self.handler is None

    @property
    def of_ticket(self) -> bool:
        """Whether its path names a ticket."""
        return "{ticket}" in self.path


OPERATIONS = (
    Operation(
        "postMessage",
        "POST",
        "/messages",
        "Bring a customer's message; it is stored before it is acknowledged.",
        "messages:write",
        handlers.post_message,
        schema.Accepted,
        202,
        body=schema.NewMessage,
        form=schema.NewMessageForm,
    ),
    Operation(
        "listTickets",
        "GET",
        "/tickets",
        "List the tickets that the key may read, newest first.",
        "tickets:read",
        handlers.list_tickets,
        schema.Tickets,
        query=schema.TicketsQuery,
        staff=True,
    ),
    Operation(
        "getTicket",
        "GET",
        "/tickets/{ticket}",
        "Read a ticket and what was said in it.",
        "tickets:read",
        handlers.get_ticket,
        schema.TicketDetail,
    ),
    Operation(
        "followTicket",
        "GET",
        "/tickets/{ticket}/events",
        "Follow what happens on a ticket: steps of the answer, its text, replies of people.",
        "tickets:read",
        None,
    ),
    Operation(
        "listOutcomes",
        "GET",
        "/tickets/{ticket}/outcomes",
        "List how a ticket's messages ended, and why.",
        "tickets:read",
        handlers.list_outcomes,
        schema.Outcomes,
        query=schema.OutcomesQuery,
        staff=True,
    ),
    Operation(
        "postFeedback",
        "POST",
        "/tickets/{ticket}/feedback",
        "Say whether an answer helped the customer.",
        "feedback:write",
        handlers.post_feedback,
        None,
        204,
        body=schema.NewFeedback,
    ),
    Operation(
        "askForPerson",
        "POST",
        "/tickets/{ticket}/person",
        "Say that the customer wants to talk to a person.",
        "messages:write",
        handlers.ask_for_person,
        schema.Accepted,
        202,
        body=schema.Nothing,
    ),
    Operation(
        "searchPassages",
        "GET",
        "/passages",
        "Search the articles.",
        "knowledge:read",
        handlers.search_passages,
        schema.Passages,
        query=schema.PassagesQuery,
    ),
    Operation(
        "health",
        "GET",
        "/health",
        "See that the API answers.",
        None,
        handlers.health,
        schema.Health,
    ),
)
