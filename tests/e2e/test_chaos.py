"""All channels at once, while processes and servers die and connections break: the short form of
`make bench-load`. DESKMATE_TEST_SEED draws other troubles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.testing.mail import MailServer
from benchmarks import chaos
from benchmarks.company import Company
from tests.e2e.serve_process import DRAFTED, FOR_STAFF

QUESTIONS = (
    "How do I download an invoice?",
    "How do I reset my password?",
    "How many devices does the Team plan allow?",
    f"Do you deliver {FOR_STAFF}?",
    f"When do I get my {DRAFTED}?",
)


@pytest.fixture
def company(tmp_path: Path, server: MailServer) -> Iterator[Company]:
    url = f"sqlite:///{tmp_path / 'help-desk.sqlite'}"
    program = ["tests.e2e.serve_process"]
    with Company(tmp_path, server, url, program=program) as company:
        yield company


def test_every_message_has_one_answer_or_staff_are_told_once(company: Company) -> None:
    plan = chaos.Plan(
        seed=int(os.environ.get("DESKMATE_TEST_SEED", "7")),
        messages=60,
        per_second=4,
        troubles={
            "kill": 3,
            "imap": 1,
            "smtp": 1,
            "cut": 2,
            "clock": 3,
            "disconnect": 2,
            "limit": 3,
            "hang up": 2,
            "redeliver": 5,
        },
        away_seconds=1,
        patience_seconds=150,
        linger_seconds=3,
    )

    report = chaos.run(company, plan, QUESTIONS)

    print(report)
    assert not report.wrong, report
    assert not report.lost, report
    assert not report.twice, report
    assert report.answered > plan.messages / 2, report
