"""Does anything get lost or answered twice, whatever breaks, and how much does a desk take in?
`deskmate serve` with Slack, e-mail, a help desk's database and the HTTP API at once, against a real
Dovecot, an SMTP server, PostgreSQL and `assistant.testing.slack`. What it is only fairly sure of is
sent as well (`policy`), so that most messages are answered.

`chaos`: 2,000 messages on all channels; meanwhile SIGKILL again and again, the mail servers
stopped and started, Slack's disconnects, rate limits, redeliveries and posts that it takes without
saying so, and the cables to all servers cut one by one, also that to Deskmate's own database
(`cable.py`: no rights needed). `chaos/sqlite`: the same on SQLite, where the disk is also full: a
small file system of its own where this may be mounted, else no file may grow (RLIMIT_FSIZE).
`clock` sets Deskmate's clock an hour wrong and right again (`clock.py`). `lost` are messages with
no answer of which staff were told nothing, `answered twice` those with two answers or of which
staff were told twice; `mails sent again` were taken by the SMTP server twice under one Message-ID.
`seed` makes the same troubles again: --seed.

`throughput/CHANNEL`: as many messages as fit at once, until all are answered; then half that rate,
for the times from arrival to acknowledgement (e-mail and the ticket database acknowledge nothing:
until it is stored) and to the reply sent. `models alone` is the same pipeline without anything
around it, in as many threads. All databases are SQLite, in `throughput/ticket-database/postgresql`
PostgreSQL. `workers/N`: N processes on PostgreSQL, through the API.

`overload`: messages come five times as fast as they can be answered. `ack` is of Slack and the API,
`stored` of the other two, whose messages wait safely where they are until then.

    python -m benchmarks.bench_load --share 0.05 --only chaos     a short form, publishes nothing
"""

from __future__ import annotations

import argparse
import itertools
import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psycopg
from sqlalchemy import Engine, select

from assistant import Desk, Message
from assistant.knowledge.sources import Folder
from assistant.settings import Knowledge, Settings
from assistant.testing.mail import HOW_TO_INSTALL, MailServer, installed
from assistant.tickets.backlog import backlog
from assistant.tickets.database import connect, upgrade
from assistant.tickets.tables import MessageRow, OutcomeRow, ReplyRow, TicketRow
from benchmarks import chaos, data
from benchmarks.company import CHANNELS, Asked, Company
from benchmarks.results import Results

MESSAGES = 2_000
SQLITE_MESSAGES = 600
PER_SECOND = 4.0
BURST = 200
STEADY = 100
WORKERS = (1, 2, 4)
ACKNOWLEDGED = ("slack", "api")
OVERLOAD = 5
OVERLOAD_SECONDS = 60
CONCURRENCY = 2  # conversations that a process answers at once, by default
SMALL_DISK = "150m"
PATIENCE_SECONDS = 1_800
POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432"
TROUBLES = {  # a thousand messages
    "kill": 6,
    "imap": 3,
    "smtp": 3,
    "cut": 15,
    "clock": 4,
    "disconnect": 10,
    "limit": 20,
    "hang up": 10,
    "redeliver": 100,
}


@contextmanager
def company(
    mail: MailServer, database: str, program: Sequence[str] = ("assistant", "serve")
) -> Iterator[Company]:
    """A company whose databases are `postgresql` or `sqlite`, and know the example help centre."""
    with tempfile.TemporaryDirectory() as name, small_disk(Path(name) / "desk", database) as folder:
        urls = {"desk": "", "help": f"sqlite:///{Path(name) / 'help-desk.sqlite'}"}
        if database == "postgresql":
            urls = {key: fresh_database(f"deskmate_load_{key}") for key in urls}
            engine = connect(urls["desk"])
            upgrade(engine)
            engine.dispose()
        settings = Settings(data_dir=folder / "data", knowledge=Knowledge(read_pictures=False))
        with Desk(settings) as desk:
            desk.index(Folder(data.HELP_CENTRE / "articles", source="help"))
        mail.empty()
        with Company(folder, mail, urls["help"], urls["desk"], program) as found:
            yield found


@contextmanager
def small_disk(folder: Path, database: str) -> Iterator[Path]:
    """For SQLite, a small file system in `folder` if it may be mounted; else the folder itself."""
    folder.mkdir()
    if database != "sqlite":
        yield folder
        return
    options = ["-t", "tmpfs", "-o", f"size={SMALL_DISK}", "none", str(folder)]
    mount = shutil.which("mount")
    mounted = mount and subprocess.run([mount, *options], capture_output=True).returncode == 0
    print(f"full disk: {f'a file system of {SMALL_DISK}' if mounted else 'RLIMIT_FSIZE'}")
    try:
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fresh_database(name: str) -> str:
    """The URL of an empty PostgreSQL database of this name."""
    server = f"{POSTGRES.replace('+psycopg', '')}/postgres"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{POSTGRES}/{name}"


def run_chaos(
    mail: MailServer, database: str, texts: Sequence[str], seed: int, share: float, r: Results
) -> None:
    """Everything at once that may go wrong."""
    messages = max(40, round((MESSAGES if database == "postgresql" else SQLITE_MESSAGES) * share))
    troubles = {kind: max(1, round(n * messages / 1_000)) for kind, n in TROUBLES.items()}
    if database == "sqlite":
        troubles["full"] = max(1, round(messages / 100))
    with company(mail, database, ("benchmarks.clock", "serve")) as found:
        report = chaos.run(found, chaos.Plan(seed, messages, PER_SECOND, troubles), texts)
    print(report)
    task = "chaos" if database == "postgresql" else f"chaos/{database}"
    r.add(task, "deskmate", "seed", seed)
    for metric, value in (
        ("messages", messages),
        *sorted(report.happened.items()),
        ("lost", len(report.lost)),
        ("answered twice", len(report.twice)),
        ("mails sent again", report.mails_sent_again),
        ("answered", report.answered),
        ("staff told", report.told),
    ):
        r.add(task, "deskmate", metric, value)


class Load:
    """Messages that are brought to a running company, and when what became of them."""

    def __init__(self, company: Company, texts: Iterator[str]) -> None:
        self._company, self._texts = company, texts
        self._numbers = itertools.count()
        url = company.database_url or f"sqlite:///{company.folder / 'data/deskmate.sqlite'}"
        self.engine: Engine = connect(url)

    def bring(self, channels: Sequence[str], per_second: float) -> list[tuple[Asked, float]]:
        """Brings a message to each, at this rate whatever comes back; returns them, with the
        milliseconds until the customer's program was told that it is taken."""
        dice, began = random.Random(1), time.perf_counter()

        def ask(channel: str, number: int, text: str, due: float) -> tuple[Asked, float]:
            asked = self._company.ask(channel, number, text, dice)
            return asked, 1_000 * (time.perf_counter() - due)

        with ThreadPoolExecutor(64) as customers:
            asking = []
            for number, channel in enumerate(channels):
                due = began + number / per_second
                time.sleep(max(0.0, due - time.perf_counter()))
                work = (channel, next(self._numbers), next(self._texts), due)
                asking.append(customers.submit(ask, *work))
            return [each.result() for each in asking]

    def wait(self, count: int) -> bool:
        """Waits until so many messages in all have an outcome, and nothing is left to send."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            left = backlog(self.engine)
            if len(self.times()) >= count and not left.messages and not left.replies:
                return True
            time.sleep(0.5)
        return False

    def times(self) -> dict[str, tuple[datetime, datetime]]:
        """Of each message, by its customer or conversation: when it was stored and answered."""
        query = (
            select(TicketRow.customer, TicketRow.thread_id, MessageRow.received_at)
            .add_columns(OutcomeRow.created_at, ReplyRow.sent_at)
            .join(MessageRow, MessageRow.ticket_id == TicketRow.id)
            .join(OutcomeRow, OutcomeRow.id == MessageRow.outcome_id)
            .outerjoin(ReplyRow, ReplyRow.outcome_id == OutcomeRow.id)
        )
        found = {}
        with self.engine.connect() as connection:
            for customer, thread, stored, decided, sent in connection.execute(query):
                mailed = re.search(r"([\w-]+)@customers", customer)
                name = mailed[1] if mailed else thread.rpartition("/")[2]
                found[name] = (stored, sent or decided)
        return found

    def milliseconds(self, asked: Sequence[tuple[Asked, float]]) -> tuple[list[float], list[float]]:
        """Until each was acknowledged, and until it was answered."""
        times, acks, replies = self.times(), [], []
        posted = {d.payload["event"]["ts"]: d for d in self._company.slack.deliveries.all}
        for each, told in asked:
            stored, sent = times.get(each.name) or times[each.key]
            if each.channel == "slack":
                acks.append(1_000 * (posted[each.key].seconds or float("inf")))
            elif each.channel == "api":
                acks.append(told)
            else:
                acks.append(1_000 * (stored - each.at).total_seconds())
            replies.append(1_000 * (sent - each.at).total_seconds())
        return acks, replies


def sustained(load: Load, channels: Sequence[str]) -> float:
    """Messages a second, when as many come at once."""
    before, began = len(load.times()), datetime.now(UTC)
    asked = load.bring(channels, per_second=10_000)
    assert load.wait(before + len(asked)), "some were not answered"
    ended = max(sent for _, sent in load.times().values())
    return len(asked) / (ended - began).total_seconds()


def throughput(load: Load, channel: str, share: float, r: Results, database: str = "") -> float:
    """Of one channel; returns messages a second."""
    task, count = f"throughput/{channel}{database}", max(20, round(BURST * share))
    rate = sustained(load, [channel] * count)
    r.add(task, "deskmate", "messages/s", rate, n=count)
    before, steady = len(load.times()), max(10, round(STEADY * share))
    asked = load.bring([channel] * steady, rate / 2)
    load.wait(before + steady)
    acks, replies = load.milliseconds(asked)
    r.add(task, "deskmate", "ack p99 ms", float(np.percentile(acks, 99)), n=steady)
    for percent in (50, 95):
        value = float(np.percentile(replies, percent))
        r.add(task, "deskmate", f"reply p{percent} ms", value, n=steady)
    return rate


def models_alone(folder: Path, texts: Iterator[str], share: float, r: Results) -> None:
    """The pipeline without anything around it."""
    count = max(20, round(BURST * share))
    with Desk(Settings(data_dir=folder / "data")) as desk:
        desk.warm_up()

        def answer(number: int) -> None:
            message = Message("api", str(number), str(number), "customer", next(texts))
            desk.pipeline.answer(message, desk.tickets.store_message(message), ())

        began = time.perf_counter()
        with ThreadPoolExecutor(CONCURRENCY) as threads:
            list(threads.map(answer, range(count)))
        seconds = time.perf_counter() - began
    for channel in CHANNELS:
        r.add(f"throughput/{channel}", "models alone", "messages/s", count / seconds, n=count)


def overload(company: Company, load: Load, rate: float, share: float, r: Results) -> None:
    """More than can be answered: the queue grows, and is worked off afterwards."""
    count = max(20, round(OVERLOAD * rate * OVERLOAD_SECONDS * share))
    before = len(load.times())
    asked = load.bring([CHANNELS[n % len(CHANNELS)] for n in range(count)], OVERLOAD * rate)
    ended, queue = time.monotonic(), backlog(load.engine).messages
    caught_up = load.wait(before + count)
    seconds = time.monotonic() - ended
    told, others = (
        load.milliseconds([a for a in asked if (a[0].channel in ACKNOWLEDGED) is wanted])[0]
        for wanted in (True, False)
    )
    assert company.process
    status = Path(f"/proc/{company.process.pid}/status").read_text()
    peak_kb = int(status.partition("VmHWM:")[2].split()[0])
    unsettled = company.unsettled([each for each, _ in asked])
    for metric, value in (
        ("messages", count),
        ("messages/s that came", OVERLOAD * rate),
        ("waiting at the end of it", queue),
        ("ack p99 ms", float(np.percentile(told, 99))),
        ("stored p99 ms", float(np.percentile(others, 99))),
        ("MB peak", peak_kb * 1024 / 1e6),
        ("s to catch up", seconds if caught_up else float("inf")),
        ("lost", len(unsettled)),
    ):
        r.add("overload", "deskmate", metric, value)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=1.0, help="of the messages")
    parser.add_argument("--seed", type=int, default=7, help="of the chaos")
    tasks = ("chaos", "chaos/sqlite", "throughput", "workers")
    parser.add_argument("--only", choices=tasks, help="one of the tasks")
    arguments = parser.parse_args()
    share: float = arguments.share
    if not installed():
        print(f"skipped: {HOW_TO_INSTALL}")
        return
    try:
        psycopg.connect(f"{POSTGRES.replace('+psycopg', '')}/postgres").close()
    except psycopg.OperationalError as error:
        print(f"skipped: no PostgreSQL on 127.0.0.1:5432 for the user postgres ({error})")
        return
    questions = [c.text for c in data.help_centre() if c.text and not c.screenshots]
    texts = itertools.cycle(questions)
    results = Results("load", ["torch", "dbos", "slack_bolt", "aiosmtpd", "psycopg"])

    def chosen(task: str) -> bool:
        return arguments.only in (None, task)

    with tempfile.TemporaryDirectory(prefix="deskmate-") as mails, MailServer(Path(mails)) as mail:
        if chosen("throughput"):
            with company(mail, "sqlite") as found:
                with found.running():
                    load = Load(found, texts)
                    rates = [throughput(load, channel, share, results) for channel in CHANNELS]
                    overload(found, load, float(np.mean(rates)), share, results)
                    load.engine.dispose()
                models_alone(found.folder, texts, share, results)
            with company(mail, "postgresql") as found, found.running():
                load = Load(found, texts)
                throughput(load, "ticket-database", share, results, "/postgresql")
                load.engine.dispose()
        for processes in WORKERS if chosen("workers") else ():
            further = ("--workers", str(processes - 1))
            with company(mail, "postgresql") as found, found.running(*further):
                load = Load(found, texts)
                rate = sustained(load, ["api"] * max(20, round(BURST * share)))
                results.add(f"workers/{processes}", "deskmate", "messages/s", rate)
                load.engine.dispose()
        chaotic: dict[str, Callable[[], None]] = {
            task: lambda database=database: run_chaos(
                mail, database, questions, arguments.seed, share, results
            )
            for task, database in (("chaos", "postgresql"), ("chaos/sqlite", "sqlite"))
        }
        for task, run in chaotic.items():
            if chosen(task):
                run()
    if share == 1 and not arguments.only:
        results.publish()
    else:
        for row in results.rows:
            print(f"{row.task:<28}{row.system:<14}{row.metric:<28}{row.value:>12,.1f}")


if __name__ == "__main__":
    main()
