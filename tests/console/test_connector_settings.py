"""A connector's settings over HTTP: as forms, checked by the connector, secrets kept."""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml.html import fromstring

from assistant.settings import load
from connectors.email import plugin as email
from tests.console.visitor import Visitor
from tests.console_desk import ConsoleDesk

PASSWORD = "the-mailbox's-own"
PAGE = "/connectors/email/settings"
SUPPORT = "connectors.email.mailboxes.support"
FILE = f"""# ours, and it stays
[connectors.email]
staff_address = "team@acme.example"

[connectors.email.mailboxes.support]
address = "help@acme.example"
imap_host = "imap.acme.example" # the old one
smtp_host = "smtp.acme.example"
password = "{PASSWORD}"
ca_file = "/etc/acme.pem"
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "deskmate.toml"
    path.write_text(FILE)
    monkeypatch.setenv("DESKMATE_CONFIG", str(path))
    return path


@pytest.fixture
def office(tmp_path: Path, file: Path) -> Iterator[ConsoleDesk]:
    """A desk with one mailbox."""
    key = "a" * 43 + "="
    with ConsoleDesk(tmp_path / "data", connectors=load().connectors, secret_key=key) as desk:
        desk.desk.plugins.register("email", email)
        desk.add("chief", "admin")
        desk.add("lea", "lead")
        yield desk


def fields(page: str, section: str) -> dict[str, str]:
    """What a browser would send if the form of this section were sent as it is."""
    forms = (dict(form.form_values()) for form in fromstring(page).forms)
    found = next(values for values in forms if values.get("section") == section)
    return {name: value for name, value in found.items() if name != "form_token"}


def written(file: Path) -> Any:
    return tomllib.loads(file.read_text())["connectors"]["email"]


def test_each_table_is_a_form_and_no_secret_is_in_it(office: ConsoleDesk, visitor: Visitor) -> None:
    visitor.log_in("chief")

    page = visitor.get(PAGE).text

    assert f'<a href="{PAGE}">' in visitor.get("/connectors").text
    assert fields(page, "connectors.email")["staff_address"] == "team@acme.example"
    support = fields(page, SUPPORT)
    assert support["imap_host"] == "imap.acme.example"
    assert "password" not in support
    assert "set; leave empty to keep it" in page
    assert PASSWORD not in html.unescape(page)


def test_what_was_changed_is_written_and_the_rest_stays(
    office: ConsoleDesk, visitor: Visitor, file: Path
) -> None:
    visitor.log_in("chief")
    sent = fields(visitor.get(PAGE).text, SUPPORT)
    sent |= {"imap_host": "new.acme.example", "imap_port": "1993", "ca_file": ""}

    answer = visitor.submit(PAGE, **sent)

    assert answer.status_code == 303
    assert "once the desk is started again" in visitor.get(PAGE).text
    assert written(file)["mailboxes"]["support"] == {
        "address": "help@acme.example",
        "imap_host": "new.acme.example",
        "smtp_host": "smtp.acme.example",
        "password": PASSWORD,
        "imap_port": 1993,
    }
    assert "# ours, and it stays" in file.read_text()
    (entry,) = office.tickets.audit.page(action="set connector")
    changed = ("imap_host", "imap_port", "ca_file")
    assert entry.detail == "email: " + ", ".join(f"mailboxes.support.{key}" for key in changed)


def test_nothing_is_written_if_nothing_was_changed(
    office: ConsoleDesk, visitor: Visitor, file: Path
) -> None:
    visitor.log_in("chief")
    page = visitor.get(PAGE).text

    for section in ("connectors.email", SUPPORT):
        visitor.submit(PAGE, **fields(page, section))

    assert file.read_text() == FILE


@pytest.mark.parametrize(
    ("section", "key", "typed", "said"),
    [
        (SUPPORT, "imap_port", "many", "'many' is no number"),
        (SUPPORT, "poll_seconds", "0", "greater than 0"),
        (SUPPORT, "imap_security", "none", "in the clear"),
        ("connectors.email", "staff_address", "help@acme.example", "would answer itself"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_with_what_was_typed(
    office: ConsoleDesk,
    visitor: Visitor,
    file: Path,
    section: str,
    key: str,
    typed: str,
    said: str,
) -> None:
    visitor.log_in("chief")
    sent = fields(visitor.get(PAGE).text, section)

    answer = visitor.submit(PAGE, **{**sent, key: typed, "password": "another-secret"})

    assert answer.status_code == 400
    assert fields(answer.text, section)[key] == typed
    wrong = re.search(rf'<p class="problem" id="wrong-{key}">(.*?)</p>', answer.text, re.S)
    assert wrong
    assert said in html.unescape(wrong[1])
    assert f'aria-describedby="wrong-{key}"' in answer.text
    assert "another-secret" not in answer.text
    assert file.read_text() == FILE


SALES = {
    "section": "connectors.email.mailboxes.",
    "table": "sales",
    "address": "sales@acme.example",
    "imap_host": "imap.acme.example",
    "smtp_host": "smtp.acme.example",
    "password": "sales-secret",
}


def test_a_new_mailbox_is_added_beside_the_others(
    office: ConsoleDesk, visitor: Visitor, file: Path
) -> None:
    visitor.log_in("chief")
    blank = fields(visitor.get(PAGE).text, SALES["section"])

    answer = visitor.submit(PAGE, **{**blank, **SALES})

    assert answer.status_code == 303
    assert (blank["address"], blank["imap_port"]) == ("", "993")
    given = {key: value for key, value in SALES.items() if key not in ("section", "table")}
    assert written(file)["mailboxes"]["sales"] == given
    assert list(written(file)["mailboxes"]) == ["support", "sales"]
    assert fields(visitor.get(PAGE).text, "connectors.email.mailboxes.sales")
    (entry,) = office.tickets.audit.page(action="set connector")
    assert entry.detail.startswith("email: mailboxes.sales.address, ")


@pytest.mark.parametrize(
    ("key", "typed", "said"),
    [
        ("table", "support", "there is one of this name in mailboxes already"),
        ("table", "no name", "letters, digits, - and _"),
        ("address", "", "missing"),
        ("imap_port", "many", "'many' is no number"),
    ],
)
def test_a_new_mailbox_that_is_wrong_is_shown_again_and_not_written(
    office: ConsoleDesk, visitor: Visitor, file: Path, key: str, typed: str, said: str
) -> None:
    visitor.log_in("chief")
    blank = fields(visitor.get(PAGE).text, SALES["section"])

    answer = visitor.submit(PAGE, **{**blank, **SALES, key: typed})

    assert answer.status_code == 400
    again = fields(answer.text, SALES["section"])
    assert (again["address"], again["imap_host"]) == (
        "" if key == "address" else "sales@acme.example",
        "imap.acme.example",
    )
    assert again["table"] == (typed if key == "table" else "sales")
    assert '<details class="new" open>' in answer.text
    assert said in html.unescape(answer.text)
    assert "sales-secret" not in answer.text
    assert file.read_text() == FILE


def test_a_lead_sees_them_and_changes_nothing(office: ConsoleDesk, visitor: Visitor) -> None:
    visitor.log_in("lea")

    page = visitor.get(PAGE)

    assert page.status_code == 200
    assert list(fields(page.text, SUPPORT)) == ["section"]
    assert visitor.submit(PAGE, section=SUPPORT, imap_host="x").status_code == 403


def test_what_is_no_table_of_this_connector_is_not_written(
    office: ConsoleDesk, visitor: Visitor, file: Path
) -> None:
    visitor.log_in("chief")

    assert visitor.submit(PAGE, section="policy", reply_at="0").status_code == 404
    assert visitor.get("/connectors/window/settings").status_code == 404
    assert file.read_text() == FILE
