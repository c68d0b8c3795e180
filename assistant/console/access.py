"""Who may open what. A page cannot be added without saying so: `allow` has no default.

pages = Pages()

@pages.get("/audit", allow="lead", title="Audit log")
def audit_log(call: Call) -> Response: ...
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from starlette.responses import Response

from assistant.tickets.people import Person, Role

if TYPE_CHECKING:
    from assistant.console.calls import Call

ROLES: tuple[Role, ...] = ("viewer", "agent", "lead", "admin")
"""Each may do what the ones before it may.

viewer  sees tickets, articles, and how well the assistant does
agent   answers, discards, hands over, solves, tries questions out
lead    sees the audit log, sets thresholds, brings articles up to date
admin   says who else may do what
"""

Rule = Literal["anyone", "viewer", "agent", "lead", "admin"]
"""The least role that may open a page; `anyone` need not be logged in."""


Answer = Callable[["Call"], Response]
Stream = Callable[["Call"], AsyncIterator[str]]


@dataclass(frozen=True)
class Page:
    """A path, who may use it, and what answers. `title` puts it into the navigation."""

    method: Literal["GET", "POST", "STREAM"]
    path: str
    allow: Rule
    answer: Answer | Stream
    title: str = ""


class Pages:
    """A group of pages."""

    def __init__(self) -> None:
        self.all: list[Page] = []

    def get(self, path: str, *, allow: Rule, title: str = "") -> Callable[[Answer], Answer]:
        """A page that shows something and changes nothing. It runs in a thread."""

        def add(answer: Answer) -> Answer:
            self.all.append(Page("GET", path, allow, answer, title))
            return answer

        return add

    def post(self, path: str, *, allow: Rule) -> Callable[[Answer], Answer]:
        """What a form is sent to. It runs in a thread, after the form was checked to be ours."""

        def add(answer: Answer) -> Answer:
            self.all.append(Page("POST", path, allow, answer))
            return answer

        return add

    def stream(self, path: str, *, allow: Rule) -> Callable[[Stream], Stream]:
        """A stream of server-sent events, for as long as somebody listens."""

        def add(answer: Stream) -> Stream:
            self.all.append(Page("STREAM", path, allow, answer))
            return answer

        return add


def may(person: Person | None, rule: Rule) -> bool:
    """Whether somebody, or nobody in particular, may use what has this rule."""
    if rule == "anyone":
        return True
    return person is not None and ROLES.index(person.role) >= ROLES.index(rule)
