"""Replies: how they look, and that each is posted once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from assistant import Citation, Outcome, Reply
from connectors.slack import mrkdwn
from connectors.slack.client import Client
from connectors.slack.place import Place, message_id, ts_of

Block = dict[str, Any]

SECTION = 2_900  # characters of a section block; Slack takes 3,000 after escaping
SECTIONS = 10  # per post
NOTIFICATION = 300  # characters of a post's plain text, which notifications show
CITATIONS = 10
REPLY_EVENT = "deskmate_reply"
_REFERENCE = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True)
class Post:
    """One post of a reply: its plain text and its blocks."""

    text: str
    blocks: list[Block]


def posts(reply: Reply, *, thumbs: bool, person: bool) -> list[Post]:
    """A reply as posts, long ones as several; the last has the sources and the buttons: 👍 and 👎,
    and “Talk to a person”."""
    sections = [text_block(text) for text in _pieces(reply.text, reply.citations)]
    end = [*_sources(reply.citations), *_buttons(reply.id, thumbs=thumbs, person=person)]
    groups = [sections[n : n + SECTIONS] for n in range(0, len(sections), SECTIONS)] or [[]]
    groups[-1] = [*groups[-1], *end]
    text = mrkdwn.escape(reply.text)[:NOTIFICATION]
    return [Post(text, group) for group in groups]


def outcome_blocks(outcome: Outcome) -> tuple[str, list[Block]]:
    """An answer given on the spot, as text and blocks; long ones are cut to one post."""
    answer = outcome.answer
    text = (answer.text if answer else "") or outcome.text or outcome.reason
    citations = answer.citations if answer else ()
    sections = [text_block(piece) for piece in _pieces(text, citations)][:SECTIONS]
    return mrkdwn.escape(text)[:NOTIFICATION], [*sections, *_sources(citations)]


def send(client: Client, reply: Reply, parts: Sequence[Post], done: Sequence[int] = ()) -> str:
    """Posts the parts of a reply that are not `done`; returns the name of the last one posted."""
    place = Place.parse(reply.thread_id)
    name = ""
    for number, part in enumerate(parts):
        if number in done:
            continue
        posted = client.chat_postMessage(
            channel=place.channel,
            thread_ts=place.thread_ts,
            text=part.text,
            blocks=part.blocks,
            unfurl_links=False,
            unfurl_media=False,
            metadata={
                "event_type": REPLY_EVENT,
                "event_payload": {"reply": reply.id, "part": number},
            },
        )
        name = message_id(place.channel, posted["ts"])
    return name


def find(client: Client, reply: Reply) -> dict[int, str]:
    """The parts of the reply that stand in the conversation already, with their names.

    Looked for among what was posted after the message that is answered.
    """
    place = Place.parse(reply.thread_id)
    since = ts_of(reply.in_reply_to) if "/" in reply.in_reply_to else place.ts
    options: dict[str, Any] = {"channel": place.channel, "oldest": since, "limit": 100}
    pages = (
        client.conversations_replies(ts=place.ts, include_all_metadata=True, **options)
        if place.threaded
        else client.conversations_history(include_all_metadata=True, **options)
    )
    found: dict[int, str] = {}
    for page in pages:
        for message in page["messages"]:
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload", {})
            if metadata.get("event_type") == REPLY_EVENT and payload.get("reply") == reply.id:
                found[int(payload["part"])] = message_id(place.channel, message["ts"])
    return found


def text_block(text: str) -> Block:
    """A section that shows `text` as Slack's format."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def context_block(text: str) -> Block:
    """Small print."""
    element = {"type": "mrkdwn", "text": text[:SECTION], "verbatim": True}
    return {"type": "context", "elements": [element]}


def button(action: str, words: str, value: str, style: str = "") -> Block:
    """A button."""
    text = {"type": "plain_text", "text": words, "emoji": True}
    made = {"type": "button", "action_id": action, "text": text, "value": value}
    return {**made, "style": style} if style else made


def _pieces(text: str, citations: Sequence[Citation]) -> Iterator[str]:
    urls = {citation.number: citation.passage.url for citation in citations}

    def linked(found: re.Match[str]) -> str:
        number = int(found.group(1))
        return mrkdwn.link(urls[number], f"[{number}]") if urls.get(number) else found.group()

    def fitting(part: str) -> Iterator[str]:
        shown = _REFERENCE.sub(linked, mrkdwn.with_links(part))
        if len(shown) <= SECTION:
            yield shown
        else:  # escaping and links lengthen a text
            for smaller in mrkdwn.split(part, len(part) // 2):
                yield from fitting(smaller)

    for part in mrkdwn.split(text, SECTION):
        yield from fitting(part)


def _sources(citations: Sequence[Citation]) -> list[Block]:
    """A line for each number that the answer cites."""
    lines: dict[str, str] = {}
    for citation in citations[:CITATIONS]:
        words = " › ".join(citation.passage.heading_path) or citation.passage.article_id
        url = citation.passage.url
        shown = mrkdwn.link(url, words[:200]) if url else mrkdwn.escape(words[:200])
        lines.setdefault(f"{citation.number}", f"[{citation.number}] {shown}")
    return [context_block(line) for line in lines.values()]


def _buttons(reply_id: str, *, thumbs: bool, person: bool) -> list[Block]:
    elements = []
    if thumbs:
        elements.append(button("thumb_up", "👍 This helps", reply_id))
        elements.append(button("thumb_down", "👎 It does not", reply_id))
    if person:
        elements.append(button("talk_to_person", "Talk to a person", reply_id))
    return [{"type": "actions", "elements": elements}] if elements else []
