"""A customer writes by e-mail and in the help desk; the help desk is a real database, and mails are
stored as their connector makes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import Message
from tests.help_desk import ANA, BEN, HelpDesk, TicketDatabaseDesk
from tests.slack_desk import eventually, replies_with


@pytest.fixture
def help_desk(tmp_path: Path) -> Iterator[HelpDesk]:
    found = HelpDesk(f"sqlite:///{tmp_path / 'help-desk.sqlite'}")
    yield found
    found.engine.dispose()


def mail(number: int, sender: str, text: str, *, authentic: bool) -> Message:
    """As the e-mail connector makes it of an authentic mail, or another."""
    address = f"{sender}@example.com"
    verified = address if authentic else None
    return Message("email", f"m{number}", f"t{number}", address, text, verified_address=verified)


def test_a_ticket_that_a_person_has_is_silent_on_every_channel(
    help_desk: HelpDesk, tmp_path: Path
) -> None:
    asked: list[Any] = []

    def answer(message: Message, ticket: Any, conversation: Any) -> Any:
        asked.append((message.text, [(turn.channel, turn.text) for turn in conversation]))
        return replies_with("Open Settings. [1]")

    with TicketDatabaseDesk(help_desk, tmp_path, answer, customers_are_verified=True) as desk:
        mailed = desk.tickets.store_message(mail(1, "ana", "My code is 4711.", authentic=True))
        ticket, strangers = help_desk.ticket("Where are invoices?"), help_desk.ticket("Hi", BEN)
        desk.replies(ticket)
        desk.replies(strangers)

        known = dict(asked)
        assert ("email", "My code is 4711.") in known["Where are invoices?"]
        assert known["Hi"] == []

        desk.tickets.hand_over(mailed.id, "Bo")
        help_desk.say(ticket, ANA, "And for May?")
        (note,) = desk.notes(ticket)
        assert f"ticket {mailed.id} of the same customer, on email, is with Bo" in note

        help_desk.say(strangers, BEN, "And for May?")
        desk.replies(strangers, 2)
        eventually(lambda: desk.known(ticket).status == "handed over")
        assert len(help_desk.written(ticket)) == 1


def test_a_forged_mail_learns_nothing_and_silences_nobody(
    help_desk: HelpDesk, tmp_path: Path
) -> None:
    with TicketDatabaseDesk(help_desk, tmp_path, customers_are_verified=True) as desk:
        forged = desk.tickets.store_message(mail(1, "ana", "Hi", authentic=False))
        desk.tickets.hand_over(forged.id, "Bo")
        ticket = help_desk.ticket("Where are invoices?")

        assert "Where are invoices?" in desk.replies(ticket)[0]
        assert desk.tickets.persons.other_tickets(desk.tickets.ticket(forged.id)) == ()
