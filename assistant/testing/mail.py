"""A mail server on loopback: a real Dovecot and a real SMTP server, which delivers into it.

Dovecot runs as an ordinary user (`nobody` where the tests run as root).
"""

from __future__ import annotations

import base64
import grp
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from string import Template
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from imap_tools import AND, MailBoxUnencrypted

from assistant.testing.oauth import Provider

PASSWORD = "secret"  # noqa: S105 - of this server alone
HOW_TO_INSTALL = "no Dovecot: install Debian's `dovecot-imapd` (apt-get install dovecot-imapd)"

MECHANISMS = "xoauth2 oauthbearer"
CONFIGURATION = Path(__file__).with_name("dovecot.conf")


@dataclass(frozen=True)
class Delivered:
    """A mail that the SMTP server took."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    at: datetime

    @property
    def message(self) -> Message:
        """It, taken apart."""
        return message_from_bytes(self.raw)

    @property
    def text(self) -> str:
        """Its plain text."""
        return self._content("text/plain")

    @property
    def html(self) -> str:
        """Its HTML."""
        return self._content("text/html")

    def _content(self, media_type: str) -> str:
        for part in self.message.walk():
            if part.get_content_type() == media_type:
                content: Any = part.get_payload(decode=True)
                return str(content, part.get_content_charset() or "utf-8")
        return ""


class MailServer:
    """Dovecot, and an SMTP server that delivers the mails of `domains` into Dovecot's mailboxes.

    With a `provider`, both also take its access tokens (XOAUTH2).
    With a `certificate` (files of it and its key), Dovecot speaks TLS on `imap_tls_port`, and the
    SMTP server demands STARTTLS. `refuse` maps a recipient to the answers it gets next, such as
    `["451 later"]`. `sent` is all that was taken. `header` is written on top of each mail that is
    delivered, as servers do. A mailbox of more than `quota_bytes` is full; 0 is no limit, and a
    change is seen when Dovecot is started again.
    """

    def __init__(
        self,
        folder: Path,
        certificate: tuple[Path, Path] | None = None,
        provider: Provider | None = None,
    ) -> None:
        self.folder = folder
        self.provider = provider
        self.certificate = certificate
        self.imap_port, self.imap_tls_port = _free_port(), _free_port()
        self.smtp_port = _free_port()
        self.sent: list[Delivered] = []
        self.refuse: dict[str, list[str]] = {}
        self.domains: set[str] = {"example.com", "other.example"}
        self.header = b""
        self.quota_bytes = 0
        self.no_answer = 0  # so many next mails are taken without saying so
        self._lock = threading.Lock()
        self._dovecot: subprocess.Popen[bytes] | None = None
        self._smtp: Controller | None = None

    def __enter__(self) -> MailServer:
        self.start_imap()
        self.start_smtp()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop_smtp()
        self.stop_imap()

    # ── Dovecot ────────────────────────────────────────────────────────────────────────────────

    def start_imap(self) -> None:
        """Starts Dovecot."""
        user = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        account = pwd.getpwnam(user)
        for name in ("run", "state", "mail"):
            (self.folder / name).mkdir(exist_ok=True)
        certificate = ""
        if self.certificate:
            certificate = f"ssl_cert = <{self.certificate[0]}\nssl_key = <{self.certificate[1]}"
        oauth2 = ""
        if self.provider:
            file = self.folder / "dovecot-oauth2.conf"
            settings = Template(CONFIGURATION.with_name(file.name).read_text())
            file.write_text(settings.substitute(provider=self.provider.url))
            oauth2 = (
                f"passdb {{\n  driver = oauth2\n  mechanisms = {MECHANISMS}\n  args = {file}\n}}"
            )
        configuration = Template(CONFIGURATION.read_text()).substitute(
            folder=self.folder,
            user=user,
            group=grp.getgrgid(account.pw_gid).gr_name,
            password=PASSWORD,
            port=self.imap_port,
            tls_port=self.imap_tls_port,
            ssl="yes" if self.certificate else "no",
            certificate=certificate,
            quota=self.quota_bytes,
            oauth2=oauth2,
            oauth2_mechanisms=MECHANISMS if oauth2 else "",
        )
        (self.folder / "dovecot.conf").write_text(configuration)
        others: dict[str, Any] = {}
        if os.getuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                shutil.chown(path, user, account.pw_gid)
            self.folder.chmod(0o755)
            others = {"user": user, "group": account.pw_gid, "extra_groups": []}
        environment = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin"}
        self._dovecot = subprocess.Popen(  # noqa: S603 - our own words only
            ["dovecot", "-F", "-c", str(self.folder / "dovecot.conf")],  # noqa: S607 - on PATH
            env=environment,
            start_new_session=True,
            **others,
        )
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.imap_port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self._dovecot.poll() is not None:
                    log = self.folder / "log"
                    raise RuntimeError(log.read_text() if log.exists() else "no Dovecot") from None
                time.sleep(0.05)

    def stop_imap(self) -> None:
        """Stops Dovecot; its mails stay."""
        if self._dovecot is not None:
            os.killpg(self._dovecot.pid, signal.SIGTERM)
            self._dovecot.wait(10)
            self._dovecot = None
            time.sleep(0.2)

    def empty(self) -> None:
        """Forgets all mails and what was asked of the server."""
        for folder in ("cur", "new"):
            for mail in (self.folder / "mail").rglob(f"{folder}/*"):
                mail.unlink(missing_ok=True)
        self.sent.clear()
        self.refuse.clear()
        self.header, self.no_answer = b"", 0

    def maildir(self, address: str) -> Path:
        """Where the mails of a mailbox lie."""
        return self.folder / "mail" / address / "Maildir"

    def deliver(self, address: str, raw: bytes) -> None:
        """Puts a mail into a mailbox, as a delivery agent does."""
        user = "nobody" if os.getuid() == 0 else None
        box = self.maildir(address)
        for name in ("", "tmp", "new", "cur"):
            if not (box / name).is_dir():
                (box / name).mkdir(parents=True, exist_ok=True)
                if user:
                    shutil.chown(box.parent, user)
                    shutil.chown(box, user)
                    shutil.chown(box / name, user)
        name = f"{time.time_ns()}.{uuid.uuid4().hex}.test"
        (box / "tmp" / name).write_bytes(self.header + raw.replace(b"\r\n", b"\n"))
        if user:
            shutil.chown(box / "tmp" / name, user)
        (box / "tmp" / name).rename(box / "new" / name)

    @contextmanager
    def mailbox(self, address: str, folder: str = "INBOX") -> Iterator[MailBoxUnencrypted]:
        """A mail program's connection."""
        with MailBoxUnencrypted("127.0.0.1", self.imap_port).login(
            address, PASSWORD, initial_folder=folder
        ) as box:
            yield box

    def mails(self, address: str, folder: str = "INBOX") -> list[Message]:
        """The mails of a folder."""
        with self.mailbox(address, folder) as box:
            return [each.obj for each in box.fetch(mark_seen=False)]

    def unseen(self, address: str) -> int:
        """How many mails of a mailbox nobody has seen."""
        with self.mailbox(address) as box:
            return len(box.uids(AND(seen=False)))

    # ── SMTP ───────────────────────────────────────────────────────────────────────────────────

    def start_smtp(self) -> None:
        """Starts the SMTP server."""
        context = None
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
        self._smtp = Controller(
            self,
            hostname="127.0.0.1",
            port=self.smtp_port,
            auth_require_tls=False,  # without TLS, AUTH is offered, and checked when it comes
            authenticator=self._authenticate,
            tls_context=context,
            require_starttls=context is not None,
            data_size_limit=60_000_000,
        )
        self._smtp.start()

    def stop_smtp(self) -> None:
        """Stops the SMTP server."""
        if self._smtp is not None:
            self._smtp.stop()
            self._smtp = None

    def _authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
        return AuthResult(success=good, handled=not good)

    async def auth_XOAUTH2(self, server: SMTP, arguments: list[str]) -> AuthResult:  # noqa: N802
        """Takes the provider's access tokens, as the library's own mechanisms take passwords."""
        said = base64.b64decode(arguments[1]).decode().split("\x01") if arguments[1:] else []
        values = dict(each.split("=", 1) for each in said if each)
        token = values.get("auth", "").removeprefix("Bearer ")
        if self.provider and self.provider.good.get(token) == values.get("user"):
            return AuthResult(success=True, auth_data=values["user"])
        await server.challenge_auth(b'{"status": "401"}')
        return AuthResult(success=False, handled=False)

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        answers = self.refuse.get(address)
        if answers:
            return answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        raw = envelope.content
        delivered = Delivered(envelope.mail_from, tuple(envelope.rcpt_tos), raw, datetime.now(UTC))
        with self._lock:
            self.sent.append(delivered)
        for address in envelope.rcpt_tos:
            if address.rpartition("@")[2] in self.domains:
                self.deliver(address, b"Return-Path: <%b>\n" % envelope.mail_from.encode() + raw)
        if self.no_answer:
            self.no_answer -= 1
            transport: Any = server.transport
            transport.abort()
        return "250 OK"

    def sent_to(self, address: str) -> list[Delivered]:
        """What was taken for this address."""
        with self._lock:
            return [each for each in self.sent if address in each.recipients]

    def counts(self) -> Counter[str]:
        """How often each Message-ID was taken."""
        with self._lock:
            return Counter(str(each.message["Message-ID"]) for each in self.sent)


def installed() -> bool:
    """Whether there is a Dovecot."""
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    return shutil.which("dovecot", path=path) is not None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
