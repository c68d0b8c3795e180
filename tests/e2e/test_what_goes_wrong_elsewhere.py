"""Public complaints about known products, each told from the customer's first message to the end,
with the real pipeline and the real inbox, on a channel that records."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from assistant import inbox as inbox_module
from assistant.desk import Desk
from assistant.messages import Message, Notice, Outcome, TicketStatus
from assistant.model.encoder import MultimodalEncoder
from assistant.plugging import Plugins
from assistant.settings import Answering, Inbox, Policy, Settings
from tests.answering.chat_server import ChatServer
from tests.recording import StaffedConnector

QUESTION = "How do I download an invoice?"
PATIENCE_SECONDS = 60


@dataclass
class Company:
    """A desk at work, with one channel."""

    desk: Desk
    channel: StaffedConnector

    def write(self, name: str, text: str, **changes: Any) -> None:
        """A message comes in, and its outcome is waited for."""
        self.send(name, text, **changes)
        self.wait(lambda: self.desk.tickets.outcomes.of_message("email", name))

    def send(self, name: str, text: str, **changes: Any) -> None:
        message = Message("email", name, "t1", "kim@example.org", text)
        self.desk.inbox.accept(replace(message, **changes))

    def wait(self, holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, "it did not come to pass"
            time.sleep(0.02)

    def settle(self) -> None:
        """Waits until nothing is left to do."""
        tickets = self.desk.tickets
        self.wait(
            lambda: (
                all(r.state != "intended" for r in tickets.replies.of_ticket(1))
                and not tickets.notices.untold()
            )
        )

    @property
    def sent(self) -> list[str]:
        return self.channel.texts()

    @property
    def notices(self) -> list[Notice]:
        return self.channel.notices

    @property
    def status(self) -> TicketStatus:
        return self.desk.tickets.ticket(1).status


@pytest.fixture
def open_company(
    tmp_path: Path, data_dir: Path, encoder: MultimodalEncoder
) -> Iterator[Callable[..., Company]]:
    opened: list[Company] = []

    def open_(quiet_seconds: float = 0.0, **answering: Any) -> Company:
        channel = StaffedConnector(tmp_path / "sent.jsonl")
        settings = Settings(
            data_dir=data_dir,
            answering=Answering(**answering),
            policy=Policy(reply_at=0.5, draft_at=0.2),
            inbox=Inbox(quiet_seconds=quiet_seconds, worker_name="test"),
        )
        desk = Desk(settings, plugins=Plugins())
        desk.encoder = encoder
        desk.connectors = {"email": channel}
        desk.inbox.start()
        opened.append(Company(desk, channel))
        return opened[-1]

    yield open_
    for company in opened:
        company.desk.close()


@pytest.fixture
def company(open_company: Callable[..., Company]) -> Company:
    return open_company()


def test_staff_are_told_of_a_hand_over_and_the_customer_too(company: Company) -> None:
    company.write("m1", "Do you deliver pizza to Berlin?")
    company.settle()

    (notice,) = company.notices
    assert (notice.kind, notice.ticket.id) == ("hand over", 1)
    assert notice.question == "Do you deliver pizza to Berlin?"
    assert notice.reason
    assert "a person from our team takes over" in company.sent[0]


def test_staff_are_told_although_their_channel_is_down_at_first(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify, failures = company.channel.notify, iter([True, False])

    def down_at_first(notice: Notice) -> str:
        if next(failures):
            raise ConnectionError("no route to the staff channel")
        return notify(notice)

    monkeypatch.setattr(company.channel, "notify", down_at_first)
    monkeypatch.setattr("assistant.upkeep.OFTEN_SECONDS", 0.1)
    company.write("m1", "Do you deliver pizza to Berlin?")
    company.settle()

    assert [notice.kind for notice in company.notices] == ["hand over"]
    assert company.desk.tickets.notices.of_ticket(1)[0].attempts == 2


def test_a_customer_who_asked_for_a_person_never_gets_the_bot_again(company: Company) -> None:
    company.write("m1", QUESTION)
    company.write("m2", "That is not it. Can I talk to a human please?")
    company.write("m3", QUESTION)
    company.write("m4", "Thanks, that worked")
    company.settle()

    assert len(company.sent) == 2
    assert company.sent[1].startswith("Of course: a person")
    assert company.status == "handed over"
    assert [notice.kind for notice in company.notices] == ["hand over"] * 3

    company.desk.tickets.hand_back(1, "ana")
    company.write("m5", QUESTION)
    company.settle()

    assert len(company.sent) == 3
    assert "Billing" in company.sent[2]


def test_the_bot_does_not_talk_over_a_colleague_who_is_replying(company: Company) -> None:
    company.write("s1", "I am looking into it.", sender="ana", author="staff")
    company.write("m1", QUESTION)
    company.settle()

    assert company.sent == []
    ticket = company.desk.tickets.ticket(1)
    assert (ticket.status, ticket.owner) == ("handed over", "ana")
    assert [turn.author for turn in company.desk.tickets.conversation(1)] == ["staff", "customer"]
    assert [notice.reason for notice in company.notices] == ["ticket 1 is with ana"]


def test_a_colleague_who_replies_while_the_bot_writes_has_the_last_word(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, replied = threading.Event(), threading.Event()
    answer = company.desk.inbox._answer_message

    def slowly(*arguments: Any) -> Any:
        outcome = answer(*arguments)
        writing.set()
        replied.wait(20)
        return outcome

    monkeypatch.setattr(company.desk.inbox, "_answer_message", slowly)
    company.send("m1", QUESTION)
    writing.wait(20)
    company.send("s1", "Here it is: …", sender="ana", author="staff")
    replied.set()
    company.wait(lambda: company.desk.tickets.outcomes.of_message("email", "s1"))
    company.settle()

    assert company.sent == []
    first = company.desk.tickets.outcomes.of_message("email", "m1")
    assert first is not None
    assert first.outcome.action == "draft"
    assert first.outcome.reason.endswith("; meanwhile ticket 1 is with ana")


def test_a_colleague_who_replies_before_the_bot_has_sent_has_the_last_word(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company.desk.inbox, "send", lambda reply_id: None)
    company.write("m1", QUESTION)
    company.write("s1", "Here it is: …", sender="ana", author="staff")
    monkeypatch.undo()

    company.desk.inbox.send(company.desk.tickets.replies.of_ticket(1)[0].reply.id)
    company.settle()

    (reply,) = company.desk.tickets.replies.of_ticket(1)
    assert (reply.state, company.sent) == ("discarded", [])
    assert reply.error == "ana took the ticket over before it was sent"


def test_three_messages_in_ten_seconds_are_one_question(
    open_company: Callable[..., Company],
) -> None:
    company = open_company(quiet_seconds=Inbox().quiet_seconds)

    company.send("m1", "Hello")
    time.sleep(4.5)
    company.send("m2", QUESTION)
    time.sleep(4.5)
    company.write("m3", "It is for March")
    company.settle()

    assert len(company.sent) == len(company.desk.tickets.outcomes.of_ticket(1)) == 1


def test_a_model_that_fails_leaves_nobody_without_an_answer(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "ANSWER_PAUSES", (0.01, 0.01))

    def fail(*arguments: Any) -> Any:
        raise ConnectionError("the model's server is away")

    monkeypatch.setattr(company.desk.inbox, "_answer_message", fail)
    company.write("m1", QUESTION)
    company.settle()

    assert company.sent == ["Thank you for your message. A colleague will answer you."]
    (notice,) = company.notices
    assert notice.reason == "answering failed: ConnectionError: the model's server is away"


def test_a_chat_model_that_hangs_leaves_nobody_without_an_answer(
    open_company: Callable[..., Company], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "TRY_AGAIN_SECONDS", 0.0)
    chat, over = ChatServer(), threading.Event()
    chat.write = lambda told: str(over.wait())
    company = open_company(
        chat_model="openai:some-model",
        chat_model_options={"base_url": chat.url, "api_key": "none"},
        timeout_seconds=2.0,
    )

    company.write("m1", QUESTION)
    company.settle()
    over.set()
    chat.close()

    assert company.sent == ["Thank you for your message. A colleague will answer you."]
    (notice,) = company.notices
    assert "Answering took longer than 2 s, and was at the step 'write'" in notice.reason
    assert len(chat.told) == 1


def test_what_is_written_while_the_answer_is_made_is_answered_with_it(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go = threading.Event(), threading.Event()
    answer = company.desk.inbox._answer_message

    def slowly(*asked: Any) -> Outcome:
        begun.set()
        go.wait(PATIENCE_SECONDS)
        return answer(*asked)

    monkeypatch.setattr(company.desk.inbox, "_answer_message", slowly)
    company.send("m1", QUESTION)
    begun.wait(PATIENCE_SECONDS)
    company.send("m2", "It is for March")
    go.set()
    company.wait(lambda: company.desk.tickets.outcomes.of_message("email", "m1"))
    company.settle()

    assert len(company.sent) == len(company.desk.tickets.outcomes.of_ticket(1)) == 1


def test_a_confirmation_is_not_answered_and_solves_the_ticket(company: Company) -> None:
    company.write("m1", QUESTION)
    company.settle()
    company.write("m2", "Thanks, that worked")
    company.settle()

    assert len(company.sent) == 1
    ticket = company.desk.tickets.ticket(1)
    assert (ticket.status, ticket.solved_by) == ("solved", "assistant")


def test_thanks_with_another_problem_are_answered(company: Company) -> None:
    company.write("m1", QUESTION)
    company.settle()
    company.write("m2", "Thanks, that worked but now my files are not uploaded any more: KT-4031")
    company.settle()

    assert len(company.sent) + len(company.notices) == 2
    assert company.status != "solved"


def test_what_a_colleague_solved_is_the_colleagues(company: Company) -> None:
    company.write("m1", "Do you deliver pizza to Berlin?")
    company.write("s1", "We do, on Fridays.", sender="ana", author="staff")
    company.write("m2", "Great, that solved it, thank you!")
    company.settle()

    ticket = company.desk.tickets.ticket(1)
    assert (ticket.status, ticket.solved_by) == ("solved", "ana")
    assert len(company.notices) == 1
