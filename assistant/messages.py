"""What travels through Deskmate, from the customer's message to the reply.

    Message ── encode ─> Encoding ── search ─> Hit ── compose ─> Answer ── decide ─> Outcome
                                                                                        │ send
                                                                                        v
                                                                                      Reply

Everything here is frozen: what changes lives in the ticket database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from assistant.articles import Audience, Hit, Passage
from assistant.errors import UnreadableError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Author = Literal["customer", "assistant", "staff"]
Action = Literal["reply", "draft", "ask", "hand over", "refuse", "solve", "ignore"]
TicketStatus = Literal["open", "needs review", "answered", "handed over", "solved"]
NoticeKind = Literal["draft", "hand over", "held", "failed"]


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Attachment:
    """A file that came with a message, as the customer sent it.

    `missing` says in one clause why the content could not be had; then `content` is empty.
    """

    media_type: str
    filename: str
    content: bytes = field(repr=False)
    missing: str = ""

    @classmethod
    def of(cls, path: Path) -> Attachment:
        """A file as an attachment. Raises UnreadableError if it cannot be opened."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UnreadableError(f"{path}: {error.strerror}. Name an existing file.") from error
        media_type = guess_type(path.name)[0] or "application/octet-stream"
        return cls(media_type, path.name, content)

    @property
    def sha256(self) -> str:
        """The content's address: two equal files are one."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Message:
    """One message that came in, as a rule from a customer.

    `connector` and `external_id` together name it for ever: a redelivery has the same pair.
    All messages of one conversation share `connector` and `thread_id`.
    `audience` is the most the sender may be shown; connectors set `internal` for staff only.
    `verified_address` is the sender's e-mail address where the channel vouches for it, else None.
    `author` is `staff` for what a colleague wrote to the customer on the channel itself: it is
    kept and not answered, and from then on the conversation is that colleague's.
    """

    connector: str
    external_id: str
    thread_id: str
    sender: str
    text: str
    subject: str = ""
    attachments: tuple[Attachment, ...] = ()
    audience: Audience = "public"
    language: str | None = None
    product: str | None = None
    author: Author = "customer"
    sent_at: datetime = field(default_factory=now)
    verified_address: str | None = None

    @property
    def key(self) -> str:
        """`connector:external-id`, the name of the message's durable workflow."""
        return f"{self.connector}:{self.external_id}"


@dataclass(frozen=True)
class Ticket:
    """A conversation and where it stands, as it was when it was read from the database.

    While it is handed over, nothing is answered automatically; `owner` is the person who took it.
    `assignee` is the person who is to look after it, whoever answers. `solved_by` is the person
    whose answer solved it, or `assistant`.
    """

    id: int
    connector: str
    thread_id: str
    customer: str
    subject: str
    status: TicketStatus
    created_at: datetime
    owner: str | None = None
    solved_by: str | None = None
    assignee: str | None = None


@dataclass(frozen=True)
class Turn:
    """One earlier contribution to a conversation; `channel` names the connector it came or went
    through."""

    author: Author
    text: str
    sent_at: datetime
    channel: str = ""


@dataclass(frozen=True)
class Box:
    """A rectangle on a picture, in pixels from its upper left corner."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class ScreenLine:
    """A line of text on a screenshot: `confidence` is the reader's, from 0 to 1.

    `look` is how its place looks beside the rest of the picture: see `assistant.model.vision`.
    """

    text: str
    box: Box
    height_px: float
    confidence: float
    look: tuple[float, ...] = ()


STRANGE = 0.98
"""A message stranger than this share of the known ones is out of scope: so is one in fifty of those
in scope."""


@dataclass(frozen=True)
class Labels:
    """What the trained heads say of a message: what it wants, with the probability of that, how
    urgent it is (None where priorities were not trained), and how strange it is: the share of
    known messages, from 0 to 1, that look more familiar."""

    intent: str
    intent_probability: float
    out_of_scope: float
    priority: str | None = None

    @property
    def in_scope(self) -> bool:
        """Whether the message seems to be for this desk."""
        return self.out_of_scope <= STRANGE


@dataclass(frozen=True)
class Encoding:
    """A message as the model sees it.

    `vector` is [384], of length 1, in the same space as the passages' vectors.
    `lines` are the lines of all its screenshots in reading order, `weights` [lines] says how much
    each of them counts, from 0 to 1. Where there are lines and words beside them, `asked` are
    these words and `asked_vector` [384] is their vector. `labels` are there once heads are trained.
    """

    vector: NDArray[np.float32]
    text: str
    lines: tuple[ScreenLine, ...] = ()
    weights: tuple[float, ...] = ()
    asked: str = ""
    asked_vector: NDArray[np.float32] | None = None
    labels: Labels | None = None


@dataclass(frozen=True)
class Citation:
    """The passage that supports a part of an answer, and the words in it that do.

    `number` is how the answer's text refers to it: `[1]`.
    """

    number: int
    passage: Passage
    quote: str


@dataclass(frozen=True)
class Answer:
    """Text with numbered citations; `confidence` is the probability, from 0 to 1, that it is
    supported and to the point. Empty text says that the sources do not settle the question."""

    text: str
    citations: tuple[Citation, ...]
    confidence: float


@dataclass(frozen=True)
class AttachmentReport:
    """Whether an attachment was read, and in one clause what was found or why not."""

    filename: str
    media_type: str
    read: bool
    note: str


@dataclass(frozen=True)
class Step:
    """One step of the path, for the trace: its time and what it saw (plain JSON values)."""

    name: str
    milliseconds: float
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PluginFault:
    """A plugin's hook that raised, took too long, or returned what it may not."""

    plugin: str
    hook: str
    error: str


@dataclass(frozen=True)
class Outcome:
    """How a message ended; there is always one, always with a reason.

    reply      `answer` goes to the customer
    draft      `answer` waits for a person's approval
    ask        `text` asks the customer for what is missing
    hand over  a person takes the ticket; `text` tells the customer so
    refuse     `text` says why this is not answered (spam, abuse, not a question for support)
    solve      the customer confirms that it is solved; nothing is answered
    ignore     there is nothing to answer: thanks, or what a colleague wrote
    """

    action: Action
    reason: str
    text: str
    answer: Answer | None = None
    attachments: tuple[AttachmentReport, ...] = ()
    hits: tuple[Hit, ...] = ()
    trace: tuple[Step, ...] = ()
    faults: tuple[PluginFault, ...] = ()


@dataclass(frozen=True)
class Reply:
    """What a connector sends. `id` is made from the message it answers: sent again after a crash,
    it is known as the same. `attachments` are a person's; a connector that cannot send any raises
    `UndeliverableError`."""

    id: str
    ticket_id: int
    connector: str
    thread_id: str
    to: str
    subject: str
    text: str
    citations: tuple[Citation, ...] = ()
    in_reply_to: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class Notice:
    """What staff are told about a ticket.

    draft      an answer waits for approval
    hand over  the ticket needs a person; also each further message in a handed-over ticket
    held       a plugin held a reply back
    failed     a reply could not be sent

    `question` is what the customer wrote, `text` what would be, or was, answered, and `reason` why
    a person is needed. `outcome_id` names what can be approved or discarded; `id` is the same
    whenever the same notice is given again.
    """

    id: str
    kind: NoticeKind
    ticket: Ticket
    outcome_id: int | None
    reason: str
    question: str
    text: str
    citations: tuple[Citation, ...] = ()
