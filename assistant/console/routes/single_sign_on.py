"""Log-in through the company's own identity provider."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from assistant.console.access import Pages
from assistant.console.calls import Call
from assistant.console.sign_on import BEGUN_SECONDS, Identity, SignOn
from assistant.errors import DeskmateError
from assistant.tickets.people import Person

COOKIE = "sign-on"

pages = Pages()


@pages.get("/single-sign-on", allow="anyone")
def begin(call: Call) -> Response:
    """Sends the browser to the issuer."""
    url, sealed = _sign_on(call).begin()
    response = RedirectResponse(url, 303)
    response.set_cookie(
        COOKIE,
        sealed,
        max_age=BEGUN_SECONDS,
        path="/single-sign-on",
        httponly=True,
        samesite="lax",
        secure=call.office.tls,
    )
    return response


@pages.get("/single-sign-on/back", allow="anyone")
def finish(call: Call) -> Response:
    """Where the issuer sends the browser back to: it logs in whom an administrator added, or
    whoever the settings let in."""
    sealed = call.request.cookies.get(COOKIE, "")
    identity = _sign_on(call).finish(sealed, str(call.request.url))
    person = _person(call, identity)
    if person is None or person.disabled_at:
        call.tickets.audit.note(identity.subject, "fail to log in", "single sign-on")
        raise HTTPException(403, "Nobody has added you here yet. Ask an administrator.")
    call.tickets.audit.note(person.name, "log in", "single sign-on")
    response = call.go("/")
    call.office.log_in(response, person, call.request)
    response.delete_cookie(COOKIE, path="/single-sign-on")
    return response


def _sign_on(call: Call) -> SignOn:
    if call.office.sign_on is None:
        raise HTTPException(404, "Single sign-on is not set up: see [console.single_sign_on].")
    return call.office.sign_on


def _person(call: Call, identity: Identity) -> Person | None:
    """Who this is: known by subject, or added by name without a password and not yet come, or, if
    the settings allow it, somebody new."""
    people = call.tickets.people
    if found := people.find_subject(identity.subject):
        return found
    for name in identity.names:
        found = people.find(name)
        if found and not found.has_password and not found.single_sign_on:
            people.link(found.id, identity.subject)
            return found
    role = call.office.settings.single_sign_on.new_people
    if role == "refused" or not identity.names:
        return None
    try:
        name, full_name, subject = identity.names[0], identity.full_name, identity.subject
        return people.add(name, role, subject, full_name=full_name, subject=subject)
    except DeskmateError as error:  # somebody else has the name
        raise HTTPException(403, str(error)) from error
