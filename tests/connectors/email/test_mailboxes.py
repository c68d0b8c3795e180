"""Several mailboxes: one that cannot be reached does not disturb the others."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.serving import parts
from assistant.testing.mail import MailServer
from tests.channel_desk import eventually
from tests.email_desk import SUPPORT, EmailDesk, mail, mailbox

ANA, EVA = "ana@other.example", "eva@other.example"
SALES = "sales@example.com"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(parts, "LONGEST_PAUSE", 0.5)


def test_one_mailbox_is_away_and_comes_back_while_the_other_is_answered(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    with tempfile.TemporaryDirectory(prefix="deskmate-") as folder:
        away = MailServer(Path(folder))
        desk = run(mailboxes={"support": mailbox(server), "sales": mailbox(away, SALES)})
        away.deliver(SALES, mail("What does it cost?", EVA, to=SALES).as_bytes())
        away.start_smtp()

        server.deliver(SUPPORT, mail().as_bytes())
        desk.replies(ANA)
        failed = eventually(lambda: _if(desk.state("email/sales"), "failed"))
        away.start_imap()
        eventually(lambda: away.sent_to(EVA))
        mended = eventually(lambda: _if(desk.state("email/sales"), "up"))
        away.stop_smtp()
        away.stop_imap()

    assert f"127.0.0.1:{away.imap_port}: " in failed["error"]
    assert "refused" in failed["error"]
    assert mended["restarts"] >= 1
    for name in ("email", "email/support"):
        assert (desk.state(name)["state"], desk.state(name)["restarts"]) == ("up", 0)


def _if(state: dict[str, object], wanted: str) -> dict[str, object] | None:
    return state if state["state"] == wanted else None


def test_a_wrong_password_is_said_where_the_connector_is_shown(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    boxes = {"support": mailbox(server), "sales": mailbox(server, SALES, password="wrong")}
    desk = run(mailboxes=boxes)

    error = eventually(lambda: desk.state("email/sales")["error"])

    assert f"{SALES} and its password are refused" in error
    assert "[AUTHENTICATIONFAILED]" in error
    server.deliver(SUPPORT, mail().as_bytes())
    assert desk.replies(ANA)


def test_a_full_mailbox_is_answered_all_the_same(
    run: Callable[..., EmailDesk], server: MailServer
) -> None:
    server.stop_imap()
    server.quota_bytes = 1
    server.start_imap()
    desk = run(box={"imap_drafts": True})

    server.deliver(SUPPORT, mail().as_bytes())

    assert desk.replies(ANA)
    desk.settled()
    server.stop_imap()
    server.quota_bytes = 0
    server.start_imap()
    assert server.mails(SUPPORT, "Sent") == []
