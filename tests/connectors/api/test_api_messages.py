"""Messages in, answers out, on a real server."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import pytest

from assistant.errors import DatabaseError
from assistant.messages import Message, Outcome
from assistant.queues import Queues
from tests.api_desk import ApiDesk
from tests.channel_desk import eventually
from tests.pictures import png


def events(client: httpx.Client, ticket: int, until: str, **headers: str) -> list[dict[str, Any]]:
    """A ticket's events, up to the first of this kind."""
    found: list[dict[str, Any]] = []
    event: dict[str, Any] = {}
    with client.stream("GET", f"/tickets/{ticket}/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            field, _, value = line.partition(": ")
            if field in ("id", "event"):
                event[field] = value
            elif field == "data":
                found.append({**event, **json.loads(value)})
                if event["event"] == until:
                    return found
    raise AssertionError(f"the stream ended before {until}: {found}")


def test_a_message_is_stored_before_it_is_acknowledged(api: ApiDesk, backend: httpx.Client) -> None:
    answer = backend.post(
        "/messages", json={"text": "How do I pay?", "customer": "ann@example.com"}
    )

    accepted = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/tickets/{accepted['ticket']}/events"
    (stored,) = api.tickets.messages(accepted["ticket"])
    assert (stored.external_id, stored.text) == (accepted["message"], "How do I pay?")
    assert (stored.sender, stored.audience) == ("ann@example.com", "public")


def test_a_screenshot_comes_with_its_bytes(api: ApiDesk, backend: httpx.Client) -> None:
    picture = png("KT-4031")

    answer = backend.post(
        "/messages",
        data={"text": "What is this?"},
        files=[("files", ("screen.png", picture, "image/png")), ("files", ("b.png", picture))],
    )

    (stored,) = api.tickets.messages(answer.json()["ticket"])
    assert [file.filename for file in stored.attachments] == ["screen.png", "b.png"]
    assert stored.attachments[0].media_type == "image/png"
    assert stored.attachments[0].content == picture


def test_a_screenshot_needs_no_words(api: ApiDesk, backend: httpx.Client) -> None:
    answer = backend.post("/messages", files={"files": ("screen.png", png("KT"), "image/png")})

    assert answer.status_code == 202


def test_a_form_in_which_no_file_was_chosen_has_none(api: ApiDesk, backend: httpx.Client) -> None:
    part = "--x\r\nContent-Disposition: form-data; name="
    empty = f'{part}"files"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n'
    form = f'{part}"text"\r\n\r\nHello\r\n{empty}--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}

    accepted = backend.post("/messages", content=form, headers=headers)

    assert accepted.status_code == 202
    assert api.tickets.messages(accepted.json()["ticket"])[0].attachments == ()


def test_the_answer_is_seen_step_by_step_and_with_its_sources(
    api: ApiDesk, backend: httpx.Client
) -> None:
    ticket = backend.post("/messages", json={"text": "How?"}).json()["ticket"]

    seen = events(backend, ticket, until="reply.sent")

    assert [event["event"] for event in seen] == [
        "message.received",
        "answer.step",
        "answer.step",
        "outcome.stored",
        "reply.sent",
    ]
    assert [event["step"] for event in seen[1:3]] == ["search", "write"]
    assert seen[-1]["text"] == "You asked: How? [1]"
    assert seen[-1]["citations"][0]["title"] == "Download an invoice"


def test_a_stream_that_broke_goes_on_where_it_was(api: ApiDesk, backend: httpx.Client) -> None:
    ticket = backend.post("/messages", json={"text": "How?"}).json()["ticket"]
    first = events(backend, ticket, until="reply.sent")

    again = events(backend, ticket, until="reply.sent", **{"Last-Event-ID": first[2]["id"]})
    backend.post("/messages", json={"text": "And then?", "ticket": ticket})
    later = events(backend, ticket, until="reply.sent", **{"Last-Event-ID": first[-1]["id"]})

    assert again == first[3:]
    assert later[0]["event"] == "message.received"
    assert later[-1]["text"] == "You asked: And then? [1]"


def test_events_are_seen_that_another_process_stored(api: ApiDesk, backend: httpx.Client) -> None:
    from assistant.tickets.database import open_engine
    from assistant.tickets.repository import Tickets

    ticket = backend.post("/messages", json={"text": "How?"}).json()["ticket"]
    last = events(backend, ticket, until="reply.sent")[-1]["id"]
    engine = open_engine(str(api.desk.settings.resolved_database_url))

    Tickets(engine).hand_over(ticket, "Kim Berg")

    seen = events(backend, ticket, "ticket.handed_over", **{"Last-Event-ID": last})
    assert seen[-1]["by"] == "Kim Berg"
    engine.dispose()


def test_a_follow_up_is_of_the_same_conversation(api: ApiDesk, backend: httpx.Client) -> None:
    ticket = backend.post("/messages", json={"text": "One"}).json()["ticket"]
    api.reply(ticket)

    followed = backend.post("/messages", json={"text": "Two", "ticket": ticket}).json()

    assert (followed["ticket"], "token" in followed) == (ticket, False)
    assert api.reply(ticket, 2) == "You asked: Two [1]"
    said = backend.get(f"/tickets/{ticket}").json()["conversation"]
    assert [turn["text"] for turn in said][::2] == ["One", "Two"]


def test_who_wants_a_person_gets_one(api: ApiDesk, backend: httpx.Client) -> None:
    ticket = backend.post("/messages", json={"text": "One"}).json()["ticket"]
    asked: list[str] = []

    def answer(message: Message, *more: Any) -> Outcome:
        asked.append(message.text)
        return Outcome("hand over", "the customer wants a person", "A colleague will answer.")

    api.reply(ticket)
    api.answer = answer
    accepted = backend.post(f"/tickets/{ticket}/person", json={})

    assert accepted.status_code == 202
    assert api.reply(ticket, 2) == "A colleague will answer."
    assert asked == ["I would like to talk to a person."]
    assert backend.get(f"/tickets/{ticket}").json()["status"] == "handed over"


def test_a_thumb_is_kept_with_the_answer_it_is_about(api: ApiDesk, backend: httpx.Client) -> None:
    ticket = backend.post("/messages", json={"text": "One"}).json()["ticket"]
    api.reply(ticket)
    (outcome,) = backend.get(f"/tickets/{ticket}/outcomes").json()["items"]

    path = f"/tickets/{ticket}/feedback"
    done = backend.post(path, json={"helpful": True, "outcome": outcome["id"], "comment": "Good"})
    other = backend.post(path, json={"helpful": True, "outcome": 2**30})

    assert (done.status_code, other.status_code) == (204, 404)
    (kept,) = api.tickets.feedback.of_ticket(ticket)
    assert (kept.helpful, kept.comment, kept.outcome_id) == (True, "Good", outcome["id"])


def test_pages_follow_each_other_by_key_and_miss_nothing(
    api: ApiDesk, backend: httpx.Client
) -> None:
    made = [backend.post("/messages", json={"text": f"{n}"}).json()["ticket"] for n in range(5)]

    page = backend.get("/tickets", params={"limit": 2}).json()
    found = [ticket["id"] for ticket in page["items"]]
    backend.post("/messages", json={"text": "new meanwhile"})
    while "next" in page:
        page = backend.get(page["next"].removeprefix("/api")).json()
        found += [ticket["id"] for ticket in page["items"]]

    assert found == sorted(made, reverse=True)


def test_the_same_request_again_gets_the_same_answer_and_is_done_once(
    api: ApiDesk, backend: httpx.Client
) -> None:
    headers = {"Idempotency-Key": str(uuid.uuid4())}

    def post(picture: bytes) -> httpx.Response:
        files = {"files": ("screen.png", picture, "image/png")}
        return backend.post("/messages", data={"text": "How?"}, files=files, headers=headers)

    first, again = post(b"one"), post(b"one")  # each with a boundary of its own
    other = post(b"two")

    assert again.json() == first.json()
    assert (again.status_code, other.status_code) == (202, 422)
    assert len(api.tickets.messages(first.json()["ticket"])) == 1


def test_a_request_whose_process_died_is_done_again_under_the_same_names(
    api: ApiDesk, backend: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from assistant.tickets import idempotency

    headers = {"Idempotency-Key": str(uuid.uuid4())}
    with monkeypatch.context() as died:
        died.setattr(type(api.tickets.idempotency), "finish", lambda *ignored: None)
        first = backend.post("/messages", json={"text": "How?"}, headers=headers).json()
    at_once = backend.post("/messages", json={"text": "How?"}, headers=headers)
    monkeypatch.setattr(idempotency, "ABANDONED", timedelta(0))
    later = backend.post("/messages", json={"text": "How?"}, headers=headers).json()

    assert at_once.status_code == 409
    assert (later["ticket"], later["message"]) == (first["ticket"], first["message"])
    assert len(api.tickets.messages(first["ticket"])) == 1


def test_a_request_that_failed_half_done_is_done_again_under_the_same_names(
    api: ApiDesk, backend: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"Idempotency-Key": str(uuid.uuid4())}

    before = len(api.tickets.list())

    def full(*message: object) -> None:
        raise DatabaseError("the disk is full")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Queues, "enqueue_message", full)
        failed = backend.post("/messages", json={"text": "How?"}, headers=headers)
    again = backend.post("/messages", json={"text": "How?"}, headers=headers)

    assert (failed.status_code, again.status_code) == (503, 202)
    assert len(api.tickets.list()) == before + 1


def test_drafts_are_not_shown_before_a_person_sent_them(
    api: ApiDesk, backend: httpx.Client
) -> None:
    api.answer = lambda *asked: Outcome("draft", "not sure", "Maybe.")
    ticket = backend.post("/messages", json={"text": "How?"}).json()["ticket"]
    eventually(lambda: backend.get(f"/tickets/{ticket}").json()["status"] == "needs review")

    before = backend.get(f"/tickets/{ticket}").json()["conversation"]
    (outcome,) = api.tickets.outcomes.of_ticket(ticket)
    api.desk.approve(outcome.id, "kim", "Certainly.")

    seen = events(backend, ticket, until="reply.sent")
    assert [turn["author"] for turn in before] == ["customer"]
    assert (seen[-1]["text"], seen[-1]["author"]) == ("Certainly.", "staff")
