"""Signing in with OAuth2: a real Dovecot asks a real provider about each token, and so does the
SMTP server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from assistant import UnreachableError
from assistant.serving import parts
from assistant.testing.mail import HOW_TO_INSTALL, MailServer, installed
from assistant.testing.oauth import Provider
from assistant.tickets.database import open_engine
from assistant.tickets.repository import Tickets
from assistant.tickets.secrets import Secrets
from connectors.email import smtp
from connectors.email.imap import Imap
from connectors.email.oauth import AccessTokens
from connectors.email.settings import Mailbox
from tests.channel_desk import eventually
from tests.email_desk import SUPPORT, EmailDesk, mail, mailbox

ANA = "ana@other.example"
QUESTION = b"Subject: Hello\r\n\r\nHello"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(SUPPORT) as provider:
        yield provider


@pytest.fixture
def server(provider: Provider) -> Iterator[MailServer]:
    if not installed():
        pytest.skip(HOW_TO_INSTALL)
    with (
        tempfile.TemporaryDirectory(prefix="deskmate-") as folder,
        MailServer(Path(folder), provider=provider) as server,
    ):
        yield server


@pytest.fixture
def secrets(sqlite_url: str) -> Iterator[Secrets]:
    engine = open_engine(sqlite_url)
    yield Tickets(engine, Fernet.generate_key().decode()).secrets
    engine.dispose()


@pytest.fixture
def box(server: MailServer, provider: Provider) -> Mailbox:
    return Mailbox(**mailbox(server, **with_tokens(provider)))


@pytest.fixture
def tokens(box: Mailbox, secrets: Secrets) -> AccessTokens:
    return AccessTokens("support", box, lambda: secrets)


def with_tokens(provider: Provider) -> dict[str, Any]:
    return {
        "password": "",
        "oauth_token_url": f"{provider.url}/token",
        "oauth_client_id": "deskmate",
        "oauth_refresh_token": provider.refresh_token,
    }


def test_mails_come_in_and_go_out_without_a_password(
    server: MailServer, provider: Provider, tmp_path: Path
) -> None:
    with EmailDesk(server, tmp_path / "data", box=with_tokens(provider)) as desk:
        server.deliver(SUPPORT, mail().as_bytes())

        assert desk.replies(ANA)
        desk.settled()
        assert provider.good.keys() == {"access-1"}


def test_a_token_that_runs_out_is_renewed_before_it_is_used(
    box: Mailbox, tokens: AccessTokens, provider: Provider, secrets: Secrets
) -> None:
    provider.lifetime_seconds = 60  # as good as over: it is renewed two minutes before its end
    with Imap(box, tokens):
        provider.good.clear()

    with Imap(box, tokens) as imap:
        assert imap.open("INBOX")
    assert provider.good.keys() == {"access-2"}
    assert secrets.get("email", "support/refresh_token") == "refresh-2"


def test_a_token_that_is_withdrawn_is_replaced_at_once(
    box: Mailbox, tokens: AccessTokens, provider: Provider, server: MailServer
) -> None:
    with Imap(box, tokens):
        provider.good.clear()

    with Imap(box, tokens) as imap:
        assert imap.open("INBOX")
    provider.good.clear()
    smtp.deliver(box, tokens, QUESTION, [ANA])

    assert provider.good.keys() == {"access-3"}
    assert len(server.sent_to(ANA)) == 1


def test_a_new_refresh_token_outlives_the_process(
    box: Mailbox, tokens: AccessTokens, secrets: Secrets
) -> None:
    tokens.current()  # the provider takes the one of the settings no more

    after_a_restart = AccessTokens("support", box, lambda: secrets)

    assert after_a_restart.current() == "access-2"


def test_a_refused_token_says_what_to_do(
    box: Mailbox, tokens: AccessTokens, provider: Provider
) -> None:
    provider.user = "somebody.else@example.com"  # consent was given for another mailbox

    with pytest.raises(UnreachableError) as of_imap:
        Imap(box, tokens)
    with pytest.raises(UnreachableError) as of_smtp:
        smtp.deliver(box, tokens, QUESTION, [ANA])

    for raised, port in ((of_imap, box.imap_port), (of_smtp, box.smtp_port)):
        assert str(raised.value).startswith(f"127.0.0.1:{port}: the access token of {SUPPORT} is")
        assert "set oauth_refresh_token" in str(raised.value)


def test_a_withdrawn_consent_is_shown_beside_the_mailbox(
    server: MailServer, provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "FIRST_PAUSE", 0.05)
    box = with_tokens(provider)
    provider.refresh_token = "another"
    with EmailDesk(server, tmp_path / "data", box=box) as desk:
        error = eventually(lambda: desk.state("email/support")["error"])

    assert f"{provider.url}/token gives no access token: invalid_grant" in error
    assert "the consent was withdrawn" in error
