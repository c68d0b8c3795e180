"""Who may open what: every page against every role."""

from __future__ import annotations

import re

import pytest

from assistant.console.access import ROLES, Page, Pages, may
from assistant.console.app import every_page
from tests.console.visitor import Visitor
from tests.console_desk import ConsoleDesk

RULES = {
    "GET /": "viewer",
    "STREAM /live": "viewer",
    "GET /tickets/{ticket:int}": "viewer",
    "GET /tickets/{ticket:int}/now": "viewer",
    "STREAM /tickets/{ticket:int}/live": "viewer",
    "GET /tickets/{ticket:int}/around": "viewer",
    "POST /tickets/{ticket:int}/difference": "agent",
    "POST /tickets/{ticket:int}/send": "agent",
    "POST /tickets/{ticket:int}/discard": "agent",
    "POST /tickets/{ticket:int}/hand-over": "agent",
    "POST /tickets/{ticket:int}/hand-back": "agent",
    "POST /tickets/{ticket:int}/solve": "agent",
    "POST /tickets/{ticket:int}/assign": "agent",
    "POST /tickets/{ticket:int}/notes": "agent",
    "POST /tickets/{ticket:int}/ask": "agent",
    "GET /files/{message:int}/{position:int}": "viewer",
    "GET /files/{message:int}/{position:int}/scenes/{scene:int}": "viewer",
    "GET /knowledge": "viewer",
    "GET /knowledge/article": "viewer",
    "GET /knowledge/changes": "viewer",
    "GET /knowledge/work": "viewer",
    "STREAM /knowledge/live": "viewer",
    "POST /knowledge/index": "lead",
    "GET /knowledge/try": "agent",
    "POST /knowledge/try": "agent",
    "GET /knowledge/tries/{number:int}/{position:int}": "agent",
    "GET /knowledge/gaps": "viewer",
    "POST /knowledge/gaps": "agent",
    "GET /knowledge/overlaps": "viewer",
    "POST /knowledge/overlaps": "agent",
    "GET /quality": "viewer",
    "GET /quality/cost": "viewer",
    "GET /quality/trust": "viewer",
    "GET /quality/preview": "viewer",
    "POST /quality/thresholds": "lead",
    "POST /quality/thresholds/forget": "lead",
    "GET /approvals": "agent",
    "POST /approvals/{tool_call:int}/approve": "agent",
    "POST /approvals/{tool_call:int}/refuse": "agent",
    "GET /plugins": "lead",
    "GET /plugins/{plugin}": "lead",
    "POST /plugins/{plugin}/look": "admin",
    "POST /plugins/{plugin}/enable": "admin",
    "POST /plugins/{plugin}/disable": "admin",
    "POST /plugins/{plugin}/settings": "admin",
    "GET /connectors": "lead",
    "GET /connectors/{connector:path}/settings": "lead",
    "POST /connectors/{connector:path}/settings": "admin",
    "POST /connectors/{connector:path}/test": "admin",
    "GET /audit": "lead",
    "GET /privacy": "admin",
    "POST /privacy": "admin",
    "POST /privacy/export": "admin",
    "POST /privacy/erase": "admin",
    "GET /api-keys": "admin",
    "POST /api-keys": "admin",
    "POST /api-keys/{key}/revoke": "admin",
    "GET /settings": "admin",
    "POST /settings/{setting}": "admin",
    "GET /users": "admin",
    "POST /users": "admin",
    "POST /users/{person:int}/role": "admin",
    "POST /users/{person:int}/password": "admin",
    "POST /users/{person:int}/disable": "admin",
    "POST /users/{person:int}/enable": "admin",
    "GET /setup/{secret}": "anyone",
    "POST /setup/{secret}": "anyone",
    "GET /single-sign-on": "anyone",
    "GET /single-sign-on/back": "anyone",
    "GET /log-in": "anyone",
    "POST /log-in": "anyone",
    "POST /log-out": "viewer",
    "GET /account": "viewer",
    "POST /account/password": "viewer",
    "POST /account/sessions/{session:int}/end": "viewer",
}
"""Who may, told a second time: a page that is added, or whose rule is changed, must be here too."""


def named(page: Page) -> str:
    return f"{page.method} {page.path}"


def concrete(page: Page) -> str:
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda m: "999" if m[2] == ":int" else "nothing", page.path)


def test_asvs_8_2_1_every_page_has_the_rule_that_stands_here() -> None:
    assert {named(page): page.allow for page in every_page()} == RULES


def test_a_page_without_a_rule_cannot_be_added() -> None:
    with pytest.raises(TypeError, match="allow"):
        Pages().get("/secrets")  # type: ignore[call-arg]


def test_roles_include_those_below_them() -> None:
    assert not may(None, "viewer")
    assert may(None, "anyone")


@pytest.mark.parametrize("role", [None, *ROLES])
def test_asvs_8_3_1_every_page_refuses_who_may_not(
    role: str | None, office: ConsoleDesk, visitor: Visitor
) -> None:
    office.add("chief", "admin")
    if role:
        office.add("kim", role)  # type: ignore[arg-type]
        visitor.log_in("kim")
    order = ["anyone", *ROLES]
    rank = order.index(role or "anyone")

    for page in every_page():
        if page.path == "/log-out" or page.method == "STREAM":
            continue
        get = page.method == "GET"
        answer = visitor.get(concrete(page)) if get else visitor.submit(concrete(page))
        refused = answer.status_code in (401, 403) or (
            answer.status_code == 303 and answer.headers["location"].startswith("/log-in?")
        )
        allowed = rank >= order.index(page.allow)
        if page.path == "/log-in" and page.method == "POST":
            assert answer.status_code == 401  # an empty form logs nobody in
        elif answer.headers.get("location", "") == "/log-in":
            assert not allowed
        else:
            assert refused != allowed, f"{named(page)} as {role}: {answer.status_code}"


def test_streams_refuse_who_is_not_logged_in(office: ConsoleDesk, visitor: Visitor) -> None:
    accept = {"accept": "text/event-stream"}

    assert visitor.get("/live", headers=accept).status_code == 401
    assert visitor.get("/tickets/1/live", headers=accept).status_code == 401
