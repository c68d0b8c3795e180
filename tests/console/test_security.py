"""Named after OWASP ASVS 5.0; docs/security.md says what each is about."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from assistant.console import passwords
from assistant.console.routes.account import PER_NAME
from assistant.console.scenes import Scenes
from assistant.console.tries import Tries
from assistant.console.work import Work
from assistant.errors import DeskmateError
from tests.console.visitor import Visitor
from tests.console_desk import PASSWORD, ConsoleDesk
from tests.pictures import png


@pytest.fixture
def agent(office: ConsoleDesk, visitor: Visitor) -> Visitor:
    """Somebody who is logged in as an agent."""
    office.add("kim")
    assert visitor.log_in("kim").status_code == 303
    return visitor


def test_asvs_3_4_every_answer_has_the_security_headers(
    office: ConsoleDesk, visitor: Visitor
) -> None:
    for path in ("/log-in", "/static/style.css", "/nothing-here", "/"):
        headers = visitor.get(path).headers
        policy = headers["content-security-policy"]

        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_asvs_3_4_3_no_page_needs_inline_scripts_or_styles() -> None:
    for template in Path("assistant/console/templates").glob("*.html"):
        html = template.read_text()
        assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", html), template


def test_asvs_3_3_the_session_cookie_is_bound_to_this_host(
    office: ConsoleDesk, visitor: Visitor
) -> None:
    office.add("kim")

    cookie = visitor.log_in("kim").headers["set-cookie"]

    assert re.match(r"deskmate=[\w-]{43}; HttpOnly; Max-Age=43200; Path=/; SameSite=lax", cookie)


def test_asvs_3_3_1_behind_tls_the_cookie_is_secure_and_has_the_host_prefix(tmp_path: Path) -> None:
    from assistant.console.calls import Office

    with ConsoleDesk(tmp_path / "data") as desk:
        office = Office(
            desk.desk, desk.tickets, desk.desk.settings.console, "https://desk.example.com",
            lambda: "ready", list, desk.setup, None, Work(), Tries(), Scenes(), (),
        )  # fmt: skip

        assert office.tls
        assert office.cookie == "__Host-deskmate"


def test_asvs_3_5_1_a_form_of_another_site_is_refused(agent: Visitor) -> None:
    token = agent.token()

    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        answer = agent.post("/log-out", data={"form_token": token}, headers=headers)
        assert answer.status_code == 403
    assert agent.get("/account").status_code == 200


def test_asvs_3_5_1_a_form_without_its_token_is_refused(agent: Visitor) -> None:
    for token in ("", "0" * 64):
        answer = agent.post("/account/sessions/1/end", data={"form_token": token})
        assert answer.status_code == 403
        assert "Load the page again" in answer.text


def test_asvs_6_2_passwords_are_hashed_with_argon2id_and_long_enough() -> None:
    assert passwords.hashed(PASSWORD, "kim").startswith("$argon2id$")

    for bad in ("short", "kimkimkimkim", "aaaaaaaaaaaaaaa", "x" * 201):
        with pytest.raises(DeskmateError):
            passwords.hashed(bad, "kim")


def test_asvs_6_3_1_guessing_is_slowed_down(office: ConsoleDesk, visitor: Visitor) -> None:
    office.add("kim")

    for _ in range(PER_NAME):
        assert visitor.log_in("kim", "a wrong password").status_code == 401
    answer = visitor.log_in("kim")

    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


def test_asvs_6_3_8_a_wrong_name_and_a_wrong_password_read_the_same(
    office: ConsoleDesk, visitor: Visitor
) -> None:
    office.add("kim")

    nobody = visitor.log_in("nobody", "a wrong password")
    wrong = visitor.log_in("kim", "a wrong password")

    assert nobody.status_code == wrong.status_code == 401
    assert nobody.text.replace("nobody", "kim") == wrong.text


def test_asvs_7_2_3_tokens_are_random_and_only_their_hashes_are_stored(
    office: ConsoleDesk, agent: Visitor
) -> None:
    token = agent.cookies["deskmate"]

    with office.desk.engine.connect() as connection:
        stored = connection.execute(text("SELECT * FROM sessions")).all()

    assert len(token) >= 43
    assert token not in str(stored)


def test_asvs_7_2_4_each_log_in_makes_a_new_token(agent: Visitor) -> None:
    first = agent.cookies["deskmate"]
    agent.cookies.clear()

    agent.log_in("kim")

    assert agent.cookies["deskmate"] != first


@pytest.mark.parametrize("column", ["seen_at", "expires_at"])
def test_asvs_7_3_sessions_end_when_idle_and_when_old(
    column: str, office: ConsoleDesk, agent: Visitor
) -> None:
    assert agent.get("/account").status_code == 200

    with office.desk.engine.begin() as connection:
        old = datetime.now(UTC) - timedelta(hours=3)
        connection.execute(text(f"UPDATE sessions SET {column} = :old"), {"old": old})

    assert agent.get("/account").status_code == 303


def test_asvs_7_4_1_a_token_is_of_no_use_after_log_out(agent: Visitor) -> None:
    token = agent.cookies["deskmate"]

    agent.submit("/log-out")
    agent.cookies.set("deskmate", token)

    assert agent.get("/account").status_code == 303


def test_asvs_7_4_2_who_is_disabled_is_out_at_once(office: ConsoleDesk, agent: Visitor) -> None:
    office.add("chief", "admin")
    kim = office.tickets.people.find("kim")
    assert kim

    with Visitor(office.address) as chief:
        chief.log_in("chief")
        assert chief.submit(f"/users/{kim.id}/disable").status_code == 303

    assert agent.get("/account").status_code == 303
    assert agent.log_in("kim").status_code == 401


def test_asvs_7_4_3_a_new_password_ends_the_other_sessions(
    office: ConsoleDesk, agent: Visitor
) -> None:
    with Visitor(office.address) as elsewhere:
        elsewhere.log_in("kim")

        done = agent.submit("/account/password", old=PASSWORD, new="another fine long one")

        assert done.status_code == 303, done.text
        assert agent.get("/account").status_code == 200
        assert elsewhere.get("/account").status_code == 303


def test_asvs_7_5_2_one_sees_and_ends_ones_own_sessions_only(
    office: ConsoleDesk, agent: Visitor
) -> None:
    office.add("bea")
    with Visitor(office.address) as bea:
        bea.log_in("bea")
        ours = office.tickets.people.find("bea")
        assert ours
        (session,) = office.tickets.log_ins.of_person(ours.id)

        agent.submit(f"/account/sessions/{session.id}/end")

        assert bea.get("/account").status_code == 200


def test_the_last_administrator_cannot_be_lost(office: ConsoleDesk, visitor: Visitor) -> None:
    office.add("chief", "admin")
    visitor.log_in("chief")
    chief = office.tickets.people.find("chief")
    assert chief

    for path, fields in (("disable", {}), ("role", {"role": "agent"})):
        answer = visitor.submit(f"/users/{chief.id}/{path}", **fields)
        assert answer.status_code == 409
        assert "last administrator" in answer.text


def test_the_set_up_link_works_once(office: ConsoleDesk, visitor: Visitor) -> None:
    link = office.setup.link(office.address)
    assert link

    assert visitor.get("/setup/a-guess").status_code == 404
    weak = visitor.post(link, data={"name": "Mara", "password": "short"})
    made = visitor.post(link, data={"name": "Mara", "password": PASSWORD})

    assert weak.status_code == 400
    assert made.status_code == 303
    assert "Welcome, mara" in visitor.get("/").text
    assert visitor.get(link).status_code == 404
    visitor.cookies.clear()
    assert visitor.post(link, data={"name": "eve", "password": PASSWORD}).status_code == 404
    assert office.setup.link(office.address) is None


@pytest.mark.parametrize("next_path", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_asvs_3_7_2_log_in_leads_to_our_own_pages_only(
    next_path: str, office: ConsoleDesk, visitor: Visitor
) -> None:
    office.add("kim")
    form = {"name": "kim", "password": PASSWORD, "next": next_path}

    assert visitor.post("/log-in", data=form).headers["location"] == "/"


def test_asvs_3_2_1_files_are_shown_or_downloaded_and_never_run(
    office: ConsoleDesk, agent: Visitor
) -> None:
    from assistant import Attachment, Message

    page = b"<script>alert(1)</script>"
    files = (
        Attachment("image/png", "screen.png", png()),
        Attachment("text/html", "page.html", page),
        Attachment("image/svg+xml", "draw.svg", b"<svg onload='alert(1)'/>"),
        Attachment("image/png", 'a"\r\nX: y.png', page),
    )
    office.tickets.store_message(Message("window", "m", "t", "ann", "look", attachments=files))

    answers = [agent.get(f"/files/1/{position}") for position in range(4)]

    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    kinds = [answer.headers["content-type"] for answer in answers]
    assert kinds == [
        "image/png", "application/octet-stream", "application/octet-stream", "image/png"
    ]  # fmt: skip
    places = [answer.headers["content-disposition"].split(";")[0] for answer in answers]
    assert places == ["inline", "attachment", "attachment", "inline"]
    assert agent.get("/files/1/9").status_code == 404


def test_asvs_16_3_1_log_ins_stand_in_the_audit_log(office: ConsoleDesk, visitor: Visitor) -> None:
    office.add("kim", "lead")
    visitor.log_in("kim", "a wrong password")
    visitor.log_in("kim")

    entries = office.tickets.audit.page()

    assert [(e.who, e.action) for e in entries][:2] == [
        ("kim", "log in"),
        ("kim", "fail to log in"),
    ]
    assert "fail to log in" in visitor.get("/audit").text


def test_asvs_16_5_1_an_unexpected_error_tells_nothing(
    office: ConsoleDesk, agent: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(office.tickets.listing, "page", fail)
    answer = agent.get("/")

    assert answer.status_code == 500
    assert "secret of the house" not in answer.text
    assert "This page failed" in answer.text


def test_a_form_that_is_too_large_is_not_read(agent: Visitor) -> None:
    answer = agent.post("/log-out", content=b"x" * (41 * 2**20))

    assert answer.status_code == 413
