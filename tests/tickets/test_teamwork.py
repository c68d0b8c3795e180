from __future__ import annotations

from assistant.tickets.repository import Tickets
from tests.tickets.conftest import message


def test_people_on_one_ticket_see_each_other_until_they_leave(tickets: Tickets) -> None:
    tickets.store_message(message())

    tickets.teamwork.appear(1, "kim")
    tickets.teamwork.appear(1, "bea")
    together = tickets.teamwork.present(1, but="kim")
    tickets.teamwork.leave(1, "bea")

    assert together == ("bea",)
    assert tickets.teamwork.present(1, but="kim") == ()


def test_looking_again_and_again_is_written_down_once(tickets: Tickets) -> None:
    tickets.store_message(message())

    for _ in range(3):
        tickets.teamwork.appear(1, "kim")

    assert [(e.who, e.action) for e in tickets.audit.of_ticket(1)] == [("kim", "see")]


def test_notes_are_kept_and_assigning_is_written_down(tickets: Tickets) -> None:
    tickets.store_message(message())

    tickets.teamwork.note(1, "kim", "Call them.")
    tickets.teamwork.assign(1, "kim", "bea")

    assert [(n.who, n.text) for n in tickets.teamwork.notes(1)] == [("kim", "Call them.")]
    assert tickets.ticket(1).assignee == "bea"
    assert tickets.audit.page(who="kim")[0].action == "assign"
