"""Who may do what: keys, scopes, tokens, web pages, limits; and how refusals look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from assistant.errors import DeskmateError
from assistant.messages import Message
from connectors.api.limits import Limits
from tests.api_desk import EVERYTHING, ApiDesk

SHOP = "https://shop.example"


@pytest.fixture
def page(api: ApiDesk) -> Iterator[httpx.Client]:
    """A web page with a chat widget in it."""
    key = api.key("messages:write", origins=[SHOP])
    with api.client(key, Origin=SHOP) as client:
        yield client


def begin(client: httpx.Client, text: str = "How?", **more: Any) -> dict[str, Any]:
    """Begins a conversation."""
    accepted: dict[str, Any] = client.post("/messages", json={"text": text, **more}).json()
    return accepted


@pytest.mark.parametrize(
    ("scope", "method", "path", "body"),
    [
        ("messages:write", "POST", "/messages", {"text": "x"}),
        ("messages:write", "POST", "/tickets/{ticket}/person", {}),
        ("tickets:read", "GET", "/tickets", None),
        ("tickets:read", "GET", "/tickets/{ticket}", None),
        ("tickets:read", "GET", "/tickets/{ticket}/events", None),
        ("tickets:read", "GET", "/tickets/{ticket}/outcomes", None),
        ("knowledge:read", "GET", "/passages?q=x", None),
        ("feedback:write", "POST", "/tickets/{ticket}/feedback", {"helpful": True}),
    ],
)
def test_each_operation_needs_its_scope(
    api: ApiDesk, backend: httpx.Client, scope: str, method: str, path: str, body: Any
) -> None:
    ticket = begin(backend)["ticket"]
    others = api.key(*(set(EVERYTHING) - {scope}))

    with api.client(others) as client:
        refused = client.request(method, path.format(ticket=ticket), json=body)

    assert refused.status_code == 403
    assert refused.headers["www-authenticate"].endswith(f'scope="{scope}"')


@pytest.mark.parametrize("header", ["", "Basic eDp5", "Bearer", "Bearer dk_1_2", "Bearer dt_x_y"])
def test_without_a_good_key_nothing_is_told(api: ApiDesk, header: str) -> None:
    answer = httpx.get(f"{api.url}/api/tickets", headers={"Authorization": header})

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_keys_are_kept_as_hashes_and_a_revoked_one_opens_nothing(
    api: ApiDesk, backend: httpx.Client
) -> None:
    once = {"Idempotency-Key": "a-name-for-this-request"}
    accepted = backend.post("/messages", json={"text": "How?"}, headers=once).json()
    again = backend.post("/messages", json={"text": "How?"}, headers=once).json()
    key = backend.headers["Authorization"].removeprefix("Bearer ")
    database = (api.desk.settings.data_dir / "deskmate.sqlite").read_bytes()
    database += (api.desk.settings.data_dir / "deskmate.sqlite-wal").read_bytes()

    api.tickets.api_keys.revoke(key.split("_")[1])

    assert again == accepted
    assert key.encode() not in database
    assert accepted["token"].encode() not in database
    assert backend.get("/tickets").status_code == 401
    with api.client(accepted["token"]) as customer:
        assert customer.get(f"/tickets/{accepted['ticket']}").status_code == 401


def test_a_key_sees_its_own_conversations_unless_it_may_see_all(
    api: ApiDesk, backend: httpx.Client
) -> None:
    own = begin(backend)["ticket"]
    mail = api.tickets.store_message(Message("email", "m1", "t1", "ann@example.com", "Hi")).id

    with api.client() as other, api.client(api.key(*EVERYTHING, "tickets:all")) as lead:
        assert other.get(f"/tickets/{own}").status_code == 404
        assert other.get("/tickets").json() == {"items": []}
        assert {own, mail} <= {ticket["id"] for ticket in lead.get("/tickets").json()["items"]}
        into_mail = lead.post("/messages", json={"text": "x", "ticket": mail})
    assert into_mail.status_code == 409


def test_a_visitor_sees_the_own_conversation_only(api: ApiDesk, page: httpx.Client) -> None:
    mine, other = begin(page), begin(page)
    api.reply(mine["ticket"])

    with api.client(mine["token"], Origin=SHOP) as visitor:
        seen = visitor.get(f"/tickets/{mine['ticket']}")
        followed = visitor.post("/messages", json={"text": "And then?"})
        refused = [
            visitor.get(f"/tickets/{other['ticket']}"),
            visitor.get(f"/tickets/{other['ticket']}/events"),
            visitor.post(f"/tickets/{other['ticket']}/feedback", json={"helpful": True}),
            visitor.post("/messages", json={"text": "x", "ticket": other["ticket"]}),
            visitor.get("/tickets"),
            visitor.get(f"/tickets/{mine['ticket']}/outcomes"),
            visitor.get("/passages?q=x"),
        ]

    assert seen.json()["conversation"][1]["text"] == "You asked: How? [1]"
    assert followed.json()["ticket"] == mine["ticket"]
    assert [answer.status_code for answer in refused] == [404, 404, 404, 404, 403, 403, 403]


def test_a_key_in_a_page_brings_messages_and_no_more(api: ApiDesk, page: httpx.Client) -> None:
    ticket = begin(page)["ticket"]

    assert page.get(f"/tickets/{ticket}").status_code == 403
    assert page.post("/messages", json={"text": "x", "ticket": ticket}).status_code == 404
    claimed = page.post("/messages", json={"text": "x", "customer": "ann@example.com"})
    assert claimed.status_code == 403  # or anybody could ask for Ann's orders


def test_a_customer_is_told_no_reasons_and_no_names_of_staff(
    api: ApiDesk, page: httpx.Client
) -> None:
    accepted = begin(page)
    api.reply(accepted["ticket"])
    api.tickets.hand_over(accepted["ticket"], "Kim Berg")

    with api.client(accepted["token"], Origin=SHOP) as visitor:
        told = visitor.get(f"/tickets/{accepted['ticket']}").text
        with visitor.stream("GET", f"/tickets/{accepted['ticket']}/events") as stream:
            for line in stream.iter_lines():
                told += line
                if "handed_over" in told and line.startswith("data"):
                    break

    assert "Kim Berg" not in told
    assert "the article says so" not in told


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": ["tickets:read"], "origins": [SHOP]},
        {"scopes": ["messages:write"], "origins": [SHOP], "audience": "internal"},
        {"scopes": ["messages:write"], "origins": [f"{SHOP}/page"]},
        {"scopes": ["everything"]},
    ],
)
def test_a_key_that_would_open_too_much_is_not_made(api: ApiDesk, wrong: dict[str, Any]) -> None:
    with pytest.raises(DeskmateError):
        api.tickets.api_keys.create("wrong", **wrong)


def test_only_the_pages_of_the_key_may_use_it(api: ApiDesk, page: httpx.Client) -> None:
    ask = {"Access-Control-Request-Method": "POST"}
    allowed = httpx.options(f"{api.url}/api/messages", headers={"Origin": SHOP, **ask})
    refused = httpx.options(
        f"{api.url}/api/messages", headers={"Origin": "https://evil.example", **ask}
    )
    own = page.post("/messages", json={"text": "x"})
    wrong = page.post("/messages", json={}, headers={"Origin": SHOP})
    evil = page.post("/messages", json={"text": "x"}, headers={"Origin": "https://evil.example"})

    assert (allowed.status_code, refused.status_code) == (204, 403)
    assert allowed.headers["access-control-allow-origin"] == SHOP
    assert own.headers["access-control-allow-origin"] == SHOP
    assert wrong.headers["access-control-allow-origin"] == SHOP  # a page can read why
    assert (evil.status_code, "access-control-allow-origin" in evil.headers) == (403, False)


def test_who_asks_too_often_is_told_when_to_come_back(api: ApiDesk) -> None:
    with api.client(api.key("tickets:read", per_minute=3)) as client:
        answers = [client.get("/tickets") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"minute";q=3;w=60'
    assert answers[2].headers["ratelimit"].startswith('"minute";r=0;t=')
    assert 1 <= int(answers[3].headers["retry-after"]) <= 20


def test_a_minute_is_given_back_part_by_part() -> None:
    now = 0.0
    limits = Limits(clock=lambda: now)

    at_once = [limits.take("ann", 6).retry_after for _ in range(8)]
    other = limits.take("bob", 6).retry_after
    now = 10.0
    later = [limits.take("ann", 6).retry_after for _ in range(2)]

    assert at_once == [0, 0, 0, 0, 0, 0, 10, 10]
    assert other == 0
    assert later == [0, 10]


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/nothing", {}, 404),
        ("GET", "/tickets/4294967296", {}, 404),
        ("DELETE", "/messages", {}, 405),
        ("POST", "/messages", {"content": b"x" * 1_000_001}, 413),
        ("POST", "/messages", {"files": {"files": b"x" * 1_000_001}}, 413),
        ("POST", "/messages", {"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415),
        ("POST", "/messages", {"json": {"text": " "}}, 422),
        ("POST", "/messages", {"json": {"text": "x", "color": "red"}}, 422),
        ("POST", "/messages", {"files": {"picture": b"x"}}, 422),
        ("POST", "/messages", {"files": [("files", b"x")] * 11}, 422),
        ("POST", "/messages", {"json": {"text": "x"}, "headers": {"Idempotency-Key": "1"}}, 422),
        ("GET", "/tickets?limit=0", {}, 422),
        ("GET", "/passages", {}, 422),
    ],
)
def test_every_refusal_is_problem_json(
    api: ApiDesk, backend: httpx.Client, method: str, path: str, sent: dict[str, Any], status: int
) -> None:
    if isinstance(sent.get("content"), bytes) and "headers" not in sent:
        sent = {**sent, "headers": {"Content-Type": "application/json"}}

    answer = backend.request(method, path, **sent)

    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"]


def test_a_body_is_refused_where_its_length_is_not_told(
    api: ApiDesk, backend: httpx.Client
) -> None:
    headers = {"Content-Type": "application/json"}

    answer = backend.post("/messages", content=iter([b"x" * 600_000] * 3), headers=headers)

    assert answer.status_code == 413


def test_a_fault_of_ours_is_a_problem_without_details(
    api: ApiDesk, backend: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*asked: Any, **more: Any) -> Any:
        raise RuntimeError("ann@example.com wrote something")

    monkeypatch.setattr(type(api.desk), "search", fails)

    answer = backend.get("/passages?q=x")

    assert (answer.status_code, "ann" in answer.text) == (500, False)
    assert answer.headers["content-type"] == "application/problem+json"


def test_until_the_desk_is_ready_everything_is_to_come_again(
    api: ApiDesk, backend: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "phase", "loading")

    answer = backend.post("/messages", json={"text": "x"})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert answer.headers["content-type"] == "application/problem+json"
