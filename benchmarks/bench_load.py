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
around it, in as many threads; `share outside models` is what is missing to its rate: storing,
queueing and sending, and the customers and servers on the same cores. The messages are a line of
text each, in `throughput/api+screenshot` with a screenshot. All databases are SQLite, in
`throughput/ticket-database/postgresql` PostgreSQL. `workers/N`: N processes on PostgreSQL, through
the API.

`overload`: messages come five times as fast as they can be answered. `ack` is of Slack and the API,
`stored` of the other two, whose messages wait safely where they are until then.

    python -m benchmarks.bench_load --share 0.05 --only chaos     a short form, publishes nothing
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psycopg

from assistant import Desk
from assistant.knowledge.sources import Folder
from assistant.settings import Knowledge, Settings
from assistant.testing.mail import HOW_TO_INSTALL, MailServer, installed
from assistant.tickets.database import connect, upgrade
from benchmarks import chaos, data
from benchmarks.company import CHANNELS, Company
from benchmarks.load import BURST, Load, Question, models_alone, overload, sustained, throughput
from benchmarks.results import Results

MESSAGES = 2_000
SQLITE_MESSAGES = 600
PER_SECOND = 4.0
PICTURED_SHARE = 0.3  # of the messages of other tasks: with a screenshot they take longer
WORKERS = (1, 2, 4)
SMALL_DISK = "150m"
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
    cases = [case for case in data.help_centre() if case.text]
    texts = [case.text for case in cases if not case.screenshots]
    questions: Iterator[Question] = itertools.cycle((text, None) for text in texts)
    pictured: Iterator[Question] = itertools.cycle(
        (case.text, case.screenshots[0]) for case in cases if case.screenshots
    )
    results = Results("load", ["torch", "dbos", "slack_bolt", "aiosmtpd", "psycopg"])

    def chosen(task: str) -> bool:
        return arguments.only in (None, task)

    with tempfile.TemporaryDirectory(prefix="deskmate-") as mails, MailServer(Path(mails)) as mail:
        if chosen("throughput"):
            with company(mail, "sqlite") as found:
                with found.running():
                    load = Load(found, questions)
                    rates = {c: throughput(load, c, share, results) for c in CHANNELS}
                    overload(found, load, float(np.mean([*rates.values()])), share, results)
                    load.questions, few = pictured, PICTURED_SHARE * share
                    rate = throughput(load, "api", few, results, "+screenshot")
                    load.engine.dispose()
                models_alone(found.folder, questions, rates, share, results)
                models_alone(found.folder, pictured, {"api+screenshot": rate}, few, results)
            with company(mail, "postgresql") as found, found.running():
                load = Load(found, questions)
                throughput(load, "ticket-database", share, results, "/postgresql")
                load.engine.dispose()
        for processes in WORKERS if chosen("workers") else ():
            further = ("--workers", str(processes - 1))
            with company(mail, "postgresql") as found, found.running(*further):
                load = Load(found, questions)
                rate = sustained(load, ["api"] * max(20, round(BURST * share)))
                results.add(f"workers/{processes}", "deskmate", "messages/s", rate)
                load.engine.dispose()
        chaotic: dict[str, Callable[[], None]] = {
            task: lambda database=database: run_chaos(
                mail, database, texts, arguments.seed, share, results
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
