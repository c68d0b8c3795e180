"""Mails come in: each is stored as it is before anything else, and marked once it was accepted."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from assistant import UnreachableError
from connectors.email.envelope import NAME
from connectors.email.imap import FAILURES, Imap
from connectors.email.oauth import AccessTokens
from connectors.email.settings import Mailbox
from connectors.email.threads import identity
from connectors.email.tokens import Tokens

if TYPE_CHECKING:
    from assistant.tickets.arrivals import Arrivals

SENT_SECONDS = 20.0  # between looks into the sent folder, where colleagues' own answers are

_FROM = re.compile(rb"^from:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_OWN_ID = re.compile(r"^message-id:\s*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)

log = logging.getLogger("deskmate.connectors.email")


@dataclass
class Done:
    """What was accepted and is not marked yet: mails' own names, and whether they were filed."""

    names: dict[str, bool] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    wake: dict[str, threading.Event] = field(default_factory=dict)

    def add(self, mailbox: str, name: str, filed: bool) -> None:
        """A mail was accepted, or filed for good."""
        with self.lock:
            self.names[name] = filed
        if mailbox in self.wake:
            self.wake[mailbox].set()

    def take(self, name: str) -> bool | None:
        """Whether a mail was filed; None if it is not done."""
        with self.lock:
            return self.names.pop(name, None)


class Receiver:
    """Receives the mails of one mailbox. `noted` is called after some were stored."""

    def __init__(
        self,
        name: str,
        box: Mailbox,
        access: AccessTokens | None,
        arrivals: Callable[[], Arrivals],
        tokens: Tokens,
        done: Done,
        noted: Callable[[], None],
        upkeep: Callable[[Imap], None],
    ) -> None:
        self._name = name
        self._box = box
        self._access = access
        self._arrivals = arrivals
        self._tokens = tokens
        self._done = done
        self._noted = noted
        self._upkeep = upkeep
        self._wake = done.wake.setdefault(name, threading.Event())
        self._unmarked: dict[str, list[int]] = {}
        self._twins: set[str] = set()  # came before, perhaps in another mailbox

    def run(self, stop: threading.Event) -> None:
        """Receives until `stop` is set.

        Raises UnreachableError if there is no connection, or none any more: to be run again.
        """
        while not stop.is_set():
            try:
                with Imap(self._box, self._access) as imap:
                    log.info("opened_mailbox mailbox=%s idle=%s", self._name, imap.idles)
                    self._stay(imap, stop)
            except UnreachableError:
                raise
            except FAILURES as error:
                log.debug("lost_mailbox mailbox=%s", self._name, exc_info=True)
                place = f"{self._box.imap_host}:{self._box.imap_port}"
                raise UnreachableError(f"{place}: lost ({type(error).__name__}).") from error

    def _stay(self, imap: Imap, stop: threading.Event) -> None:
        box = self._box
        sent = box.sent_folder or imap.special("\\Sent", "Sent")
        validity = imap.open(box.folder)
        self._unmarked.clear()  # numbers of another time may be other mails'
        position = self._position(f"{self._name}/{validity}")
        new = imap.unseen() if position is None else imap.after(position)
        position = max([position or 0, imap.next_uid(box.folder) - 1])
        self._take_in(imap, new, validity)
        sent_at, sent_position = datetime.min.replace(tzinfo=UTC), None
        while not stop.is_set():
            now = datetime.now(UTC)
            self._wake.clear()
            if (now - sent_at).total_seconds() >= SENT_SECONDS:
                sent_position = self._look_into_sent(imap, sent, sent_position)
                self._upkeep(imap)
                sent_at = datetime.now(UTC)
                if imap.open(box.folder) != validity:
                    return  # connect again, and begin anew
            new = imap.after(position)
            self._take_in(imap, new, validity)
            position = max([position, *new])
            self._mark(imap)
            imap.wait(stop, self._wake, min(box.poll_seconds, SENT_SECONDS))
        self._mark(imap)

    def _position(self, sender: str) -> int | None:
        """The last mail of this folder that was stored."""
        latest = self._arrivals().latest(NAME, sender)
        return None if latest is None else int(latest.payload.get("uid", 0))

    def _take_in(self, imap: Imap, uids: list[int], validity: int) -> None:
        for uid in uids:
            raw, size = imap.fetch(uid)
            if not raw:
                continue  # somebody moved it meanwhile
            name = identity(raw)
            payload = {"kind": "mail", "mailbox": self._name, "uid": uid, "size": size}
            sender = f"{self._name}/{validity}"
            new = self._arrivals().note(NAME, name, self._lane(raw), sender, payload, raw)
            log.info("took_in_mail mailbox=%s uid=%s new=%s", self._name, uid, new)
            self._unmarked.setdefault(name, []).append(uid)
            if not new:
                self._twins.add(name)
            self._noted()

    def _look_into_sent(self, imap: Imap, folder: str, position: int | None) -> int:
        """Stores what colleagues sent from the mailbox with their own mail programs."""
        validity = imap.open(folder)
        position = position or self._position(f"{self._name}/{validity}/sent")
        if position is None:
            new = imap.since((datetime.now(UTC) - timedelta(days=1)).date())
        else:
            new = imap.after(position)
        for uid in new:
            if self._is_by_us(imap.head(uid)):
                continue
            raw, size = imap.fetch(uid)
            payload = {"kind": "sent", "mailbox": self._name, "uid": uid, "size": size}
            sender = f"{self._name}/{validity}/sent"
            if raw and self._arrivals().note(
                NAME, identity(raw), self._lane(raw), sender, payload, raw
            ):
                self._noted()
        return max([position or 0, imap.next_uid(folder) - 1, *new])

    def _is_by_us(self, head: bytes) -> bool:
        """Whether a sent mail is one that we sent; a draft of ours that a colleague sent is not."""
        text = head[:100_000].decode("ascii", "replace")
        own = _OWN_ID.search(text)
        mark = self._tokens.of_message_id(own.group(1)) if own else None
        return mark is not None and not mark.about.startswith("draft-")

    def _mark(self, imap: Imap) -> None:
        for name in list(self._twins):
            known = self._arrivals().find(NAME, name)
            if known is not None and known.done:
                self._twins.remove(name)
                self._done.add(self._name, name, bool(known.payload.get("filed")))
        for filed, folder in ((False, self._box.done_folder), (True, self._box.filed_folder)):
            done = [name for name in self._unmarked if self._done.names.get(name) is filed]
            imap.mark([uid for name in done for uid in self._unmarked[name]], folder)
            for name in done:
                self._unmarked.pop(name)
                self._done.take(name)

    def _lane(self, raw: bytes) -> str:
        """What is worked on in order: the mails of one sender."""
        found = _FROM.search(raw[:20_000])
        sender = found.group(1).strip().lower() if found else b""
        return f"{self._name}/{hashlib.sha256(sender).hexdigest()[:16]}"
