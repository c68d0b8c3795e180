"""What each operation does: plain functions, called in a thread, once the request is checked."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from assistant import Accept, DeskmateError, Event, Message, Ticket, __version__
from assistant import Citation as Cited
from connectors.api import schema
from connectors.api.access import Caller
from connectors.api.bodies import Posted
from connectors.api.problems import ProblemError

if TYPE_CHECKING:
    from assistant import Desk
    from assistant.tickets.outcomes import StoredOutcome

NAME = "api"
PREFIX = "/api"
PERSON = "I would like to talk to a person."
EVENTS_AT_ONCE = 200
NOTHING = Posted(schema.Nothing())


@dataclass(frozen=True)
class Call:
    """A request that passed all checks. `query` and `posted` are of the operation's own models.
    What the request makes is named after `seed`, which is the same whenever it is made again under
    one Idempotency-Key."""

    desk: Desk
    accept: Accept
    query: Any
    asker: Caller | None = None
    found: Ticket | None = None
    posted: Posted = NOTHING
    seed: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def caller(self) -> Caller:
        """Who asks, where the operation has a scope."""
        assert self.asker is not None
        return self.asker

    @property
    def ticket(self) -> Ticket:
        """The ticket that the path names, which the caller may read."""
        assert self.found is not None
        return self.found


def post_message(call: Call) -> schema.Accepted:
    """Takes a message in; it is stored when this returns."""
    values: schema.NewMessage = call.posted.values
    ticket = _goes_on_with(call, values.ticket)
    if values.customer and (call.caller.customer or call.caller.key.public):
        raise ProblemError(
            403, "Who writes cannot be told with this key: everybody in its pages could claim it."
        )
    thread_id = ticket.thread_id if ticket else _name(call, "thread")
    sender = values.customer or (ticket.customer if ticket else f"visitor {thread_id[:8]}")
    token = (
        None
        if ticket
        else call.desk.tickets.api_keys.begin_conversation(thread_id, call.caller.key)
    )
    message = Message(
        connector=NAME,
        external_id=_name(call, "message"),
        thread_id=thread_id,
        sender=sender,
        text=values.text,
        subject=values.subject,
        attachments=call.posted.files,
        audience=call.caller.key.audience,
        product=values.product,
    )
    return _accepted(call, message, token)


def ask_for_person(call: Call) -> schema.Accepted:
    """The customer wants a person: the same as writing so."""
    ticket = _goes_on_with(call, call.ticket.id)
    assert ticket is not None
    message = Message(
        connector=NAME,
        external_id=_name(call, "message"),
        thread_id=ticket.thread_id,
        sender=ticket.customer,
        text=PERSON,
        audience=call.caller.key.audience,
    )
    return _accepted(call, message, None)


def list_tickets(call: Call) -> schema.Tickets:
    """A page of tickets; one more than asked for is read, to know whether there is a next one."""
    query: schema.TicketsQuery = call.query
    found = call.desk.tickets.api_keys.tickets(
        call.caller.key, status=query.status, before=query.before, limit=query.limit + 1
    )
    items = [_ticket(call, ticket) for ticket in found[: query.limit]]
    more = {"before": items[-1].id} if len(found) > query.limit else None
    return schema.Tickets(items=items, next=_next("/tickets", query, more))


def get_ticket(call: Call) -> schema.TicketDetail:
    """A ticket with its conversation."""
    said = call.desk.tickets.conversation(call.ticket.id)
    turns = [schema.Turn(author=t.author, text=t.text, sent_at=t.sent_at) for t in said]
    return schema.TicketDetail(
        **_ticket(call, call.ticket).model_dump(exclude_none=True), conversation=turns
    )


def list_outcomes(call: Call) -> schema.Outcomes:
    """A page of a ticket's outcomes."""
    query: schema.OutcomesQuery = call.query
    found = call.desk.tickets.outcomes.of_ticket(call.ticket.id, query.after or 0, query.limit + 1)
    items = [_outcome(stored) for stored in found[: query.limit]]
    more = {"after": items[-1].id} if len(found) > query.limit else None
    return schema.Outcomes(
        items=items, next=_next(f"/tickets/{call.ticket.id}/outcomes", query, more)
    )


def search_passages(call: Call) -> schema.Passages:
    """The passages that fit a question, of those that the key may see."""
    query: schema.PassagesQuery = call.query
    hits = call.desk.search(
        query.q, audience=call.caller.key.audience, product=query.product, limit=query.limit
    )
    return schema.Passages(
        items=[
            schema.PassageItem(
                id=hit.passage.id,
                title=hit.passage.title,
                heading_path=list(hit.passage.heading_path),
                text=hit.passage.text,
                url=hit.passage.url,
                source=hit.passage.source,
                score=hit.score,
            )
            for hit in hits
        ]
    )


def post_feedback(call: Call) -> None:
    """Stores a thumb."""
    values: schema.NewFeedback = call.posted.values
    if values.outcome is not None:
        try:
            stored = call.desk.tickets.outcomes.get(values.outcome)
        except DeskmateError:
            stored = None
        if stored is None or stored.ticket_id != call.ticket.id:
            raise ProblemError(404, f"Ticket {call.ticket.id} has no outcome {values.outcome}.")
    call.desk.tickets.feedback.add(
        call.ticket.id, values.helpful, call.ticket.customer, values.comment, values.outcome
    )


def health(call: Call) -> schema.Health:
    """That the API answers."""
    return schema.Health(version=__version__)


def told(call: Call, after: int) -> list[tuple[Event, Mapping[str, Any]]]:
    """A ticket's events after this one, with what the caller is told of each."""
    tell = _told_to_customer if call.caller.customer else _told_to_key
    found = call.desk.tickets.events.after(call.ticket.id, after, EVENTS_AT_ONCE)
    return [(event, tell(call.desk, event)) for event in found]


def _told_to_customer(desk: Desk, event: Event) -> Mapping[str, Any]:
    if event.kind == "reply.sent":
        return _reply(desk, event)
    return {key: value for key, value in event.detail.items() if key != "by"}


def _told_to_key(desk: Desk, event: Event) -> Mapping[str, Any]:
    if event.kind == "reply.sent":
        return _reply(desk, event)
    if event.kind == "outcome.stored":
        outcome = desk.tickets.outcomes.get(event.detail["outcome"]).outcome
        return {**event.detail, "reason": outcome.reason}
    return event.detail


def _reply(desk: Desk, event: Event) -> Mapping[str, Any]:
    stored = desk.tickets.replies.get(event.detail["reply"])
    citations = [_citation(cited).model_dump() for cited in stored.reply.citations]
    return {
        **event.detail,
        "author": stored.author,
        "text": stored.reply.text,
        "citations": citations,
    }


def _accepted(call: Call, message: Message, token: str | None) -> schema.Accepted:
    call.accept(message)
    ticket = call.desk.tickets.find(NAME, message.thread_id)
    assert ticket is not None
    return schema.Accepted(
        ticket=ticket.id,
        message=message.external_id,
        events=f"{PREFIX}/tickets/{ticket.id}/events",
        token=token,
    )


def _goes_on_with(call: Call, ticket_id: int | None) -> Ticket | None:
    """The conversation that a message belongs to: the token's own, or the one it names."""
    tickets = call.desk.tickets
    if call.caller.thread_id is not None:
        own = tickets.find(NAME, call.caller.thread_id)
        if own is None or ticket_id not in (None, own.id):
            raise ProblemError(404, "This token is of another conversation.")
        return own
    if ticket_id is None:
        return None
    ticket = None if call.caller.key.public else tickets.api_keys.ticket(call.caller.key, ticket_id)
    if ticket is None:
        raise ProblemError(404, f"There is no ticket {ticket_id} that this key may go on with.")
    if ticket.connector != NAME:
        raise ProblemError(
            409, f"Ticket {ticket_id} came through {ticket.connector}: its customer reads there."
        )
    return ticket


def _name(call: Call, what: str) -> str:
    """An id for something new, the same whenever the request is made again."""
    return str(uuid.uuid5(uuid.UUID(call.seed), what))


def _next(path: str, query: schema.Incoming, more: Mapping[str, int] | None) -> str | None:
    if more is None:
        return None
    return f"{PREFIX}{path}?{urlencode({**query.model_dump(exclude_none=True), **more})}"


def _ticket(call: Call, ticket: Ticket) -> schema.TicketItem:
    """A ticket; its customer is not told which colleague has it, nor that one looks it over."""
    customer = call.caller.customer
    waits = customer and ticket.status == "needs review"
    return schema.TicketItem(
        id=ticket.id,
        status="open" if waits else ticket.status,
        channel=ticket.connector,
        subject=ticket.subject,
        created_at=ticket.created_at,
        customer=ticket.customer,
        owner=None if customer else ticket.owner,
        solved_by=None if customer else ticket.solved_by,
    )


def _outcome(stored: StoredOutcome) -> schema.OutcomeItem:
    outcome = stored.outcome
    answer = outcome.answer
    return schema.OutcomeItem(
        id=stored.id,
        message=stored.message_key.partition(":")[2],
        action=outcome.action,
        reason=outcome.reason,
        text=outcome.text,
        confidence=answer.confidence if answer else None,
        draft=stored.draft_state,
        reply=stored.reply_id,
        citations=[_citation(cited) for cited in answer.citations] if answer else [],
        files=[
            schema.File(filename=report.filename, read=report.read, note=report.note)
            for report in outcome.attachments
        ],
        steps=[
            schema.Step(name=step.name, milliseconds=step.milliseconds) for step in outcome.trace
        ],
        created_at=stored.created_at,
    )


def _citation(cited: Cited) -> schema.Citation:
    passage = cited.passage
    return schema.Citation(
        number=cited.number, title=passage.title, url=passage.url, quote=cited.quote
    )


Handler = Callable[[Call], Any]
