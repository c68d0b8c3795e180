"""What is remembered of a mail beside its words, to answer it as it wants to be answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from connectors.email.mime import Mail

if TYPE_CHECKING:
    from assistant.tickets.repository import Tickets

NAME = "email"


@dataclass(frozen=True)
class Envelope:
    """`uid` is its number in the mailbox's folder, `answers` the Message-IDs it names, `hold` why
    an answer waits for a person, if it does; persons as tickets name them."""

    mailbox: str = ""
    uid: int = 0
    message_id: str = ""
    answers: tuple[str, ...] = ()
    reply_to: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    hold: str = ""

    @classmethod
    def of_mail(cls, mailbox: str, uid: int, mail: Mail, hold: str = "") -> Envelope:
        """A mail's."""
        return cls(
            mailbox=mailbox,
            uid=uid,
            message_id=mail.message_id,
            answers=mail.answers,
            reply_to=str(mail.reply_to[0]) if mail.reply_to else "",
            to=tuple(map(str, mail.to)),
            cc=tuple(map(str, mail.cc)),
            hold=hold,
        )

    @classmethod
    def of(cls, tickets: Tickets, external_id: str) -> Envelope:
        """The one kept with a message; an empty one if there is none any more."""
        arrival = tickets.arrivals.find(NAME, external_id)
        return cls.parse(arrival.payload if arrival else {})

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Envelope:
        """From what the database keeps."""
        known = {key: value for key, value in payload.items() if key in cls.__dataclass_fields__}
        lists = {key: tuple(value) for key, value in known.items() if isinstance(value, list)}
        return cls(**{**known, **lists})

    @property
    def payload(self) -> dict[str, Any]:
        """For the database."""
        return asdict(self)
