"""Is a bot in Slack heard at once, answered soon, and never twice? `deskmate serve` as a process of
its own, with the default settings and models, SQLite and the example help centre, through bolt's
Socket Mode client, against `assistant.testing.slack` in this process.

`busy`: 20 posts a second, each in a thread of its own, while the models answer them. `ack` is from
the envelope's first delivery to its acknowledgement, whether that took one delivery or more.

`reply/text`, `reply/screenshot`: from a post to its answer in the thread, one after another.
Of it, 1.5 s are the wait for more posts of the same person, and `inbox.quiet_seconds` (5) where the
post does not look finished: see `assistant/bursts.py`.

`chaos`: posts at the same rate, 10 % of the events delivered again although they were acknowledged,
sockets ended three times (once without warning), Slack's rate limit again and again, and SIGKILL
half way; the process starts again under its name. `lost` are posts whose thread got no answer and
of which staff were told nothing, `answered twice` those with two of either.

    python -m benchmarks.bench_slack --share 0.05     a short form, which publishes nothing
"""

from __future__ import annotations

import argparse
import itertools
import random
import re
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from assistant import Desk
from assistant.knowledge.sources import Folder
from assistant.settings import Knowledge, Settings
from assistant.testing.slack import Slack
from benchmarks import data, service
from benchmarks.results import Results

PER_SECOND = 20
BUSY_EVENTS = 600
REPLIES = 30
CHAOS_EVENTS = 1_000
REDELIVERED = 0.1
DISCONNECTS = 3
LIMITED = 20  # times that Slack asks to wait a second
PATIENCE_SECONDS = 1_800

Post = dict[str, Any]


class Company:
    """A desk in a process of its own, and its customers."""

    def __init__(self, folder: Path, slack: Slack) -> None:
        self._folder, self.slack = folder, slack
        kim = slack.add_user("Kim")
        self.staff = slack.add_channel("support-team", [kim], kind="group")
        self.channel = slack.add_channel("questions", [kim])
        with Desk(
            Settings(data_dir=folder / "data", knowledge=Knowledge(read_pictures=False))
        ) as desk:
            desk.index(Folder(data.HELP_CENTRE / "articles", source="help"))
        (folder / "deskmate.toml").write_text(
            'data_dir = "data"\n[inbox]\nworker_name = "desk"\ntell_after_seconds = 0\n'
            f'[connectors.slack]\nstaff_channel = "{self.staff}"\nchannels = ["{self.channel}"]\n'
            f'api_url = "{slack.api_url}"\nbot_token = "{slack.team.bot_token}"\n'
            f'app_token = "{slack.app_token}"\n'
        )

    def start(self) -> subprocess.Popen[bytes]:
        """Starts the process; returns when it is ready."""
        process = service.start(self._folder)
        wait(lambda: bool(self.slack.deliveries.connections))
        return process

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """The process, stopped at the end."""
        process = self.start()
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()

    def ask(self, case: data.Case) -> Post:
        """A new customer posts a question."""
        user = self.slack.add_user("Customer")
        self.slack.workspaces.channel(self.channel).members.append(user)
        files = [(screen.name, screen.read_bytes()) for screen in case.screenshots]
        return self.slack.post(self.channel, user, case.text, files=files)

    def answers(self) -> Counter[str]:
        """How many answers each post has, by its time stamp."""
        by_bot = self.slack.by_bot(self.channel)
        return Counter(message["thread_ts"] for message in by_bot)

    def notices(self) -> Counter[str]:
        """How often staff were told of each post."""
        link = re.compile(rf"/archives/{self.channel}/p(\d{{10}})(\d{{6}})")
        found: Counter[str] = Counter()
        for message in self.slack.by_bot(self.staff):
            if match := link.search(str(message["blocks"][0])):
                found[".".join(match.groups())] += 1
        return found

    def settled(self, posts: Sequence[Post]) -> bool:
        """Whether every post has an answer, or staff were told of it."""
        done = self.answers().keys() | self.notices().keys()
        return all(post["ts"] in done for post in posts)


def wait(holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
    """Waits until `holds()` is true; returns whether it came to pass."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def in_time(count: int, per_second: float) -> Iterator[int]:
    """Counts up, so many a second."""
    began = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, began + number / per_second - time.monotonic()))
        yield number


def busy(company: Company, cases: Sequence[data.Case], events: int, results: Results) -> None:
    """Acknowledgements while the models are busy."""
    before = len(company.slack.deliveries.all)
    questions = itertools.cycle(cases)
    posts = [company.ask(next(questions)) for _ in in_time(events, PER_SECOND)]
    names = {post["ts"] for post in posts}
    own = [
        delivery
        for delivery in company.slack.deliveries.all[before:]
        if delivery.payload["event"]["ts"] in names
    ]
    wait(lambda: all(delivery.acknowledged_at for delivery in own))
    unanswered = sum(post["ts"] not in company.answers() for post in posts)
    milliseconds = [1_000 * (delivery.seconds or float("inf")) for delivery in own]
    for metric, value in (
        ("ack p50 ms", np.percentile(milliseconds, 50)),
        ("ack p99 ms", np.percentile(milliseconds, 99)),
        ("ack max ms", max(milliseconds)),
        ("delivered more than once", sum(delivery.attempts > 1 for delivery in own)),
        ("being answered then", unanswered),
    ):
        results.add("busy", "deskmate", metric, float(value), n=len(own))
    wait(lambda: company.settled(posts))


def replies(
    company: Company, task: str, cases: Sequence[data.Case], count: int, results: Results
) -> None:
    """From a post to its answer."""
    questions = itertools.cycle(cases)
    posts: list[Post] = []
    for _ in range(count):
        posts.append(company.ask(next(questions)))
        wait(lambda: company.settled(posts[-1:]))
    time.sleep(2)  # of a hand-over, staff may be told before the customer
    answered_at = {m["thread_ts"]: float(m["ts"]) for m in company.slack.by_bot(company.channel)}
    seconds = [answered_at[p["ts"]] - float(p["ts"]) for p in posts if p["ts"] in answered_at]
    for percent in (50, 95):
        value = 1_000 * float(np.percentile(seconds, percent))
        results.add(task, "deskmate", f"reply p{percent} ms", value, n=len(seconds))


def chaos(company: Company, cases: Sequence[data.Case], events: int, results: Results) -> None:
    """Everything at once that may go wrong."""
    slack, questions, dice = company.slack, itertools.cycle(cases), random.Random(5)
    disconnects = {events * (n + 1) // (DISCONNECTS + 1): n for n in range(DISCONNECTS)}
    kill_at = events // 2 + 7
    posts: list[Post] = []
    redelivered = 0
    process = company.start()
    for number in in_time(events, PER_SECOND):
        posts.append(company.ask(next(questions)))
        if dice.random() < REDELIVERED:
            known = [d for d in slack.deliveries.all[-200:] if d.acknowledged_at]
            if known:
                slack.redeliver(dice.choice(known))
                redelivered += 1
        if number in disconnects:
            slack.disconnect(warn=disconnects[number] != 1)
        if number % max(1, events // LIMITED) == 0:
            slack.fail("chat.postMessage", status=429, retry_after=1)
        if number == kill_at:
            process.kill()
            process.wait()
            process = company.start()
    wait(lambda: company.settled(posts))
    time.sleep(10)  # whatever would come twice comes now
    process.send_signal(signal.SIGTERM)
    process.wait()
    answers, notices = company.answers(), company.notices()
    lost = [p for p in posts if not answers[p["ts"]] and not notices[p["ts"]]]
    twice = [p for p in posts if answers[p["ts"]] > 1 or notices[p["ts"]] > 1]
    for metric, value in (
        ("messages", len(posts)),
        ("redelivered", redelivered),
        ("lost", len(lost)),
        ("answered twice", len(twice)),
        ("answered in the thread", sum(bool(answers[p["ts"]]) for p in posts)),
        ("staff told", sum(bool(notices[p["ts"]]) for p in posts)),
    ):
        results.add("chaos", "deskmate", metric, value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the events")
    share = parser.parse_args().share
    results = Results("slack", ["slack_bolt", "slack_sdk", "torch", "dbos"])
    cases = data.help_centre()
    texts = [case for case in cases if case.text and not case.screenshots]
    screens = [case for case in cases if case.screenshots]

    def some(count: int) -> int:
        return max(5, round(count * share))

    with tempfile.TemporaryDirectory() as folder, Slack() as slack:
        company = Company(Path(folder), slack)
        with company.running():
            replies(company, "reply/text", texts, some(REPLIES), results)
            replies(company, "reply/screenshot", screens, some(REPLIES), results)
            busy(company, texts, some(BUSY_EVENTS), results)
        chaos(company, texts, some(CHAOS_EVENTS), results)
    if share == 1:
        results.publish()
    else:
        for row in results.rows:
            print(f"{row.task:<18}{row.metric:<26}{row.value:>10,.1f}")


if __name__ == "__main__":
    main()
