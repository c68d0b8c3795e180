"""Is every mail answered once, whatever breaks? `deskmate serve` as a process of its own, with the
default models and SQLite, on a real Dovecot and a real SMTP server (`assistant.testing.mail`). What
it is only fairly sure of is sent as well (`policy`), so that most mails are answered.

`reply/text`, `reply/screenshot`: from the delivery into the mailbox to the answer at the SMTP
server, one after another. Of it, 1.5 s are the wait for more mails of the same person, and
`inbox.quiet_seconds` (5) where the mail does not look finished: see `assistant/bursts.py`. Beside
it stands a script with imap-tools and smtplib that answers each mail with the same sentence: what
the two servers and the way through them take.

`chaos`: mails as customers write them, text or HTML, with signatures and quotations, a third with a
screenshot in the text, and among them out-of-office answers, bounces and newsletters. Meanwhile the
process is killed at random moments (SIGKILL) and started again, both servers are stopped and
started, our own mailbox is full for a third of the time, and the SMTP server answers that
customers' mailboxes are full or that it is busy. `lost` are questions with no answer of which staff
were told nothing; `answered twice` those with two answers; `sent again` answers that the SMTP
server took twice under one Message-ID: the process was killed between the server's word and our
note of it. `window` is how long that moment is. `loops` are answers to machines.

    python -m benchmarks.bench_email --share 0.05     a short form, which publishes nothing
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import signal
import smtplib
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from imap_tools import AND, MailBoxUnencrypted

from assistant import Desk
from assistant.knowledge.sources import Folder
from assistant.settings import Knowledge, Settings
from assistant.testing.mail import HOW_TO_INSTALL, PASSWORD, MailServer, installed
from benchmarks import data, service
from benchmarks.mails import SUPPORT, from_machine, question
from benchmarks.results import Results

MAILS = 1_000
PER_SECOND = 5
KILLS = 6
REFUSED = 0.05  # share of customers whose server refuses the first attempts
MACHINES = 0.1  # further mails, from machines
REPLIES = 15
AWAY_SECONDS = 5
PATIENCE_SECONDS = 1_500  # the eighth attempt at a reply comes twenty minutes after the seventh
STAFF = "team@staff.example"
KEY = "5uVtO8sDQxMOyqnb0oW7Zb3c1Kf4mYz7vXnQ2rJtLhE="


class Company:
    """A desk in a process of its own."""

    def __init__(self, folder: Path, server: MailServer) -> None:
        self._folder, self.server = folder, server
        with Desk(
            Settings(data_dir=folder / "data", knowledge=Knowledge(read_pictures=False))
        ) as desk:
            desk.index(Folder(data.HELP_CENTRE / "articles", source="help"))
        (folder / "deskmate.toml").write_text(
            f'data_dir = "data"\nsecret_key = "{KEY}"\n[inbox]\nworker_name = "desk"\n'
            "tell_after_seconds = 0\n"
            "[policy]\nreply_at = 0.3\ndraft_at = 0.2\n"
            f'[connectors.email]\nstaff_address = "{STAFF}"\n'
            f'[connectors.email.mailboxes.support]\naddress = "{SUPPORT}"\n'
            f'imap_host = "127.0.0.1"\nimap_port = {server.imap_port}\nimap_security = "none"\n'
            f'smtp_host = "127.0.0.1"\nsmtp_port = {server.smtp_port}\nsmtp_security = "none"\n'
            f'password = "{PASSWORD}"\ndrafts_first = 0\nanswers_per_mailbox = 100000\n'
        )

    def start(self) -> subprocess.Popen[bytes]:
        """Starts the process; returns when it is ready."""
        return service.start(self._folder)

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """The process, stopped at the end."""
        process = self.start()
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()

    def window_ms(self) -> list[float]:
        """For each answer: from when the SMTP server took it to our note of that."""
        taken = {str(s.message["Message-ID"]).split(".")[3]: s.at for s in list(self.server.sent)}
        with sqlite3.connect(self._folder / "data" / "deskmate.sqlite") as database:
            rows = database.execute(
                "SELECT external_id, received_at FROM arrivals WHERE external_id LIKE 'sent/%'"
            ).fetchall()
        found = []
        for name, noted in rows:
            at = taken.get(name.removeprefix("sent/"))
            if at is not None:
                noted_at = datetime.fromisoformat(noted).replace(tzinfo=UTC)
                found.append(1_000 * (noted_at - at).total_seconds())
        return found


def wait(holds: Callable[[], bool], seconds: float) -> bool:
    """Waits until `holds()` is true, so long at most; returns whether it came to pass."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def answered(server: MailServer) -> Counter[str]:
    """How many different answers each customer got."""
    pairs = {(s.recipients[0], str(s.message["Message-ID"])) for s in list(server.sent)}
    return Counter(recipient for recipient, _ in pairs)


def told(server: MailServer) -> set[str]:
    """The customers of whose mails staff were told."""
    texts = "".join(each.text for each in server.sent_to(STAFF))
    return {
        line.partition("<")[2].partition(">")[0]
        for line in texts.splitlines()
        if line.startswith("From ")
    }


def unsettled(server: MailServer, customers: set[str]) -> set[str]:
    """Those of them who have no answer, and of whose mail staff were not told."""
    return customers - answered(server).keys() - told(server)


def wait_until_settled(server: MailServer, customers: set[str]) -> None:
    """Waits until all of them are, or nothing changed for a while."""
    left, changed_at = len(customers), time.monotonic()
    while left and time.monotonic() - changed_at < PATIENCE_SECONDS:
        time.sleep(5)
        now_left = len(unsettled(server, customers))
        if now_left < left:
            left, changed_at = now_left, time.monotonic()


def replies(
    server: MailServer, task: str, system: str, texts: Iterator[str], count: int, r: Results
) -> None:
    """From a mail to its answer."""
    screenshot, seconds = task.endswith("screenshot"), []
    for number in range(count):
        name = f"{system}-{number}-{task.rpartition('/')[2]}"
        address = f"{name}@customers.example"
        raw = question(name, next(texts), random.Random(number), screenshot)
        began = datetime.now(UTC)
        server.deliver(SUPPORT, raw)
        wait(lambda address=address: not unsettled(server, {address}), 60)
        if sent := server.sent_to(address):
            seconds.append((sent[0].at - began).total_seconds())
    for percent in (50, 95):
        value = 1_000 * float(np.percentile(seconds, percent))
        r.add(task, system, f"reply p{percent} ms", value, n=len(seconds))


def script(server: MailServer, stop: threading.Event) -> None:
    """The peer: answers every mail with the same sentence."""
    with (
        MailBoxUnencrypted("127.0.0.1", server.imap_port).login(SUPPORT, PASSWORD) as box,
        smtplib.SMTP("127.0.0.1", server.smtp_port) as smtp,
    ):
        smtp.login(SUPPORT, PASSWORD)
        while not stop.is_set():
            for mail in box.fetch(AND(seen=False)):
                smtp.sendmail(SUPPORT, mail.from_, f"Subject: Re: {mail.subject}\r\n\r\nThanks.")
            box.idle.wait(0.5)


@contextmanager
def answering_script(server: MailServer) -> Iterator[None]:
    """The peer at work."""
    stop = threading.Event()
    thread = threading.Thread(target=script, args=(server, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def restart_imap(server: MailServer, quota_bytes: int) -> None:
    """Dovecot is away for some seconds; then our mailbox is full, or is not any more."""
    server.stop_imap()
    server.quota_bytes = quota_bytes
    threading.Timer(AWAY_SECONDS, server.start_imap).start()


def restart_smtp(server: MailServer) -> None:
    """The SMTP server is away for some seconds."""
    server.stop_smtp()
    threading.Timer(AWAY_SECONDS, server.start_smtp).start()


def chaos(company: Company, texts: Iterator[str], count: int, share: float, r: Results) -> None:
    """Everything at once that may go wrong."""
    server, dice = company.server, random.Random(6)
    customers = {f"customer{number}@customers.example" for number in range(count)}
    for address in sorted(customers):
        if dice.random() < REFUSED:
            said = ["451 4.7.1 Try again later", "452 4.2.2 Mailbox full", "421 Too busy"]
            server.refuse[address] = said[: dice.randint(1, 3)]
    kills = sorted(dice.sample(range(count // 10, count), max(1, round(KILLS * share))))
    restarts: dict[int, Callable[[], None]] = {
        count // 3: lambda: restart_imap(server, quota_bytes=1_000),
        count // 2: lambda: restart_smtp(server),
        2 * count // 3: lambda: restart_imap(server, quota_bytes=0),
    }
    process = company.start()
    machines = 0
    began = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
        server.deliver(SUPPORT, question(f"customer{number}", next(texts), dice, number % 3 == 0))
        if dice.random() < MACHINES:
            server.deliver(SUPPORT, from_machine(machines, dice))
            machines += 1
        if number in kills:
            process.kill()
            process.wait()
            process = company.start()
        if number in restarts:
            restarts[number]()
    wait_until_settled(server, customers)
    time.sleep(30)  # whatever would come twice comes now
    process.send_signal(signal.SIGTERM)
    process.wait()
    answers, notices = answered(server), told(server)
    again = [count - 1 for count in server.counts().values() if count > 1]
    window = company.window_ms()
    loops = [s for s in server.sent if s.recipients[0].startswith("machine")]
    for metric, value in (
        ("messages", count),
        ("with a screenshot", len(range(0, count, 3))),
        ("from machines", machines),
        ("kills", len(kills)),
        ("refused for now", sum(address in server.refuse for address in customers)),
        ("lost", len(unsettled(server, customers))),
        ("answered twice", sum(answers[address] > 1 for address in customers)),
        ("sent again", sum(again)),
        ("loops", len(loops)),
        ("answered", sum(bool(answers[address]) for address in customers)),
        ("staff told", len(notices & customers)),
        ("window p50 ms", float(np.percentile(window, 50))),
        ("window p99 ms", float(np.percentile(window, 99))),
    ):
        r.add("chaos", "deskmate", metric, value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the mails")
    share = parser.parse_args().share
    if not installed():
        print(f"skipped: {HOW_TO_INSTALL}")
        return
    results = Results("email", ["imap-tools", "aiosmtpd", "torch", "dbos"])
    texts = itertools.cycle([c.text for c in data.help_centre() if c.text and not c.screenshots])
    with (
        tempfile.TemporaryDirectory(prefix="deskmate-") as mails,
        MailServer(Path(mails)) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        company = Company(Path(folder), server)
        peer = partial(answering_script, server)
        some = max(3, round(REPLIES * share))
        for system, running in (("deskmate", company.running), ("imap-tools", peer)):
            with running():
                for task in ("reply/text", "reply/screenshot"):
                    replies(server, task, system, texts, some, results)
        server.empty()
        chaos(company, texts, max(20, round(MAILS * share)), share, results)
    if share == 1:
        results.publish()
    else:
        print(json.dumps([vars(row) for row in results.rows], indent=1))


if __name__ == "__main__":
    main()
