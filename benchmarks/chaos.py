"""Messages on all channels at once, and everything that goes wrong meanwhile, drawn from a seed.

Every message must end as exactly one answer, or staff must be told of it exactly once. What is
drawn is the same for the same seed: which message comes when, and what breaks at which; the moment
within a millisecond is the machine's.
"""

from __future__ import annotations

import random
import resource
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from benchmarks import clock
from benchmarks.company import CHANNELS, Asked, Company

SMALL_DISK_BYTES = 500_000_000  # free on a file system that may be filled up
ASKING = 16  # customers who wait for an acknowledgement at once


@dataclass(frozen=True)
class Plan:
    """How much of what. `troubles` says how often each kind comes: kill (SIGKILL of the process,
    started again at once), imap and smtp (the server is stopped and started), cut (one network
    cable), full (the disk; on SQLite), clock (an hour wrong, then right again), disconnect, limit,
    hang up and redeliver (Slack)."""

    seed: int
    messages: int
    per_second: float
    troubles: Mapping[str, int]
    away_seconds: float = 5.0
    patience_seconds: float = 700.0  # without news; what failed often comes again in ten minutes
    linger_seconds: float = 30.0  # whatever would come twice comes then
    options: tuple[str, ...] = ()  # of `deskmate serve`


@dataclass(frozen=True)
class Report:
    """What became of the messages; `lost` and `twice` are their names."""

    plan: Plan
    happened: Counter[str]
    lost: Sequence[str]
    twice: Sequence[str]
    answered: int
    told: int
    mails_sent_again: int
    wrong: Sequence[str] = field(default_factory=tuple)  # what the company itself could not do

    def __str__(self) -> str:
        happened = ", ".join(f"{n} {kind}" for kind, n in sorted(self.happened.items()))
        return (
            f"seed {self.plan.seed}: {self.plan.messages} messages, {happened}:"
            f" lost {len(self.lost)} {list(self.lost)[:9]},"
            f" answered twice {len(self.twice)} {list(self.twice)[:9]}, answered {self.answered},"
            f" staff told {self.told}, mails sent again {self.mails_sent_again},"
            f" wrong {list(self.wrong)[:3]}"
        )


def run(company: Company, plan: Plan, texts: Sequence[str]) -> Report:
    """Starts the process, lets everything happen, waits for the end of it, stops the process."""
    dice = random.Random(plan.seed)
    trouble = Trouble(company, plan)
    due = _schedule(plan, dice)
    channels = [CHANNELS[n % len(CHANNELS)] for n in range(plan.messages)]
    dice.shuffle(channels)
    company.start(*plan.options)
    began = time.monotonic()
    asking: list[Future[Asked]] = []
    with ThreadPoolExecutor(ASKING) as customers:
        for number, channel in enumerate(channels):
            time.sleep(max(0.0, began + number / plan.per_second - time.monotonic()))
            text, own = dice.choice(texts), random.Random(dice.random())
            asking.append(customers.submit(company.ask, channel, number, text, own))
            for kind in due.get(number, ()):
                trouble.cause(kind, random.Random(dice.random()))
        asked = [each.result() for each in asking]
    trouble.end()
    left, changed_at = company.unsettled(asked), time.monotonic()
    while left and time.monotonic() - changed_at < plan.patience_seconds:
        time.sleep(1)
        before, left = len(left), company.unsettled(left)
        if len(left) < before:
            changed_at = time.monotonic()
    time.sleep(plan.linger_seconds)
    answers, notices = company.answers(asked), company.notices(asked)
    company.stop()
    return Report(
        plan,
        trouble.happened,
        lost=[e.name for e in asked if not answers[e.name] and not notices[e.name]],
        twice=[e.name for e in asked if answers[e.name] > 1 or notices[e.name] > 1],
        answered=sum(bool(answers[e.name]) for e in asked),
        told=sum(bool(notices[e.name]) for e in asked),
        mails_sent_again=company.mails_sent_again(),
        wrong=trouble.wrong,
    )


def _schedule(plan: Plan, dice: random.Random) -> dict[int, list[str]]:
    """Which kinds of trouble come with which message; none with the first or last few, so that
    each has something to disturb."""
    found: dict[int, list[str]] = {}
    first, last = plan.messages // 10, plan.messages - plan.messages // 10
    for kind, times in plan.troubles.items():
        for _ in range(times):
            found.setdefault(dice.randrange(first, last), []).append(kind)
    return found


class Trouble:
    """Causes it. Of one kind one after the other, of several at the same time."""

    def __init__(self, company: Company, plan: Plan) -> None:
        self._company, self._plan = company, plan
        clock.set_wrong(company.folder / "clock", timedelta())
        self._hands = {kind: ThreadPoolExecutor(1) for kind in plan.troubles}
        self._lock = threading.Lock()
        self.happened: Counter[str] = Counter()
        self.wrong: list[str] = []

    def cause(self, kind: str, dice: random.Random) -> None:
        """Causes a kind of trouble; returns before it is over."""
        mail, slack = self._company.mail, self._company.slack
        causes: dict[str, Callable[[random.Random], None]] = {
            "kill": self._kill,
            "imap": lambda dice: self._restart(mail.stop_imap, mail.start_imap),
            "smtp": lambda dice: self._restart(mail.stop_smtp, mail.start_smtp),
            "cut": self._cut,
            "full": self._fill,
            "clock": self._set_clock,
            "disconnect": lambda dice: slack.disconnect(warn=dice.random() < 0.5),
            "limit": lambda dice: slack.fail("chat.postMessage", status=429, retry_after=1),
            "hang up": lambda dice: slack.fail("chat.postMessage", hang_up_after=True),
            "redeliver": self._redeliver,
        }
        self._hands[kind].submit(self._cause, kind, causes[kind], dice)

    def _cause(
        self, kind: str, cause: Callable[[random.Random], None], dice: random.Random
    ) -> None:
        try:
            cause(dice)
        except Exception as error:  # it is told at the end
            self.wrong.append(f"{kind}: {type(error).__name__}: {error}")
        with self._lock:
            self.happened[kind] += 1

    def end(self) -> None:
        """Waits until all of it is over."""
        for hand in self._hands.values():
            hand.shutdown(wait=True)

    def _kill(self, dice: random.Random) -> None:
        time.sleep(dice.uniform(0, 3))  # some of it is answered meanwhile
        self._company.kill()
        while True:  # as a service manager does: without its database it ends again
            try:
                return self._company.start(*self._plan.options)
            except RuntimeError:
                time.sleep(1)

    def _restart(self, stop: Callable[[], None], start: Callable[[], None]) -> None:
        stop()
        time.sleep(self._plan.away_seconds)
        start()

    def _cut(self, dice: random.Random) -> None:
        cable = self._company.cables[dice.choice(sorted(self._company.cables))]
        cable.cut()
        time.sleep(self._plan.away_seconds)
        cable.mend()

    def _redeliver(self, dice: random.Random) -> None:
        known = [d for d in self._company.slack.deliveries.all[-200:] if d.acknowledged_at]
        if known:
            self._company.slack.redeliver(dice.choice(known))

    def _set_clock(self, dice: random.Random) -> None:
        """Deskmate's clock is an hour fast or slow for a while: so it jumps both ways."""
        file = self._company.folder / "clock"
        clock.set_wrong(file, dice.choice([1, -1]) * timedelta(hours=1))
        time.sleep(self._plan.away_seconds)
        clock.set_wrong(file, timedelta())

    def _fill(self, dice: random.Random) -> None:
        """Fills the file system of the data for a while, if that is small; else, no file of the
        process may grow, which it hears as an input/output error."""
        folder = self._company.folder / "data"
        free = shutil.disk_usage(folder).free
        if free < SMALL_DISK_BYTES:
            filler = folder / "filler"
            try:
                with filler.open("wb", buffering=0) as file:
                    while True:
                        file.write(b"\0" * 65_536)
            except OSError:
                pass
            time.sleep(self._plan.away_seconds)
            filler.unlink()
        elif process := self._company.process:
            limits = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (8_192, limits[1]))
            time.sleep(self._plan.away_seconds)
            if process.poll() is None:
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limits)
