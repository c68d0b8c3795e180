"""Coming in: the first administrator, log-in and log-out, one's own password and sessions."""

from __future__ import annotations

import re
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.responses import Response

from assistant.console import passwords
from assistant.console.access import Pages
from assistant.console.calls import Call
from assistant.errors import DeskmateError

FAILURES_WITHIN = timedelta(minutes=15)
PER_NAME, PER_ADDRESS = 10, 50
"""So many failed log-ins within that time; then the next ones are refused without a look."""

NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,79}")

pages = Pages()


@pages.get("/setup/{secret}", allow="anyone")
def setup(call: Call) -> Response:
    """The page that the link of a new desk leads to."""
    _require_secret(call)
    return call.show("setup.html", problem="", name="")


@pages.post("/setup/{secret}", allow="anyone")
def create_first(call: Call) -> Response:
    """Creates the first administrator, who is then logged in."""
    _require_secret(call)
    try:
        name = checked_name(call.text("name"))
        password = passwords.hashed(str(call.form.get("password", "")), name)
        person = call.tickets.people.add(name, "admin", name, password=password, first=True)
    except DeskmateError as error:
        return call.show("setup.html", 400, problem=str(error), name=call.text("name"))
    response = call.go("/", f"Welcome, {person.name}. This is the inbox.")
    call.office.log_in(response, person, call.request)
    call.tickets.audit.note(person.name, "log in", "first administrator")
    return response


@pages.get("/log-in", allow="anyone")
def log_in_page(call: Call) -> Response:
    """The form to log in with."""
    if call.person:
        return call.go("/")
    return _log_in_form(call)


@pages.post("/log-in", allow="anyone")
def log_in(call: Call) -> Response:
    """Checks name and password."""
    name, password = call.text("name").lower()[:200], str(call.form.get("password", ""))
    address = call.request.client.host if call.request.client else ""
    of_name, of_address = call.tickets.log_ins.failures(name, address, FAILURES_WITHIN)
    if of_name >= PER_NAME or of_address >= PER_ADDRESS:
        minutes = FAILURES_WITHIN.seconds // 60
        words = f"Too many failed log-ins. Wait {minutes} minutes, or ask an administrator."
        response = _log_in_form(call, words, 429)
        response.headers["Retry-After"] = str(FAILURES_WITHIN.seconds)
        return response
    person = call.tickets.people.find(name)
    stored = call.tickets.people.password(person.id) if person else None
    right = passwords.right(password, stored)
    if person is None or not right or person.disabled_at:
        call.tickets.log_ins.note_failure(name, address, FAILURES_WITHIN)
        call.tickets.audit.note(name, "fail to log in", f"from {address}")
        return _log_in_form(call, "Name or password is wrong.", 401)
    call.tickets.log_ins.forgive(name)
    call.tickets.audit.note(person.name, "log in", f"from {address}")
    response = call.go(_own_path(call.text("next")))
    call.office.log_in(response, person, call.request)
    return response


@pages.post("/log-out", allow="viewer")
def log_out(call: Call) -> Response:
    """Ends this session."""
    call.tickets.log_ins.end(call.someone.id, call.session_id)
    response = call.go("/log-in", "You are logged out.")
    call.office.log_out(response)
    return response


@pages.get("/account", allow="viewer", title="Your account")
def account(call: Call) -> Response:
    """One's own password, and where one is logged in."""
    return _account(call)


@pages.post("/account/password", allow="viewer")
def change_password(call: Call) -> Response:
    """Changes one's own password; every other session of the person ends (7.4.3)."""
    someone, people = call.someone, call.tickets.people
    if not passwords.right(str(call.form.get("old", "")), people.password(someone.id)):
        return _account(call, "The present password is not right.", 400)
    try:
        password = passwords.hashed(str(call.form.get("new", "")), someone.name)
    except DeskmateError as error:
        return _account(call, str(error), 400)
    people.set_password(someone.id, password, someone.name)
    call.tickets.log_ins.end(someone.id, but=call.session_id)
    return call.go("/account", "Your password is changed. Other browsers are logged out.")


@pages.post("/account/sessions/{session:int}/end", allow="viewer")
def end_session(call: Call) -> Response:
    """Logs another browser of the same person out."""
    call.tickets.log_ins.end(call.someone.id, call.number("session"))
    return call.go("/account", "That browser is logged out.")


def checked_name(name: str) -> str:
    """A name to log in with. Raises DeskmateError if it cannot be one."""
    name = name.strip().lower()
    if not NAME.fullmatch(name):
        raise DeskmateError(
            f"{name!r} cannot be a name: it is up to 80 letters, digits and . _ @ + -"
        )
    return name


def _require_secret(call: Call) -> None:
    if not call.office.setup.admits(call.request.path_params["secret"]):
        raise HTTPException(404, "This link was used, or belongs to an earlier start.")


def _log_in_form(call: Call, problem: str = "", status: int = 200) -> Response:
    return call.show(
        "log_in.html",
        status,
        problem=problem,
        name=call.text("name"),
        next=call.text("next") or call.asked("next"),
        nobody_yet=not call.tickets.people.any(),
        single_sign_on=bool(call.office.settings.single_sign_on.issuer),
    )


def _account(call: Call, problem: str = "", status: int = 200) -> Response:
    return call.show(
        "account.html",
        status,
        problem=problem,
        log_ins=call.tickets.log_ins.of_person(call.someone.id),
    )


def _own_path(path: str) -> str:
    """A path of ours to go on to; never another site, whatever the address said (3.7.2)."""
    return path if re.fullmatch(r"/(?![/\\])[\w/.-]*", path) else "/"
