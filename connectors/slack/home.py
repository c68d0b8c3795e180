"""The app's home, and how the desk is: tickets that are open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant import Ticket
from connectors.slack import mrkdwn
from connectors.slack.client import Client
from connectors.slack.people import People, shown
from connectors.slack.sending import context_block, text_block

if TYPE_CHECKING:
    from assistant import Desk
    from assistant.messages import TicketStatus

SHOWN = 20  # tickets of each kind
FIRST_WORDS = 150  # characters of a ticket's first message
COUNTED = 1_000
STATES: tuple[TicketStatus, ...] = ("open", "needs review", "handed over", "answered")
WORDS = {
    "open": "being answered",
    "needs review": "a person looks at the answer",
    "handed over": "with a person",
    "answered": "answered",
}


def show(desk: Desk, client: Client, people: People, user: str) -> None:
    """Publishes the person's home: own tickets that are not solved, and for staff those that
    wait for somebody."""
    own = desk.tickets.list(limit=COUNTED, customer=f"({user})")
    unsolved = [ticket for ticket in own if ticket.status != "solved"]
    blocks = [text_block("*Your open tickets*"), *_lines(desk, unsolved, "None.")]
    if people.is_staff(user):
        for status in ("handed over", "needs review"):
            title = {"handed over": "*Needs a person*", "needs review": "*Drafts*"}[status]
            waiting = desk.tickets.list(status, limit=SHOWN)
            blocks += [text_block(title), *_lines(desk, waiting, "Nothing waits.", names=True)]
    client.views_publish(user_id=user, view={"type": "home", "blocks": blocks})


def status(desk: Desk) -> str:
    """How many tickets there are of each kind, and how many articles."""
    counts = {state: len(desk.tickets.list(state, limit=COUNTED)) for state in STATES}
    articles, _ = desk.lexical.counts()
    lines = [f"{WORDS[state]}: {_number(count)}" for state, count in counts.items()]
    untold = desk.tickets.notices.untold()
    return "\n".join([*lines, f"not told to staff yet: {untold}", f"articles: {articles}"])


def _lines(desk: Desk, tickets: Any, nothing: str, names: bool = False) -> list[dict[str, Any]]:
    if not tickets:
        return [context_block(nothing)]
    return [context_block(_line(desk, ticket, names)) for ticket in tickets[:SHOWN]]


def _line(desk: Desk, ticket: Ticket, names: bool) -> str:
    turns = desk.tickets.conversation(ticket.id)
    said = " ".join((turns[0].text if turns else ticket.subject).split())
    who = f"{shown(ticket.customer)}: " if names else ""
    owner = f" ({shown(ticket.owner)})" if ticket.owner else ""
    words = mrkdwn.escape(said[:FIRST_WORDS])
    return f"{ticket.id} · {who}{words} · _{WORDS.get(ticket.status, ticket.status)}{owner}_"


def _number(count: int) -> str:
    return f"{count}" if count < COUNTED else f"{COUNTED} or more"
