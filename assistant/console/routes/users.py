"""Who may use the console, and as what."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from assistant.console import passwords
from assistant.console.access import ROLES, Pages
from assistant.console.calls import Call
from assistant.console.routes.account import checked_name
from assistant.errors import DeskmateError
from assistant.tickets.people import Person, Role

pages = Pages()


@pages.get("/users", allow="admin", title="Users")
def users(call: Call) -> Response:
    """Everybody, with a form for somebody new."""
    return _users(call)


@pages.post("/users", allow="admin")
def add_user(call: Call) -> Response:
    """Adds somebody; without a password they can come by single sign-on only."""
    try:
        name = checked_name(call.text("name"))
        given = str(call.form.get("password", ""))
        password = passwords.hashed(given, name) if given else None
        full_name = call.text("full_name")[:200]
        role = _role(call)
        call.tickets.people.add(name, role, call.who, full_name=full_name, password=password)
    except DeskmateError as error:
        return _users(call, str(error), 400)
    return call.go("/users", f"{name} may log in now.")


@pages.post("/users/{person:int}/role", allow="admin")
def change_role(call: Call) -> Response:
    """Gives somebody another role."""
    person = _person(call)
    call.tickets.people.set_role(person.id, _role(call), call.who)
    return call.go("/users", f"{person.name} has another role now.")


@pages.post("/users/{person:int}/password", allow="admin")
def reset_password(call: Call) -> Response:
    """Gives somebody a new password; all their sessions end."""
    person = _person(call)
    try:
        password = passwords.hashed(str(call.form.get("password", "")), person.name)
    except DeskmateError as error:
        return _users(call, str(error), 400)
    call.tickets.people.set_password(person.id, password, call.who)
    call.tickets.log_ins.end(person.id)
    return call.go("/users", f"{person.name} has a new password.")


@pages.post("/users/{person:int}/disable", allow="admin")
def disable(call: Call) -> Response:
    """Shuts somebody out; all their sessions end at once (7.4.2)."""
    person = _person(call)
    call.tickets.people.disable(person.id, call.who)
    call.tickets.log_ins.end(person.id)
    return call.go("/users", f"{person.name} cannot log in any more.")


@pages.post("/users/{person:int}/enable", allow="admin")
def enable(call: Call) -> Response:
    """Lets somebody in again."""
    person = _person(call)
    call.tickets.people.enable(person.id, call.who)
    return call.go("/users", f"{person.name} may log in again.")


def _users(call: Call, problem: str = "", status: int = 200) -> Response:
    people = call.tickets.people.list()
    return call.show("users.html", status, people=people, roles=ROLES, problem=problem)


def _role(call: Call) -> Role:
    for role in ROLES:
        if call.text("role") == role:
            return role
    raise DeskmateError(f"{call.text('role')!r}: no such role. There are {', '.join(ROLES)}.")


def _person(call: Call) -> Person:
    for person in call.tickets.people.list():
        if person.id == call.number("person"):
            return person
    raise HTTPException(404, "There is no such person.")
