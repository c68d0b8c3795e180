"""Single sign-on, through a real provider on loopback."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from tests.console.identity_provider import CLIENT, SECRET, Provider
from tests.console.visitor import Visitor
from tests.console_desk import ConsoleDesk


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(sub="u-1", preferred_username="Kim", name="Kim Ito") as provider:
        yield provider


@pytest.fixture
def opened(tmp_path: Path, provider: Provider) -> Iterator[Callable[..., ConsoleDesk]]:
    """Opens a console that trusts the provider."""
    desks: list[ConsoleDesk] = []

    def open_console(**more: Any) -> ConsoleDesk:
        single = {"issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET, **more}
        desks.append(ConsoleDesk(tmp_path / "data", console={"single_sign_on": single}))
        return desks[-1]

    yield open_console
    for desk in desks:
        desk.__exit__()


def come(desk: ConsoleDesk) -> tuple[Visitor, httpx.Response]:
    """Somebody presses the button; the last answer on the way."""
    visitor = Visitor(desk.address)
    to_provider = visitor.get("/single-sign-on").headers["location"]
    back = httpx.get(to_provider).headers["location"]
    return visitor, visitor.get(back)


def test_whom_an_administrator_added_comes_in(opened: Callable[..., ConsoleDesk]) -> None:
    desk = opened()
    desk.tickets.people.add("kim", "lead", "chief")

    for _ in range(2):  # then by name, now by subject
        visitor, answer = come(desk)
        assert answer.headers["location"] == "/"
        assert visitor.get("/audit").status_code == 200


def test_nobody_else_comes_in(opened: Callable[..., ConsoleDesk]) -> None:
    visitor, answer = come(opened())

    assert answer.status_code == 403
    assert "Ask an administrator" in answer.text
    assert visitor.get("/").status_code == 303


def test_an_account_with_a_password_is_not_taken_over(opened: Callable[..., ConsoleDesk]) -> None:
    desk = opened(new_people="agent")
    desk.add("kim", "admin")

    _, answer = come(desk)

    assert answer.status_code == 403


def test_settings_may_let_new_people_in(opened: Callable[..., ConsoleDesk]) -> None:
    desk = opened(new_people="viewer")

    visitor, _ = come(desk)

    kim = desk.tickets.people.find("kim")
    assert kim
    assert (kim.role, kim.full_name, kim.has_password) == ("viewer", "Kim Ito", False)
    assert visitor.get("/").status_code == 200


@pytest.mark.parametrize(
    "forged",
    [
        {"iss": "https://evil.example"},
        {"aud": "another client"},
        {"exp": int(time.time()) - 3600},
        {"nonce": "of another log-in"},
    ],
    ids=lambda forged: next(iter(forged)),
)
def test_asvs_10_5_a_token_that_is_not_for_this_log_in_is_refused(
    forged: dict[str, Any], provider: Provider, opened: Callable[..., ConsoleDesk]
) -> None:
    provider.forged = forged

    visitor, answer = come(opened(new_people="agent"))

    assert answer.status_code == 409
    assert "Single sign-on failed" in answer.text
    assert visitor.get("/").status_code == 303


def test_asvs_10_5_a_token_signed_by_somebody_else_is_refused(
    provider: Provider, opened: Callable[..., ConsoleDesk]
) -> None:
    provider.key = RSAKey.generate_key(2048, {"kid": "k1", "alg": "RS256"})

    assert come(opened(new_people="agent"))[1].status_code == 409


def test_asvs_10_2_1_what_another_browser_began_does_not_end_here(
    opened: Callable[..., ConsoleDesk],
) -> None:
    desk = opened(new_people="agent")
    began, elsewhere = Visitor(desk.address), Visitor(desk.address)
    back = httpx.get(began.get("/single-sign-on").headers["location"]).headers["location"]

    assert elsewhere.get(back).status_code == 409
    elsewhere.get("/single-sign-on")
    assert elsewhere.get(back).status_code == 409
