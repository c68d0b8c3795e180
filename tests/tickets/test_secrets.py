from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from assistant.errors import SettingsError
from assistant.tickets.repository import Tickets
from assistant.tickets.secrets import SecretRow, Secrets

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_a_secret_is_kept_encrypted(tickets: Tickets) -> None:
    secrets = Secrets(tickets.engine, OLD)

    secrets.put("slack", "T1", "xoxb-first")
    secrets.put("slack", "T1", "xoxb-second")

    with tickets.engine.connect() as connection:
        stored = connection.execute(select(SecretRow.encrypted)).scalars().all()
    assert secrets.get("slack", "T1") == "xoxb-second"
    assert secrets.names("slack") == ("T1",)
    assert len(stored) == 1
    assert b"xoxb" not in stored[0]


def test_a_secret_can_be_removed(tickets: Tickets) -> None:
    secrets = Secrets(tickets.engine, OLD)
    secrets.put("slack", "T1", "xoxb")

    secrets.remove("slack", "T1")

    assert secrets.get("slack", "T1") is None


def test_a_new_key_reads_what_an_older_one_wrote(tickets: Tickets) -> None:
    Secrets(tickets.engine, OLD).put("slack", "T1", "xoxb")

    both = Secrets(tickets.engine, f"{NEW}, {OLD}")

    assert both.get("slack", "T1") == "xoxb"
    with pytest.raises(SettingsError, match="does not decrypt slack's secret 'T1'"):
        Secrets(tickets.engine, NEW).get("slack", "T1")


@pytest.mark.parametrize(("key", "words"), [("", "not set"), ("tulip", "not a Fernet key")])
def test_without_a_fitting_key_nothing_is_stored(tickets: Tickets, key: str, words: str) -> None:
    with pytest.raises(SettingsError, match=f"secret_key: {words}"):
        Secrets(tickets.engine, key).put("slack", "T1", "xoxb")

    assert tickets.secrets.names("slack") == ()
