"""The staff channel: drafts with Send, Edit and Discard, hand-overs, replies that did not go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError

from assistant import DeskmateError, Notice, Ticket
from connectors.slack import mrkdwn
from connectors.slack.client import Client
from connectors.slack.intake import NAME
from connectors.slack.people import shown
from connectors.slack.place import Place
from connectors.slack.sending import Block, button, context_block, text_block
from connectors.slack.workspaces import Workspaces

if TYPE_CHECKING:
    from assistant import Desk
    from assistant.tickets.notices import StoredNotice

NOTICE_EVENT = "deskmate_notice"
QUOTED = 2_000  # characters of the question and of the answer that are shown
CLOCKS_SECONDS = 600  # how far Slack's clock and ours may lie apart
TITLES = {
    "draft": "A draft waits for you",
    "hand over": "Needs a person",
    "held": "A reply was held back",
    "failed": "A reply could not be sent",
}


class StaffChannel:
    """Posts notices, and says under them what became of them."""

    def __init__(self, desk: Desk, workspaces: Workspaces) -> None:
        self._desk = desk
        self._workspaces = workspaces

    def post(self, notice: Notice) -> str:
        """Tells staff; returns `channel/ts`. What is told about a ticket later stands in the thread
        of what was told first."""
        team, channel = self._workspaces.staff_place()
        client = self._workspaces.client(team)
        earlier = self._desk.tickets.notices.of_ticket(notice.ticket.id)
        thread_ts = next((_ts(stored) for stored in earlier if stored.told_as), None)
        this = next((stored for stored in earlier if stored.notice.id == notice.id), None)
        if this and this.attempts > 1 and (ts := _find(client, channel, thread_ts, this)):
            return f"{channel}/{ts}"
        posted = client.chat_postMessage(
            channel=channel,
            thread_ts=thread_ts,
            text=_line(notice),
            blocks=self._blocks(notice),
            unfurl_links=False,
            metadata={"event_type": NOTICE_EVENT, "event_payload": {"notice": notice.id}},
        )
        return f"{channel}/{posted['ts']}"

    def close(self, ticket_id: int, outcome_id: int | None, words: str) -> None:
        """Says under what was told about an outcome, or, if that is None, about the whole ticket,
        what became of it, with the buttons that are still of use; `words` are in Slack's format."""
        team, _ = self._workspaces.staff_place()
        client = self._workspaces.client(team)
        for stored in self._desk.tickets.notices.of_ticket(ticket_id):
            if stored.told_as and outcome_id in (None, stored.notice.outcome_id):
                client.chat_update(
                    channel=stored.told_as.split("/")[0],
                    ts=_ts(stored) or "",
                    text=_line(stored.notice),
                    blocks=self._blocks(stored.notice, closed=words),
                )

    def _blocks(self, notice: Notice, closed: str = "") -> list[Block]:
        ticket = notice.ticket
        title = f"*{TITLES[notice.kind]}* · ticket {ticket.id} · {self._where(ticket)}"
        if ticket.owner:
            title += f" · for {shown(ticket.owner)}"  # who has it is called
        blocks = [text_block(title), context_block(f"Why: {mrkdwn.escape(notice.reason)}")]
        blocks += [text_block(part) for part in _quoted(notice.question)]
        if notice.kind != "hand over" and notice.text:
            blocks.append(context_block("The answer:"))
            answer = mrkdwn.split(notice.text, QUOTED)[0]
            blocks += [text_block(part) for part in _sections(answer)]
        if closed:
            blocks.append(context_block(closed))
            has_it = ticket.status == "handed over"
            elements = list(_ticket_buttons(ticket)) if has_it else []
        else:
            elements = list(_buttons(notice))
        return [*blocks, {"type": "actions", "elements": elements}] if elements else blocks

    def _where(self, ticket: Ticket) -> str:
        if ticket.connector != NAME:
            about = mrkdwn.escape(ticket.subject or "no subject")
            return f"{mrkdwn.escape(ticket.connector)}: {about} from {shown(ticket.customer)}"
        place = Place.parse(ticket.thread_id)
        try:
            client = self._workspaces.client(place.team)
            link = client.chat_getPermalink(channel=place.channel, message_ts=place.ts)
        except (SlackApiError, DeskmateError):  # the app may have been taken away there
            return f"from {shown(ticket.customer)}"
        return f"<{link['permalink']}|the conversation> with {shown(ticket.customer)}"


def _find(client: Client, channel: str, thread_ts: str | None, wanted: StoredNotice) -> str:
    """The time stamp of what was posted of it, among all that was posted since it was made."""
    since = str(wanted.created_at.timestamp() - CLOCKS_SECONDS)
    options: dict[str, Any] = {"channel": channel, "oldest": since, "limit": 100}
    pages = (
        client.conversations_replies(ts=thread_ts, include_all_metadata=True, **options)
        if thread_ts
        else client.conversations_history(include_all_metadata=True, **options)
    )
    for page in pages:
        for message in page["messages"]:
            payload = (message.get("metadata") or {}).get("event_payload", {})
            if payload.get("notice") == wanted.notice.id:
                return str(message["ts"])
    return ""


def _buttons(notice: Notice) -> Iterator[Block]:
    if notice.kind == "hand over":
        yield from _ticket_buttons(notice.ticket)
    elif notice.outcome_id is not None:
        outcome = str(notice.outcome_id)
        yield button("send_draft", "Send", outcome, "primary")
        yield button("edit_draft", "Edit", outcome)
        yield button("discard_draft", "Discard", outcome, "danger")


def _ticket_buttons(ticket: Ticket) -> Iterator[Block]:
    """For a ticket that is with people."""
    if ticket.owner is None:
        yield button("take_ticket", "I take it", str(ticket.id), "primary")
    yield button("solve_ticket", "Solved", str(ticket.id))
    yield button("hand_back_ticket", "Back to the assistant", str(ticket.id))


def _quoted(text: str) -> list[str]:
    cut = mrkdwn.split(text, QUOTED)[0] if text else ""
    quoted = "\n".join(f"> {line}" for line in cut.splitlines())
    return _sections(quoted, quote=True)


def _sections(text: str, quote: bool = False) -> list[str]:
    escaped = [mrkdwn.escape(part) for part in mrkdwn.split(text, 700)]
    return [part.replace("&gt; ", "> ") if quote else part for part in escaped if part]


def _line(notice: Notice) -> str:
    return f"{TITLES[notice.kind]}: ticket {notice.ticket.id}"


def _ts(stored: StoredNotice) -> str | None:
    return stored.told_as.split("/")[1] if stored.told_as else None
