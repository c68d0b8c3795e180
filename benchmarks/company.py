"""A company with four channels, and `deskmate serve` in a process of its own that answers them:
Slack, e-mail and the help desk's database through cables that can be cut, and the HTTP API."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert, make_url, select

from assistant import Desk
from assistant.settings import Settings
from assistant.testing.mail import PASSWORD, MailServer
from assistant.testing.slack import Slack
from benchmarks import service
from benchmarks.cable import Cable
from benchmarks.mails import SUPPORT, question
from tests.help_desk import ASSISTANT, COMMENTS, MAPPING, PEOPLE, HelpDesk

CHANNELS = ("slack", "email", "ticket-database", "api")
KEY = "5uVtO8sDQxMOyqnb0oW7Zb3c1Kf4mYz7vXnQ2rJtLhE="
FIRST_CUSTOMER = 100  # in the help desk's table of people
CUSTOMER = re.compile(r"((?:email|api)-\d+)@customers\.example")


@dataclass(frozen=True)
class Asked:
    """A customer's message: `name` is CHANNEL-NUMBER; `key` is what its channel calls it."""

    name: str
    key: str
    at: datetime

    @property
    def channel(self) -> str:
        """Through which it came."""
        return self.name.rpartition("-")[0]


class Company:
    """The servers, the customers, and the process.

    `folder` holds an indexed `data` folder. `help_desk_url` is the help desk's own database;
    `database_url` Deskmate's, SQLite if it is empty. `program` runs in the process. Use it as a
    context manager.
    """

    def __init__(
        self,
        folder: Path,
        mail: MailServer,
        help_desk_url: str,
        database_url: str = "",
        program: Sequence[str] = ("assistant", "serve"),
    ) -> None:
        self.folder, self.mail, self.slack = folder, mail, Slack()
        self._program = program
        self.database_url = database_url
        self.help_desk = HelpDesk(help_desk_url)
        self.port = service.free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.cables: dict[str, Cable] = {}
        self._tokens: dict[str, str] = {}
        self._people: dict[str, int] = {}
        self._http = httpx.Client(timeout=60)
        self._stack = ExitStack()

    def __enter__(self) -> Company:
        with ExitStack() as stack:
            stack.callback(self.help_desk.engine.dispose)
            stack.enter_context(self._http)
            stack.enter_context(self.slack)
            self._lay_cables(stack)
            self.slack.workspaces.url = f"http://127.0.0.1:{self.cables['slack'].port}"
            self._populate()
            self._write_settings()
            stack.callback(self.kill)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _lay_cables(self, stack: ExitStack) -> None:
        ports = {"slack": int(self.slack.url.rpartition(":")[2])}
        ports |= {"imap": self.mail.imap_port, "smtp": self.mail.smtp_port}
        for name, url in (("desk", self.database_url), ("help desk", self.help_desk.url)):
            if port := url and make_url(url).port:
                ports[name] = port
        for name, port in ports.items():
            self.cables[name] = stack.enter_context(Cable(port))

    def _populate(self) -> None:
        kim = self.slack.add_user("Kim")
        self.staff = self.slack.add_channel("support-team", [kim], kind="group")
        self.channel = self.slack.add_channel("questions", [kim])
        settings = Settings(data_dir=self.folder / "data", database_url=self.database_url)
        scopes: Any = ["messages:write", "tickets:read"]
        with Desk(settings) as desk:
            self._key = desk.tickets.api_keys.create("widget", scopes, per_minute=1_000_000)

    def _write_settings(self) -> None:
        (self.folder / "mapping.toml").write_text(MAPPING)
        ports = {name: cable.port for name, cable in self.cables.items()}
        help_desk = self._through_cable(self.help_desk.url, "help desk")
        (self.folder / "deskmate.toml").write_text(
            f'data_dir = "data"\nsecret_key = "{KEY}"\nstaff_connector = "slack"\n'
            f"database_url = {json.dumps(self._through_cable(self.database_url, 'desk'))}\n"
            '[inbox]\nworker_name = "desk"\ntell_after_seconds = 0\n'
            "[policy]\nreply_at = 0.3\ndraft_at = 0.2\n"
            "[connectors.api]\n"
            f'[connectors.slack]\nstaff_channel = "{self.staff}"\nchannels = ["{self.channel}"]\n'
            f'api_url = "http://127.0.0.1:{ports["slack"]}/api/"\n'
            f'bot_token = "{self.slack.team.bot_token}"\napp_token = "{self.slack.app_token}"\n'
            '[connectors.ticket_database]\nmapping = "mapping.toml"\ndrafts_first = 0\n'
            f"poll_seconds = 0.5\nurl = {json.dumps(help_desk)}\n"
            f"write_url = {json.dumps(help_desk)}\n"
            f'[connectors.email.mailboxes.support]\naddress = "{SUPPORT}"\n'
            f'imap_host = "127.0.0.1"\nimap_port = {ports["imap"]}\nimap_security = "none"\n'
            f'smtp_host = "127.0.0.1"\nsmtp_port = {ports["smtp"]}\nsmtp_security = "none"\n'
            f'password = "{PASSWORD}"\ndrafts_first = 0\nanswers_per_mailbox = 100000\n'
        )

    def _through_cable(self, url: str, name: str) -> str:
        if name not in self.cables:
            return url
        changed = make_url(url).set(host="127.0.0.1", port=self.cables[name].port)
        return changed.render_as_string(hide_password=False)

    # ── The process ────────────────────────────────────────────────────────────────────────────

    def start(self, *options: str) -> None:
        """Starts `deskmate serve`; returns when it is ready and listens to Slack."""
        self.process = service.start(self.folder, self.port, *options, program=self._program)
        while not self.slack.deliveries.connections:
            time.sleep(0.05)

    def kill(self) -> None:
        """Ends it without a warning."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """Ends it in order."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()

    @contextmanager
    def running(self, *options: str) -> Iterator[None]:
        """It runs, and is stopped in order."""
        self.start(*options)
        try:
            yield
        finally:
            self.stop()

    # ── What customers do ──────────────────────────────────────────────────────────────────────

    def ask(
        self,
        channel: str,
        number: int,
        text: str,
        dice: random.Random,
        screenshot: Path | None = None,
    ) -> Asked:
        """A new customer writes through a channel; a screenshot comes through the API only."""
        name, at = f"{channel}-{number}", datetime.now(UTC)
        ask: dict[str, Callable[[], str]] = {
            "slack": lambda: self._post(name, text),
            "email": lambda: self._mail(name, text, dice),
            "ticket-database": lambda: self._open_ticket(name, text),
            "api": lambda: self._call(name, text, screenshot),
        }
        return Asked(name, ask[channel](), at)

    def _post(self, name: str, text: str) -> str:
        user = self.slack.add_user(name)
        self.slack.workspaces.channel(self.channel).members.append(user)
        return str(self.slack.post(self.channel, user, text)["ts"])

    def _mail(self, name: str, text: str, dice: random.Random) -> str:
        self.mail.deliver(SUPPORT, question(name, text, dice, screenshot=False))
        return name

    def _open_ticket(self, name: str, text: str) -> str:
        person = self._people.setdefault(name, FIRST_CUSTOMER + len(self._people))
        values = {"id": person, "name": name, "email": f"{name}@customers.example", "agent": False}
        with self.help_desk.engine.begin() as connection:
            connection.execute(insert(PEOPLE).values(**values))
        return str(self.help_desk.ticket(text, person))

    def _call(self, name: str, text: str, screenshot: Path | None) -> str:
        """Until it is acknowledged, as programs do that may repeat a call."""
        body = {"text": text, "customer": f"{name}@customers.example"}
        # What follows a picture's end makes it another file: no two customers' are the same.
        picture = screenshot and screenshot.read_bytes() + name.encode()
        files = {"files": (screenshot.name, picture)} if screenshot else None
        headers = {"Authorization": f"Bearer {self._key}", "Idempotency-Key": f"{name:-<16}"}
        while True:
            try:
                url = f"http://127.0.0.1:{self.port}/api/messages"
                sent: dict[str, Any] = {"data": body, "files": files} if files else {"json": body}
                answer = self._http.post(url, headers=headers, **sent)
                if answer.status_code == 202:
                    return str(answer.json()["ticket"])
                if answer.status_code < 500 and answer.status_code not in (409, 429):
                    raise AssertionError(answer.text)
            except httpx.TransportError:
                pass
            time.sleep(0.2)

    # ── What became of it ──────────────────────────────────────────────────────────────────────

    def answers(self, asked: Sequence[Asked]) -> Counter[str]:
        """How many answers each message got, by its name."""
        threads = Counter(m["thread_ts"] for m in self.slack.by_bot(self.channel))
        mails = {(s.recipients[0], str(s.message["Message-ID"])) for s in list(self.mail.sent)}
        mailed = Counter(recipient.partition("@")[0] for recipient, _ in mails)
        written = self._comments(internal=False)
        found: Counter[str] = Counter()
        for each in asked:
            counts = {
                "slack": lambda each=each: threads[each.key],
                "email": lambda each=each: mailed[each.key],
                "ticket-database": lambda each=each: written[each.key],
                "api": lambda each=each: self._replies(each.key),
            }
            found[each.name] = counts[each.channel]()
        return found

    def notices(self, asked: Sequence[Asked]) -> Counter[str]:
        """How often staff were told of each message, by its name: in Slack, or in the ticket."""
        link = re.compile(rf"/archives/{self.channel}/p(\d{{10}})(\d{{6}})")
        names = {each.key: each.name for each in asked if each.channel == "slack"}
        found: Counter[str] = Counter()
        for message in self.slack.by_bot(self.staff):
            title = str(message["blocks"][0])
            if match := link.search(title):
                found[names.get(".".join(match.groups()), "")] += 1
            elif customer := CUSTOMER.search(title):
                found[customer[1]] += 1
        noted = self._comments(internal=True)
        found.update({e.name: noted[e.key] for e in asked if e.channel == "ticket-database"})
        return found

    def mails_sent_again(self) -> int:
        """Mails that the SMTP server took more than once under one Message-ID."""
        return sum(count - 1 for count in self.mail.counts().values() if count > 1)

    def unsettled(self, asked: Sequence[Asked]) -> list[Asked]:
        """The messages that have no answer, and of which staff know nothing."""
        answers, notices = self.answers(asked), self.notices(asked)
        return [each for each in asked if not answers[each.name] and not notices[each.name]]

    def _comments(self, *, internal: bool) -> Counter[str]:
        query = select(COMMENTS.c.ticket_id).where(
            COMMENTS.c.author_id == ASSISTANT, COMMENTS.c.internal == internal
        )
        with self.help_desk.engine.connect() as connection:
            return Counter(str(number) for number in connection.scalars(query))

    def _replies(self, ticket: str) -> int:
        headers = {"Authorization": f"Bearer {self._key}"}
        try:
            url = f"http://127.0.0.1:{self.port}/api/tickets/{ticket}"
            answer = self._http.get(url, headers=headers)
        except httpx.TransportError:
            return 0  # the process is away
        if answer.status_code != 200:
            return 0
        return sum(turn["author"] == "assistant" for turn in answer.json()["conversation"])
