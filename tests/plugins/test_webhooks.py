"""Webhooks, told to real HTTP servers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from assistant.errors import SettingsError
from assistant.plugging import Plugins
from plugins.webhooks import TOLD, Webhooks, delivering
from plugins.webhooks.signing import new_secret
from tests.api_desk import ApiDesk
from tests.channel_desk import eventually
from tests.plugins.receiver import Received, Receiver

SECRET = new_secret()
Start = Callable[..., ApiDesk]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts a desk with these endpoints, in a folder of this test's."""
    monkeypatch.setattr(delivering, "PAUSES_SECONDS", (0.1, 0.2, 0.3))
    monkeypatch.setattr(delivering, "LOOK_SECONDS", 0.05)
    with ExitStack() as stack:

        def run(endpoints: dict[str, Any], timeout_seconds: float = 5.0) -> ApiDesk:
            table = {"endpoints": endpoints, "timeout_seconds": timeout_seconds}
            desk = ApiDesk(
                tmp_path / "data",
                plugins={"webhooks": Webhooks},
                tables={"webhooks": table},
            )
            stack.enter_context(desk)
            eventually(lambda: desk.tickets.deliveries.counts() is not None)
            eventually(lambda: _known(desk) == set(endpoints))
            return desk

        yield run


def _known(desk: ApiDesk) -> set[str]:
    from sqlalchemy import text

    with desk.desk.engine.connect() as connection:
        return set(connection.scalars(text("SELECT endpoint FROM webhooks")))


def endpoint(receiver: Receiver, **more: Any) -> dict[str, Any]:
    return {"url": receiver.url, "secret": SECRET, **more}


def ask(desk: ApiDesk, text: str = "How do I pay?") -> int:
    """A customer's message; returns the ticket."""
    with desk.client() as client:
        ticket: int = client.post("/messages", json={"text": text}).json()["ticket"]
    return ticket


def test_what_happens_on_a_ticket_is_told_with_ids_and_without_words(
    start: Start, receiver: Receiver
) -> None:
    desk = start({"shop": endpoint(receiver)})

    ticket = ask(desk)
    desk.reply(ticket)
    desk.desk.solve(ticket, "kim")
    desk.tickets.hand_over(ticket, "kim")

    eventually(lambda: len(receiver.received) == 5)
    assert sorted(receiver.kinds()) == sorted(TOLD)
    assert {request.event["data"]["ticket"] for request in receiver.received} == {ticket}
    assert b"How do I pay" not in b"".join(request.body for request in receiver.received)


def test_the_reference_implementation_verifies_the_signature(
    start: Start, receiver: Receiver
) -> None:
    older = new_secret()
    desk = start({"shop": endpoint(receiver, secret=f"{SECRET}, {older}", events=["reply.sent"])})

    ask(desk)

    eventually(lambda: receiver.received)
    (request,) = receiver.received
    for secret in (SECRET, older):
        assert Webhook(secret).verify(request.body, request.headers)["type"] == "reply.sent"
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body + b" ", request.headers)


def test_an_endpoint_that_fails_is_told_again_under_the_same_id_until_it_takes_it(
    start: Start, receiver: Receiver
) -> None:
    receiver.behaves = lambda request: 500 if len(receiver.received) < 3 else 200
    desk = start({"shop": endpoint(receiver, events=["message.received"])})

    ask(desk)

    eventually(lambda: desk.tickets.deliveries.counts() == {("shop", "delivered"): 1})
    ids = [request.headers["webhook-id"] for request in receiver.received]
    pauses = [b.at - a.at for a, b in zip(receiver.received, receiver.received[1:], strict=False)]
    assert (len(ids), len(set(ids))) == (3, 1)
    assert pauses[0] >= 0.1
    assert pauses[1] >= 0.2


def test_an_endpoint_that_hangs_is_told_again_and_holds_up_no_other(
    start: Start, receiver: Receiver
) -> None:
    def hangs_once(request: Received) -> int:
        if len(receiver.received) == 1:
            time.sleep(3)
        return 200

    receiver.behaves = hangs_once
    with Receiver() as other:
        desk = start(
            {
                "slow": endpoint(receiver, events=["message.received"]),
                "well": endpoint(other, events=["message.received"]),
            },
            timeout_seconds=1.0,
        )

        ask(desk)
        began = time.monotonic()

        eventually(lambda: desk.tickets.deliveries.counts().get(("well", "delivered")))
        assert time.monotonic() - began < 1.0
        eventually(lambda: desk.tickets.deliveries.counts().get(("slow", "delivered")))
    assert len(receiver.received) == 2  # the first came late, which counts as not at all


def test_an_answer_that_is_late_but_in_time_is_one_delivery(
    start: Start, receiver: Receiver
) -> None:
    receiver.behaves = lambda request: time.sleep(1) or 202  # type: ignore[func-returns-value]
    desk = start({"shop": endpoint(receiver, events=["message.received"])})

    ask(desk)

    eventually(lambda: desk.tickets.deliveries.counts() == {("shop", "delivered"): 1})
    assert len(receiver.received) == 1


def test_what_is_given_up_can_be_sent_again(start: Start, receiver: Receiver) -> None:
    receiver.behaves = lambda request: 500
    desk = start({"shop": endpoint(receiver, events=["message.received"])})
    ask(desk)
    eventually(lambda: desk.tickets.deliveries.counts() == {("shop", "failed"): 1})
    assert len(receiver.received) == 4

    receiver.behaves = lambda request: 200
    desk.tickets.deliveries.retry("shop")

    eventually(lambda: desk.tickets.deliveries.counts() == {("shop", "delivered"): 1})


def test_an_endpoint_that_is_gone_is_not_asked_again(start: Start, receiver: Receiver) -> None:
    receiver.behaves = lambda request: 410
    desk = start({"shop": endpoint(receiver, events=["message.received"])})

    ask(desk)

    eventually(lambda: desk.tickets.deliveries.counts() == {("shop", "failed"): 1})
    assert len(receiver.received) == 1


def test_a_redirect_is_not_followed(start: Start, receiver: Receiver) -> None:
    with Receiver() as inner:
        receiver.behaves = lambda request: 307
        receiver.location = inner.url
        desk = start({"shop": endpoint(receiver, events=["message.received"])})

        ask(desk)

        eventually(lambda: desk.tickets.deliveries.counts() == {("shop", "failed"): 1})
        assert inner.received == []


def test_what_happens_while_nothing_runs_is_told_later_and_what_was_told_is_not_told_again(
    start: Start, receiver: Receiver, tmp_path: Path
) -> None:
    desk = start({"shop": endpoint(receiver, events=["message.received", "ticket.solved"])})
    ticket = ask(desk)
    eventually(lambda: receiver.kinds() == ["message.received"])
    desk.__exit__()

    with ApiDesk(tmp_path / "data") as without:  # webhooks are switched off for a while
        without.desk.solve(ticket, "kim")
    again = start({"shop": endpoint(receiver, events=["message.received", "ticket.solved"])})

    eventually(lambda: len(receiver.received) == 2)
    eventually(lambda: again.tickets.deliveries.counts() == {("shop", "delivered"): 2})
    assert receiver.kinds() == ["message.received", "ticket.solved"]


def test_a_new_endpoint_is_not_told_of_the_past(
    start: Start, receiver: Receiver, tmp_path: Path
) -> None:
    with ApiDesk(tmp_path / "data") as before:
        before.reply(ask(before))

    desk = start({"shop": endpoint(receiver, events=["message.received"])})
    ask(desk)

    eventually(lambda: desk.tickets.deliveries.counts() == {("shop", "delivered"): 1})
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"url": "ftp://x.example", "secret": SECRET}, "no http or https address"),
        ({"url": "https://a:b@x.example", "secret": SECRET}, "without a name and password"),
        ({"url": "https://x.example", "secret": "short"}, "deskmate webhooks secret"),
        ({"url": "https://x.example", "secret": SECRET, "events": ["all"]}, "message.received"),
    ],
)
def test_settings_that_cannot_be_are_refused_without_the_secret(
    table: dict[str, Any], words: str
) -> None:
    plugins = Plugins({"webhooks": {"endpoints": {"shop": table}}})

    with pytest.raises(SettingsError, match=words) as raised:
        plugins.register("webhooks", Webhooks)

    assert table["secret"] not in str(raised.value)
