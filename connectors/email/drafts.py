"""Drafts in the mailbox's own drafts folder, for colleagues who work in their mail program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.email import compose
from connectors.email.envelope import NAME, Envelope
from connectors.email.imap import Imap
from connectors.email.pictures import cited
from connectors.email.settings import Mailbox
from connectors.email.tokens import Tokens

if TYPE_CHECKING:
    from assistant import Desk

MOST_TICKETS = 100


class Drafts:
    """The drafts folder of one mailbox."""

    def __init__(self, desk: Desk, name: str, box: Mailbox, tokens: Tokens) -> None:
        self._desk = desk
        self._name = name
        self._box = box
        self._tokens = tokens

    def put(self, imap: Imap) -> None:
        """Puts answers that wait for a person into the folder, each once."""
        tickets = self._desk.tickets
        for ticket in tickets.list("needs review", limit=MOST_TICKETS):
            if ticket.connector != NAME or not ticket.thread_id.startswith(f"{self._name}/"):
                continue
            replies = {stored.reply.id: stored for stored in tickets.replies.of_ticket(ticket.id)}
            for stored in tickets.outcomes.of_ticket(ticket.id):
                reply = replies.get(stored.reply_id or "")
                held = reply is not None and reply.state in ("held", "failed")
                if stored.draft_state != "waiting" and not held:
                    continue
                mark = f"draft/{stored.id}"
                if tickets.arrivals.find(NAME, mark) is None:
                    self._append(imap, stored.id, stored.message_key.partition(":")[2])
                    tickets.arrivals.note(NAME, mark, self._name, mark, {"kind": "draft"})
                    tickets.arrivals.finish(NAME, mark)

    def remove(self, imap: Imap, outcome_id: int, ticket_id: int) -> None:
        """Takes out the draft of an answer that was sent."""
        message_id = self._tokens.message_id(
            "reply", ticket_id, f"draft-{outcome_id}", self._box.domain
        )
        imap.delete(imap.find(self._folder(imap), message_id))

    def _append(self, imap: Imap, outcome_id: int, external_id: str) -> None:
        from assistant import Reply

        stored = self._desk.tickets.outcomes.get(outcome_id)
        question = self._desk.tickets.message(NAME, external_id)
        envelope = Envelope.of(self._desk.tickets, external_id)
        reply = Reply(
            id=f"draft-{outcome_id}",
            ticket_id=stored.ticket_id,
            connector=NAME,
            thread_id=question.thread_id,
            to=question.sender,
            subject=question.subject,
            text=stored.outcome.text,
            citations=stored.outcome.answer.citations if stored.outcome.answer else (),
            in_reply_to=external_id,
        )
        shown = cited(self._desk, reply.citations)
        mail = compose.answer(
            reply, self._box, self._tokens, envelope, question, by="checked", pictures=shown
        )
        folder = self._folder(imap)
        if not imap.find(folder, mail.message_id):
            imap.append(folder, mail.raw, ["\\Draft", "\\Seen"])

    def _folder(self, imap: Imap) -> str:
        return self._box.drafts_folder or imap.special("\\Drafts", "Drafts")
