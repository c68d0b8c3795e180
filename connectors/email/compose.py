"""Mails that leave: answers to customers and notices to staff, as bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from functools import cache
from pathlib import Path
from typing import Any, Literal

from assistant import Attachment, Citation, Message, Notice, Reply
from connectors.email import wording
from connectors.email.address import Address, address_of, parse
from connectors.email.envelope import Envelope
from connectors.email.pictures import Inline
from connectors.email.settings import Mailbox
from connectors.email.tokens import Tokens, without_marks

Author = Literal["assistant", "checked", "staff"]

TEMPLATES = Path(__file__).parent / "templates"
MOST_REFERENCES = 20
MOST_CC = 10
QUOTED_LINES = 60
QUOTED_WIDTH = 500  # characters of a quoted line
LONGEST_SUBJECT = 200
SUPPRESS = ("X-Auto-Response-Suppress", "All")  # Exchange's word for: no answers of machines

# With the usual 78, the standard library takes long Message-IDs apart as encoded words. What is
# not seven bits some servers change on the way, and a signature is broken then.
_POLICY = SMTP.clone(max_line_length=900, cte_type="7bit")
_ANSWERED = re.compile(
    r"^(?:\s*(?:re|aw|sv|antw|rif|res|odp|vs)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE
)
_REFERENCE = re.compile(r"\[(\d+)\]")
_URL = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]]")

TITLES = {
    "draft": "A draft waits for you",
    "hand over": "Needs a person",
    "held": "A reply was held back",
    "failed": "A reply could not be sent",
}


@dataclass(frozen=True)
class Piece:
    """Words of a line; a link if they have an address."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class Source:
    """A line below an answer."""

    number: int
    title: str
    url: str


@dataclass(frozen=True)
class Composed:
    """A mail that may leave."""

    message_id: str
    recipients: tuple[str, ...]
    raw: bytes = field(repr=False)


def answer(
    reply: Reply,
    box: Mailbox,
    tokens: Tokens,
    envelope: Envelope,
    question: Message | None,
    *,
    by: Author = "assistant",
    pictures: Sequence[Inline] = (),
) -> Composed:
    """An answer to the mail that `envelope` and `question` are about.

    `by` is who wrote it: `assistant`, `checked` where a person approved it, or `staff`. An
    automatic answer goes to its sender alone (RFC 3834, section 4); what a person sent, also to
    those the customer had in Cc. `pictures` are shown below the answer.
    """
    to = _person(envelope.reply_to or reply.to)
    copies = () if by == "assistant" else _copies(envelope, box, to)
    message = _message(box, to, _subject(reply.subject))
    if copies:
        message["Cc"] = tuple(map(_header_address, copies))
    message_id = tokens.message_id("reply", reply.ticket_id, reply.id, box.domain)
    message["Message-ID"] = message_id
    _thread(message, envelope)
    if by == "assistant":
        message["Auto-Submitted"] = "auto-replied"
        message["X-Loop"] = box.address
    message[SUPPRESS[0]] = SUPPRESS[1]
    language = question.language if question else None
    words = wording.of(language)
    quoted = _quoted(question)
    values = {
        "text": reply.text,
        "paragraphs": _paragraphs(reply.text, reply.citations),
        "pictures": pictures,
        "sources": _sources(reply.citations),
        "words": words,
        "language": language or "en",
        "written_by": {"assistant": words.by_assistant, "checked": words.checked}.get(by, ""),
        "mark": tokens.in_text("reply", reply.ticket_id),
        "quoted": quoted,
        "introduction": _introduction(words, question) if quoted else "",
    }
    message.set_content(_rendered("reply.txt", values))
    message.add_alternative(_rendered("reply.html", values), subtype="html")
    _show(message, pictures)
    _attach(message, reply.attachments)
    recipients = tuple(dict.fromkeys([to.address, *(each.address for each in copies)]))
    return Composed(message_id, recipients, _bytes(message, box))


def notice(
    notice: Notice, box: Mailbox, tokens: Tokens, staff: str, files: Sequence[Attachment]
) -> Composed:
    """What staff are told; `files` are what the customer sent."""
    ticket = notice.ticket
    subject = f"[ticket {ticket.id}] {TITLES[notice.kind]}: {_ANSWERED.sub('', ticket.subject)}"
    to = _person(staff)
    message = _message(box, to, subject)
    message_id = tokens.message_id("staff", ticket.id, notice.id, box.domain)
    message["Message-ID"] = message_id
    message["References"] = tokens.message_id("staff", ticket.id, "ticket", box.domain)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Loop"] = box.address
    message[SUPPRESS[0]] = SUPPRESS[1]
    values = {
        "title": TITLES[notice.kind],
        "kind": notice.kind,
        "ticket": ticket,
        "reason": notice.reason,
        "question": notice.question.splitlines()[:QUOTED_LINES],
        "answer": notice.text.splitlines()[:QUOTED_LINES],
        "sources": _sources(notice.citations),
        "decides": notice.kind != "hand over" and notice.outcome_id is not None,
        "mark": tokens.in_text("staff", ticket.id),
    }
    message.set_content(_rendered("notice.txt", values))
    _attach(message, files)
    return Composed(message_id, (to.address,), _bytes(message, box))


def trial(box: Mailbox, to: str) -> Composed:
    """A mail with which an operator tries out a mailbox."""
    person = _person(to)
    message = _message(box, person, "A test message from Deskmate")
    message["Message-ID"] = message_id = make_msgid(domain=box.domain)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Loop"] = box.address
    message[SUPPRESS[0]] = SUPPRESS[1]
    message.set_content("If you read this, the mailbox can send. Nobody has to answer it.\n")
    return Composed(message_id, (person.address,), _bytes(message, box))


def _message(box: Mailbox, to: Address, subject: str) -> EmailMessage:
    message = EmailMessage(policy=_POLICY)
    message["From"] = _header_address(Address(box.name, box.address))
    message["To"] = _header_address(to)
    message["Subject"] = " ".join(subject.split())[:LONGEST_SUBJECT]
    message["Date"] = format_datetime(datetime.now(UTC))
    return message


def _show(message: EmailMessage, pictures: Sequence[Inline]) -> None:
    """Puts pictures beside the HTML that names them (RFC 2387, RFC 2392)."""
    html: Any = message.get_body(("html",))
    for number, picture in enumerate(pictures, 1):
        html.add_related(
            picture.content,
            "image",
            picture.kind,
            cid=f"<{picture.cid}>",
            disposition="inline",
            filename=f"picture-{number}.{picture.kind}",
        )


def _attach(message: EmailMessage, files: Sequence[Attachment]) -> None:
    for file in files:
        main, _, sub = file.media_type.partition("/")
        if not sub or main in ("multipart", "message"):  # as bytes, whatever they hold
            main, sub = "application", "octet-stream"
        message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.filename)


def _thread(message: EmailMessage, envelope: Envelope) -> None:
    if envelope.message_id:
        message["In-Reply-To"] = envelope.message_id
        earlier = [*reversed(envelope.answers), envelope.message_id]
        message["References"] = " ".join(dict.fromkeys(earlier[-MOST_REFERENCES:]))


def _copies(envelope: Envelope, box: Mailbox, to: Address) -> tuple[Address, ...]:
    others = [_person(each) for each in (*envelope.to, *envelope.cc)]
    own = {*box.own_addresses, to.address}
    return tuple(each for each in others if each.address not in own)[:MOST_CC]


def _subject(subject: str) -> str:
    return f"Re: {_ANSWERED.sub('', subject)}".rstrip(": ") if subject else "Re: your message"


def _person(person: str) -> Address:
    found = parse(person)
    return found[0] if found else Address("", address_of(person))


def _header_address(person: Address) -> HeaderAddress:
    return HeaderAddress(person.name, person.local_part, person.domain)


def _quoted(question: Message | None) -> list[str]:
    """What the customer wrote this time, never what they quoted: that may be somebody else's."""
    lines = without_marks(question.text).splitlines() if question else []
    return [line[:QUOTED_WIDTH] for line in lines[:QUOTED_LINES]]


def _introduction(words: wording.Wording, question: Message | None) -> str:
    if question is None:
        return ""
    name = question.sender.partition("<")[0].strip() or address_of(question.sender)
    return words.wrote.format(date=f"{question.sent_at:%Y-%m-%d %H:%M} UTC", name=name)


def _sources(citations: Sequence[Citation]) -> list[Source]:
    found: dict[int, Source] = {}
    for citation in citations:
        title = " › ".join(citation.passage.heading_path) or citation.passage.article_id
        found.setdefault(citation.number, Source(citation.number, title, citation.passage.url))
    return list(found.values())


def _paragraphs(text: str, citations: Sequence[Citation]) -> list[list[list[Piece]]]:
    """Paragraphs of lines of pieces; references and addresses are links."""
    urls = {citation.number: citation.passage.url for citation in citations}
    blocks = re.split(r"\n\s*\n", text.strip())
    return [[_pieces(line, urls) for line in block.splitlines()] for block in blocks]


def _pieces(line: str, urls: dict[int, str]) -> list[Piece]:
    pieces: list[Piece] = []
    end = 0
    for found in sorted(
        [*_URL.finditer(line), *_REFERENCE.finditer(line)], key=lambda m: m.start()
    ):
        if found.start() < end:
            continue
        words = found.group()
        url = urls.get(int(found[1]), "") if found.re is _REFERENCE else words
        pieces += [Piece(line[end : found.start()]), Piece(words, url)]
        end = found.end()
    return [piece for piece in [*pieces, Piece(line[end:])] if piece.text]


@cache
def _templates() -> Any:
    from jinja2 import Environment, FileSystemLoader, select_autoescape

    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(["html"]), trim_blocks=True
    )


def _rendered(name: str, values: dict[str, Any]) -> str:
    text: str = _templates().get_template(name).render(values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _bytes(message: EmailMessage, box: Mailbox) -> bytes:
    raw = message.as_bytes()
    if box.dkim_key_file is None:
        return raw
    import dkim

    signed: bytes = dkim.sign(
        raw,
        box.dkim_selector.encode(),
        box.domain.encode(),
        box.dkim_key_file.read_bytes(),
        include_headers=[
            b"from",
            b"to",
            b"cc",
            b"subject",
            b"date",
            b"message-id",
            b"in-reply-to",
            b"references",
            b"auto-submitted",
            b"mime-version",
            b"content-type",
        ],
    )
    return signed + raw
