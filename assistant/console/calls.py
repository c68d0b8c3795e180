"""One request, as a page sees it: who asks, what they sent, and the ways to answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from assistant.console import views
from assistant.console.access import Page, may
from assistant.console.scenes import Scenes
from assistant.console.security import form_token
from assistant.console.setup import Setup
from assistant.console.sign_on import SignOn
from assistant.console.tries import Tries
from assistant.console.work import Work
from assistant.errors import DeskmateError
from assistant.messages import Ticket
from assistant.settings import Console as ConsoleSettings
from assistant.tickets.people import Person
from assistant.tickets.repository import Tickets

if TYPE_CHECKING:
    from assistant.desk import Desk

SAID_COOKIE = "said"  # what the next page says once


@dataclass(frozen=True)
class Office:
    """What all pages work with. `address` is where people open the console, `phase` what the
    service is doing, `parts` how each of its parts is, `work` what goes on in the background,
    `tries` the playground's questions, `scenes` those of recordings, `navigation` the pages that
    have a title."""

    desk: Desk
    tickets: Tickets
    settings: ConsoleSettings
    address: str
    phase: Callable[[], str]
    parts: Callable[[], Sequence[Mapping[str, Any]]]
    setup: Setup
    sign_on: SignOn | None
    work: Work
    tries: Tries
    scenes: Scenes
    navigation: tuple[Page, ...]

    @property
    def tls(self) -> bool:
        """Whether browsers reach the console by HTTPS."""
        return self.address.startswith("https:")

    @property
    def cookie(self) -> str:
        """The session cookie's name; the prefix binds it to this host and HTTPS (3.3.1, 3.3.3)."""
        return "__Host-deskmate" if self.tls else "deskmate"

    def session(self, request: Request) -> tuple[Person, int] | None:
        """Who is logged in, and the number of the session; None if nobody is."""
        token = request.cookies.get(self.cookie, "")
        idle = timedelta(minutes=self.settings.idle_minutes)
        return self.tickets.log_ins.person(token, idle) if token else None

    def log_in(self, response: Response, person: Person, request: Request) -> None:
        """Begins a session; `response` brings its cookie."""
        hours = self.settings.session_hours
        address = request.client.host if request.client else ""
        browser = request.headers.get("user-agent", "")
        begin = self.tickets.log_ins.begin
        token = begin(person.id, address, browser, timedelta(hours=hours))
        self._set(response, self.cookie, token, max_age=int(3600 * hours))

    def log_out(self, response: Response) -> None:
        """Takes the session's cookie back."""
        self._set(response, self.cookie, "", max_age=0)

    def say(self, response: Response, words: str) -> None:
        """Lets the next page say something once."""
        self._set(response, SAID_COOKIE, quote(words), max_age=20)

    def _set(self, response: Response, name: str, value: str, max_age: int) -> None:
        response.set_cookie(
            name, value, max_age=max_age, httponly=True, samesite="lax", secure=self.tls
        )


@dataclass(frozen=True)
class Call:
    """A request that was found to be allowed. `form` holds what was sent, checked to come from a
    form of ours."""

    request: Request
    office: Office
    person: Person | None = None
    session_id: int = 0
    form: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tickets(self) -> Tickets:
        """The ticket database."""
        return self.office.tickets

    @property
    def who(self) -> str:
        """The name of the person who asks."""
        return self.someone.name

    @property
    def someone(self) -> Person:
        """The person who asks, on pages that nobody else may open."""
        if self.person is None:
            raise HTTPException(401)
        return self.person

    def number(self, name: str) -> int:
        """A number of the path."""
        return int(self.request.path_params[name])

    def asked(self, name: str) -> str:
        """What stands in the address after the question mark under this name, or nothing."""
        return self.request.query_params.get(name, "").strip()

    def text(self, name: str) -> str:
        """A field of the form, without space around it; nothing if it is missing."""
        value = self.form.get(name, "")
        return value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""

    def file(self, name: str) -> UploadFile | None:
        """A file of the form, or None."""
        value = self.form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    def ticket(self) -> Ticket:
        """The ticket that the path names. Raises HTTPException if there is none."""
        try:
            return self.tickets.ticket(self.number("ticket"))
        except DeskmateError as error:
            raise HTTPException(404, str(error)) from error

    def may(self, rule: Any) -> bool:
        """Whether the person may use what has this rule."""
        return may(self.person, rule)

    @property
    def partial(self) -> bool:
        """Whether a part of a page is asked for, and not all of it."""
        return "hx-request" in self.request.headers

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page, from its template."""
        token = self.request.cookies.get(self.office.cookie, "")
        said = unquote(self.request.cookies.get(SAID_COOKIE, ""))
        html = views.render(
            template,
            call=self,
            person=self.person,
            navigation=[page for page in self.office.navigation if self.may(page.allow)],
            path=self.request.url.path,
            form_token=form_token(token) if self.person else "",
            said=said if not self.partial else "",
            **values,
        )
        response = HTMLResponse(html, status)
        if said and not self.partial:
            response.delete_cookie(SAID_COOKIE)
        return response

    def go(self, path: str, said: str = "") -> Response:
        """Sends the browser to another page of ours, which may say something once."""
        response = RedirectResponse(path, 303)
        if said:
            self.office.say(response, said)
        return response
