"""One connection to a mailbox, by IMAP (RFC 3501, RFC 2177 for IDLE)."""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Sequence
from datetime import date
from imaplib import IMAP4
from typing import Any

from imap_tools import AND, BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxLoginError

from assistant import UnreachableError
from connectors.email import oauth
from connectors.email.oauth import AccessTokens, refused
from connectors.email.settings import Mailbox

CONNECT_SECONDS = 20.0
TIMEOUT_SECONDS = 60.0
IDLE_SECONDS = 540.0  # servers may end a connection that idles for 30 minutes, routers sooner
SLICE_SECONDS = 0.2  # how soon a wait notices that it shall end
BEGINNING_BYTES = 1_000_000  # of a mail that is too large

FAILURES = (OSError, EOFError, ImapToolsError, IMAP4.error, UnreachableError)
"""What a connection raises when it cannot be made, or is of no use any more."""

_NUMBER = re.compile(rb"RFC822\.SIZE (\d+)")


class Imap:
    """A connection, signed in. Use it as a context manager, in one thread."""

    def __init__(self, box: Mailbox, tokens: AccessTokens | None = None) -> None:
        """Connects and signs in.

        Raises UnreachableError with what to do if the server is away, cannot be trusted, or does
        not let us in.
        """
        self._box = box
        place = f"{box.imap_host}:{box.imap_port}"
        try:
            self._connection = _connect(box)
        except OSError as error:
            raise UnreachableError(f"{place}: {error}.") from error
        try:
            self._connection.client.sock.settimeout(TIMEOUT_SECONDS)
            if tokens is None:
                self._connection.login(box.login, box.password, initial_folder=None)
            else:
                tokens.sign_in(self._with_token, IMAP4.error)
            self.idles = "IDLE" in self._connection.client.capabilities
        except IMAP4.abort:
            self._end()
            raise
        except (MailboxLoginError, IMAP4.error) as error:
            self._end()
            raise UnreachableError(f"{place}: {refused(box, _said(error))}") from error
        except BaseException:
            self._end()
            raise

    def _with_token(self, token: str) -> None:
        def answer(challenge: bytes) -> bytes:
            return oauth.xoauth2(self._box.login, token, challenge).encode()

        self._connection.client.authenticate("XOAUTH2", answer)

    def __enter__(self) -> Imap:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def _end(self) -> None:
        try:
            self._connection.logout()
        except Exception:  # it is gone already, in whatever way
            self._connection.client.shutdown()

    def open(self, folder: str) -> int:
        """Opens a folder; returns its UIDVALIDITY: while that is the same, a UID names one mail."""
        self._connection.folder.set(folder)
        return int(self._connection.folder.status(folder, ["UIDVALIDITY"])["UIDVALIDITY"])

    def next_uid(self, folder: str) -> int:
        """The number that the next mail will have."""
        return int(self._connection.folder.status(folder, ["UIDNEXT"])["UIDNEXT"])

    def after(self, uid: int) -> list[int]:
        """The mails of the open folder that came after this one, oldest first."""
        found = self._connection.uids(f"UID {uid + 1}:*")
        return sorted(each for each in map(int, found) if each > uid)

    def unseen(self) -> list[int]:
        """The mails of the open folder that nobody has seen, oldest first."""
        return sorted(map(int, self._connection.uids(AND(seen=False))))

    def since(self, day: date) -> list[int]:
        """The mails of the open folder that came on this day or later, oldest first."""
        return sorted(map(int, self._connection.uids(AND(date_gte=day))))

    def fetch(self, uid: int) -> tuple[bytes, int]:
        """A mail's bytes and its size; of one that is too large only the beginning. It is not
        marked as seen by that. Nothing if it is gone."""
        size = _NUMBER.search(b" ".join(self._fetched(uid, "(RFC822.SIZE)")))
        if size is None:
            return b"", 0
        large = int(size.group(1)) > self._box.max_mail_mb * 1_000_000
        what = f"(BODY.PEEK[]<0.{BEGINNING_BYTES}>)" if large else "(BODY.PEEK[])"
        pieces = self._fetched(uid, what)
        return (pieces[1] if len(pieces) > 1 else b""), int(size.group(1))

    def head(self, uid: int) -> bytes:
        """A mail's headers."""
        pieces = self._fetched(uid, "(BODY.PEEK[HEADER])")
        return pieces[1] if len(pieces) > 1 else b""

    def mark(self, uids: Sequence[int], folder: str) -> None:
        """Marks mails of the open folder as seen and, if a folder is named, moves them there."""
        names = [str(uid) for uid in uids]
        if names:
            self._connection.flag(names, "\\Seen", True)
            if folder:
                self._connection.move(names, folder)

    def wait(self, stop: threading.Event, wake: threading.Event, seconds: float) -> None:
        """Waits for something new in the open folder, or until an event is set, or so long."""
        deadline = time.monotonic() + min(seconds, IDLE_SECONDS)
        if not self.idles:
            while time.monotonic() < deadline and not stop.is_set() and not wake.is_set():
                time.sleep(min(SLICE_SECONDS, max(0.0, deadline - time.monotonic())))
            return
        idle = self._connection.idle
        idle.start()  # type: ignore[no-untyped-call]
        while time.monotonic() < deadline and not stop.is_set() and not wake.is_set():
            if idle.poll(timeout=SLICE_SECONDS):
                break
        idle.stop()  # type: ignore[no-untyped-call]

    def special(self, use: str, otherwise: str) -> str:
        """The folder of a special use (RFC 6154), such as `\\Sent`; made if there is none."""
        folders = list(self._connection.folder.list())
        for folder in folders:
            if use.lower() in (flag.lower() for flag in folder.flags):
                return str(folder.name)
        if otherwise not in {folder.name for folder in folders}:
            self._connection.folder.create(otherwise)
        return otherwise

    def append(self, folder: str, raw: bytes, flags: Sequence[str]) -> None:
        """Puts a mail into a folder."""
        self._connection.append(raw, folder, flag_set=flags)

    def find(self, folder: str, message_id: str) -> list[int]:
        """The mails of this Message-ID in a folder, which is open afterwards."""
        self._connection.folder.set(folder)
        quoted = message_id.replace("\\", "").replace('"', "")
        return sorted(map(int, self._connection.uids(f'HEADER Message-ID "{quoted}"')))

    def delete(self, uids: Sequence[int]) -> None:
        """Deletes mails of the open folder."""
        self._connection.delete([str(uid) for uid in uids])

    def _fetched(self, uid: int, what: str) -> list[bytes]:
        answer: Any = self._connection.client.uid("FETCH", str(uid), what)
        if answer[0] != "OK":
            raise OSError(f"IMAP: FETCH {what} was answered with {answer[0]}")
        pieces: list[bytes] = []
        for piece in answer[1] or []:
            pieces += piece if isinstance(piece, tuple) else [piece] if piece else []
        return pieces


def _connect(box: Mailbox) -> BaseMailBox:
    host, port = box.imap_host, box.imap_port
    if box.imap_security == "none":
        return MailBoxUnencrypted(host, port, timeout=CONNECT_SECONDS)
    context = ssl.create_default_context(cafile=str(box.ca_file) if box.ca_file else None)
    if box.imap_security == "starttls":
        return MailBoxStartTls(host, port, timeout=CONNECT_SECONDS, ssl_context=context)
    return MailBox(host, port, timeout=CONNECT_SECONDS, ssl_context=context)


def _said(error: MailboxLoginError | IMAP4.error) -> str:
    """The server's own words."""
    words = error.command_result[1] if isinstance(error, MailboxLoginError) else error.args
    words = [word.encode() if isinstance(word, str) else word for word in words]
    return b" ".join(word for word in words if isinstance(word, bytes)).decode("utf-8", "replace")
