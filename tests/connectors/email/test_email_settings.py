"""What an operator may set, and what leaves with it."""

from __future__ import annotations

import base64
import email
import subprocess
from pathlib import Path
from typing import Any

import dkim
import pytest

from assistant import Message, Reply, SettingsError
from assistant.connecting import NotifyingConnector
from assistant.plugging import Plugins
from assistant.settings import Settings
from connectors.email import compose, plugin
from connectors.email.envelope import Envelope
from connectors.email.settings import EmailSettings, Mailbox, read
from connectors.email.tokens import Tokens
from tests.email_desk import KEY

BOX = {
    "address": "Support@Example.com",
    "imap_host": "imap.example.com",
    "smtp_host": "smtp.example.com",
    "password": "secret",
}


def settings(**changes: Any) -> EmailSettings:
    box = {key: value for key, value in {**BOX, **changes}.items() if value is not None}
    return read({"mailboxes": {"support": box}})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"address": None}, "mailboxes.support.address: missing"),
        ({"address": "support"}, "it is no e-mail address"),
        ({"password": None}, "MAILBOXES__SUPPORT__PASSWORD"),
        ({"password": "hidden", "color": "red"}, "mailboxes.support.color: no such setting"),
        ({"imap_security": "none"}, "the password would go to imap.example.com in the clear"),
        ({"dkim_selector": "s1"}, "DKIM needs both"),
        ({"oauth_refresh_token": "r"}, "OAuth2 needs both"),
    ],
)
def test_mistakes_are_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as raised:
        settings(**changes)

    assert "hidden" not in str(raised.value)


def test_staff_must_not_be_a_mailbox_that_answers() -> None:
    with pytest.raises(SettingsError, match="would answer itself"):
        read({"mailboxes": {"support": BOX}, "staff_address": "support@example.com"})


def test_without_a_secret_key_there_are_no_marks() -> None:
    plugins = Plugins()
    plugins.register("email", plugin)
    table = {"email": {"mailboxes": {"support": BOX}}}

    with pytest.raises(SettingsError, match="secret_key: not set"):
        plugins.register_connectors(Settings(connectors=table), [])


def test_only_with_a_staff_address_are_staff_told() -> None:
    def connector(**more: str) -> Any:
        table = {"email": {"mailboxes": {"support": BOX}, **more}}
        return plugin.register_connectors(Settings(connectors=table, secret_key=KEY))[0]

    assert not isinstance(connector(), NotifyingConnector)
    assert isinstance(connector(staff_address="team@example.com"), NotifyingConnector)


def composed(box: Mailbox, **reply: Any) -> compose.Composed:
    values = {
        "id": "0b7e3d9a-9d0b-5c44-8f14-2f8a3f6ad0c1",
        "ticket_id": 7,
        "connector": "email",
        "thread_id": "support/x",
        "to": "Ana Lima <ana@other.example>",
        "subject": "Re: Re: Grüße",
        "text": "See <https://help.example/a?b=1&c=2>.\n\nDone.",
        "in_reply_to": "x",
        **reply,
    }
    question = Message("email", "x", "support/x", "Ana <ana@other.example>", "Why? <b>", "Grüße")
    references = tuple(f"<{number:080}@mail.other.example>" for number in range(40))
    envelope = Envelope("support", 1, "<last@other.example>", references)
    return compose.answer(Reply(**values), box, Tokens([KEY]), envelope, question)


def test_an_answers_headers_are_what_mail_programs_expect() -> None:
    first = composed(settings().mailboxes["support"])
    raw = first.raw.decode()

    assert first.message_id == composed(settings().mailboxes["support"]).message_id
    assert "Subject: Re: =?utf-8?" in raw
    assert "In-Reply-To: <last@other.example>\r\n" in raw
    head = raw.partition("\r\n\r\n")[0].replace("\r\n ", " ")
    references = head.partition("References: ")[2].partition("\r\n")[0].split()
    assert len(references) == 20
    assert references[-1] == "<last@other.example>"
    assert all(line.isascii() and len(line) < 998 for line in raw.split("\r\n"))


def test_what_customers_write_is_escaped_in_html() -> None:
    message = email.message_from_bytes(composed(settings().mailboxes["support"]).raw)
    html = message.get_payload()[1].get_payload(decode=True).decode()  # type: ignore[union-attr,index]

    assert "Why? &lt;b&gt;" in html
    assert '<a href="https://help.example/a?b=1&amp;c=2">' in html


def test_mails_are_signed_with_dkim(tmp_path: Path) -> None:
    key = tmp_path / "dkim.pem"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    public = subprocess.run(
        ["openssl", "rsa", "-in", key, "-pubout", "-outform", "DER"],
        check=True,
        capture_output=True,
    ).stdout
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    box = settings(dkim_selector="s1", dkim_key_file=key).mailboxes["support"]
    asked = []

    def dns(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return record

    raw = composed(box).raw

    assert dkim.verify(raw, dnsfunc=dns)
    assert asked == [b"s1._domainkey.example.com."]
    assert not dkim.verify(raw.replace(b"Done", b"Gone"), dnsfunc=dns)
