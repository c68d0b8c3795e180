"""Tickets and messages, as the mapping finds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Engine,
    Select,
    String,
    case,
    cast,
    exists,
    literal,
    null,
    or_,
    select,
)

from assistant import Attachment
from connectors.email import html, quotations
from connectors.ticket_database.files import Files
from connectors.ticket_database.mapping import Kind
from connectors.ticket_database.schema import Schema, as_key, as_moment, explained

LONGEST_TEXT = 100_000  # characters of a message that are read
MOST_FILES = 20  # attachments of one message
MARK = "deskmate-"
"""What the mark of each row that we write begins with."""


@dataclass(frozen=True)
class HelpDeskTicket:
    """A ticket of the help desk; `open` and `solved` are None where the mapping does not say."""

    id: Any
    subject: str
    customer: str
    status: str
    open: bool | None
    solved: bool
    assignee: str | None


@dataclass(frozen=True)
class HelpDeskMessage:
    """A message of a ticket; `own` is one that we wrote. `name` is what arrivals call it."""

    name: str
    id: Any
    ticket: Any
    kind: Kind
    own: bool
    text: str
    sender: str
    sent_at: datetime | None

    @property
    def public(self) -> bool:
        """Whether the customer sees it."""
        return self.kind in ("customer", "staff")

    @property
    def by_colleague(self) -> bool:
        """Whether a person of the company wrote it to the customer."""
        return self.kind == "staff" and not self.own


class Reader:
    """Reads the help desk. Raises ConnectionError if the database does not answer."""

    def __init__(self, engine: Engine, schema: Schema, files: Files) -> None:
        self.engine, self.schema, self._files = engine, schema, files
        self._mapping, self._zone = schema.mapping, schema.file.zone
        self._ticket_query = self._select_tickets()
        self._message_query = self._select_messages()

    def ticket(self, ticket_id: Any) -> HelpDeskTicket | None:
        """The ticket of this id; None if there is none, or if it is not for the assistant."""
        view, part = self.schema.tickets, self._mapping.tickets
        column = view.column(part.id)
        query = self._ticket_query.where(column == as_key(column, ticket_id))
        row = self._rows(query)[:1]
        return self._as_ticket(row[0]) if row else None

    def newest(self, limit: int, *, solved: bool = False) -> list[HelpDeskTicket]:
        """The newest tickets, or the newest of those that are solved."""
        part, view = self._mapping.tickets, self.schema.tickets
        query = self._ticket_query.order_by(view.column(part.id).desc()).limit(limit)
        if solved:
            only = view.column(part.status).in_(part.solved) if part.status else literal(False)
            query = query.where(only)
        return [self._as_ticket(row) for row in self._rows(query)]

    def opening(self, ticket_id: Any) -> HelpDeskMessage | None:
        """The first message of a ticket, where the mapping keeps it with the ticket."""
        part = self._mapping.tickets
        view = self.schema.tickets
        column = view.column(part.id)
        if not part.text:
            return None
        created = view.column(part.created) if part.created else null()
        query = self._ticket_query.add_columns(
            view.column(part.text).label("text"), created.label("created")
        )
        rows = self._rows(query.where(column == as_key(column, ticket_id)))[:1]
        for row in rows:
            text = _words(row.text, is_html=part.html)
            sent_at = as_moment(row.created, self._zone)
            return HelpDeskMessage(
                f"tickets/{row.id}", row.id, row.id, "customer", False, text, "", sent_at
            )
        return None

    def message(self, message_id: Any) -> HelpDeskMessage | None:
        """The message of this id, or None."""
        column = self.schema.messages.column(self._mapping.messages.id)
        rows = self._rows(self._message_query.where(column == as_key(column, message_id)))
        return self._as_message(rows[0]) if rows else None

    def messages(self, ticket_id: Any) -> list[HelpDeskMessage]:
        """A ticket's messages, oldest first; the one that stands with the ticket is not among
        them."""
        part, view = self._mapping.messages, self.schema.messages
        column = view.column(part.ticket)
        order = (view.column(part.position or part.id), view.column(part.id))
        query = self._message_query.where(column == as_key(column, ticket_id)).order_by(*order)
        return [self._as_message(row) for row in self._rows(query)]

    def conversation(self, ticket_id: Any) -> list[HelpDeskMessage]:
        """All of a ticket's messages, oldest first."""
        opening = self.opening(ticket_id)
        return [*([opening] if opening else []), *self.messages(ticket_id)]

    def attachments(self, message_id: Any) -> tuple[Attachment, ...]:
        """A message's attachments; those that cannot be had say why. Raises ConnectionError where
        trying again may help."""
        part, view = self._mapping.attachments, self.schema.attachments
        if part is None or view is None:
            return ()
        message = view.column(part.message)
        wanted = [view.column(part.filename).label("filename")]
        wanted.append((view.column(part.media_type) if part.media_type else null()).label("kind"))
        place = view.column(part.place)
        query = (
            select(*wanted, place.label("place"))
            .select_from(view.source)
            .where(message == as_key(message, message_id))
            .where(view.where(part.where) if part.where else literal(True))
            .limit(MOST_FILES)
        )
        how: Literal["content", "path", "url"] = (
            "content" if part.content else "path" if part.path else "url"
        )
        return tuple(
            self._files.read(
                how, row.place, str(row.filename or "file"), str(row.kind or ""), part.shards
            )
            for row in self._rows(query)
        )

    def kind_column(self) -> ColumnElement[str]:
        """What kind of message a row is. Internal comes first: in doubt, nobody outside sees it."""
        part, view = self._mapping.messages, self.schema.messages
        return case(
            (view.where(part.internal), "internal"),
            (view.where(part.customer), "customer"),
            (view.where(part.staff), "staff"),
            else_="other",
        )

    def own_column(self) -> ColumnElement[bool]:
        """Whether we wrote a row."""
        write, view = self._mapping.write, self.schema.messages
        if write is not None and write.mark:
            return view.column(write.mark).startswith(MARK, autoescape=True)
        if self.schema.marks is not None:
            marks = self.schema.marks
            same = marks.c.row_id == cast(view.column(self._mapping.messages.id), String(64))
            return exists().where(same)
        return literal(False)

    def rows_of_interest(self) -> ColumnElement[bool]:
        """Messages of customers, of staff, and internal ones."""
        part, view = self._mapping.messages, self.schema.messages
        kinds = [view.where(each) for each in (part.customer, part.staff, part.internal) if each]
        extra = view.where(part.where) if part.where else literal(True)
        return or_(*kinds) & extra

    def _select_tickets(self) -> Select[Any]:
        part, view = self._mapping.tickets, self.schema.tickets

        def named(reference: str, label: str) -> ColumnElement[Any]:
            return (view.column(reference) if reference else null()).label(label)

        query = select(
            view.column(part.id).label("id"),
            named(part.subject, "subject"),
            named(part.customer, "customer"),
            named(part.status, "status"),
            named(part.assignee, "assignee"),
        ).select_from(view.source)
        return query.where(view.where(part.where)) if part.where else query

    def _select_messages(self) -> Select[Any]:
        part, view = self._mapping.messages, self.schema.messages
        html_column: ColumnElement[Any] = literal(part.html is True)
        if isinstance(part.html, dict):
            html_column = case((view.where(part.html), literal(True)), else_=literal(False))
        query = select(
            view.column(part.id).label("id"),
            view.column(part.ticket).label("ticket"),
            self.kind_column().label("kind"),
            case((self.own_column(), literal(True)), else_=literal(False)).label("own"),
            view.column(part.text).label("text"),
            html_column.label("html"),
            (view.column(part.sender) if part.sender else null()).label("sender"),
            (view.column(part.created) if part.created else null()).label("created"),
        ).select_from(view.source)
        return query.where(view.where(part.where)) if part.where else query

    def _as_ticket(self, row: Any) -> HelpDeskTicket:
        part = self._mapping.tickets
        nobody = (None, "", *part.unassigned)
        return HelpDeskTicket(
            id=row.id,
            subject=str(row.subject or ""),
            customer=str(row.customer or ""),
            status=str(row.status),
            open=row.status in part.open if part.status and part.open else None,
            solved=row.status in part.solved,
            assignee=None if not part.assignee or row.assignee in nobody else str(row.assignee),
        )

    def _as_message(self, row: Any) -> HelpDeskMessage:
        return HelpDeskMessage(
            name=f"messages/{row.id}",
            id=row.id,
            ticket=row.ticket,
            kind=row.kind,
            own=bool(row.own),
            text=_words(row.text, is_html=bool(row.html)),
            sender=str(row.sender or ""),
            sent_at=as_moment(row.created, self._zone),
        )

    def _rows(self, query: Select[Any]) -> Sequence[Any]:
        with explained("the help desk's database"), self.engine.connect() as connection:
            return connection.execute(query).all()


def _words(text: Any, *, is_html: bool) -> str:
    """What the author wrote, without what it quotes; all of it if it is nothing but that."""
    whole = str(text or "")[: 10 * LONGEST_TEXT]
    if is_html:
        visible = html.read(whole)
        whole = visible.text or visible.quoted
    whole = whole[:LONGEST_TEXT]
    own = quotations.split(whole).own.strip()
    return own or whole.strip()
