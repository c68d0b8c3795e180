"""What goes into the API and comes out of it; the OpenAPI description is made from these."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

HIGHEST_ID = 2**31 - 1  # of PostgreSQL's integer


def _whole(value: Any) -> Any:
    """In JSON 8.0 is an integer too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Id = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=HIGHEST_ID)]
Limit = Annotated[int, Field(ge=1, le=100, description="At most so many.")]
Words = Annotated[str, Field(min_length=1, max_length=50_000, pattern=r"\S")]


class Incoming(BaseModel):
    """What a caller sends; what is not described is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NewMessage(Incoming):
    """A customer's message, without files."""

    text: Words = Field(description="The customer's words.")
    subject: str = Field("", max_length=500)
    ticket: Id | None = Field(
        None, description="The ticket that it goes on with; absent: a new one is begun."
    )
    customer: str | None = Field(
        None,
        min_length=1,
        max_length=320,
        description="Who writes, such as an e-mail address that your own program has verified."
        " Not with a key that has origins, nor with a conversation's token.",
    )
    product: str | None = Field(None, max_length=200, description="Only its articles are searched.")


class NewMessageForm(NewMessage):
    """A customer's message with screenshots, recordings or other files."""

    text: str = Field("", max_length=50_000, description="May be left out where there are files.")


class NewFeedback(Incoming):
    """What the customer thinks of an answer, or of the whole ticket."""

    helpful: bool
    comment: str = Field("", max_length=5_000)
    outcome: Id | None = Field(None, description="The outcome it is about; absent: the ticket.")


class Nothing(Incoming):
    """No more than the request itself."""


class TicketsQuery(Incoming):
    """Which tickets."""

    status: Literal["open", "needs review", "answered", "handed over", "solved"] | None = None
    before: Id | None = Field(None, description="Only older ones than this ticket.")
    limit: Limit = 50


class OutcomesQuery(Incoming):
    """Which outcomes."""

    after: Id | None = Field(None, description="Only later ones than this outcome.")
    limit: Limit = 50


class PassagesQuery(Incoming):
    """What is searched for."""

    q: str = Field(min_length=1, max_length=2_000, pattern=r"\S", description="A question.")
    product: str | None = Field(None, max_length=200)
    limit: Limit = 10


class Outgoing(BaseModel):
    """What the API answers."""

    model_config = ConfigDict(frozen=True)


class Accepted(Outgoing):
    """The message is stored for good, and will be answered."""

    ticket: int
    message: str = Field(description="The message's id.")
    events: str = Field(description="Where the answer is to be seen, as server-sent events.")
    token: str | None = Field(
        None,
        description="For the customer's own browser, where a conversation begins: opens this one,"
        " as a Bearer token.",
    )


class TicketItem(Outgoing):
    """A conversation and where it stands."""

    id: int
    status: str
    channel: str
    subject: str
    created_at: datetime
    customer: str
    owner: str | None = Field(None, description="The person who has it.")
    solved_by: str | None = None


class Turn(Outgoing):
    """What somebody said."""

    author: Literal["customer", "assistant", "staff"]
    text: str
    sent_at: datetime


class TicketDetail(TicketItem):
    """A conversation with what was said in it, oldest first."""

    conversation: list[Turn]


class Tickets(Outgoing):
    """A page of tickets, newest first; `next` is the address of the next page."""

    items: list[TicketItem]
    next: str | None = None


class Citation(Outgoing):
    """The source of a part of an answer, which the text refers to as `[number]`."""

    number: int
    title: str
    url: str
    quote: str


class Step(Outgoing):
    """A step of the answer's path."""

    name: str
    milliseconds: float


class File(Outgoing):
    """A file that came with the message, and whether it was read."""

    filename: str
    read: bool
    note: str


class OutcomeItem(Outgoing):
    """How a message ended, and why."""

    id: int
    message: str = Field(description="The id of the last message it covers.")
    action: str
    reason: str
    text: str
    confidence: float | None = None
    draft: str | None = Field(None, description="waiting, approved or discarded.")
    reply: str | None = Field(None, description="The reply that came of it.")
    citations: list[Citation]
    files: list[File]
    steps: list[Step]
    created_at: datetime


class Outcomes(Outgoing):
    """A page of outcomes, oldest first; `next` is the address of the next page."""

    items: list[OutcomeItem]
    next: str | None = None


class PassageItem(Outgoing):
    """A part of an article that was found."""

    id: str
    title: str
    heading_path: list[str]
    text: str
    url: str
    source: str
    score: float


class Passages(Outgoing):
    """The passages that fit the question, best first."""

    items: list[PassageItem]


class Health(Outgoing):
    """That the API answers, and which one it is."""

    status: Literal["ok"] = "ok"
    api: Literal["1"] = "1"
    version: str


class Place(Outgoing):
    """A place in the request that is wrong."""

    pointer: str
    detail: str


class Problem(Outgoing):
    """What went wrong (RFC 9457)."""

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[Place] | None = None
