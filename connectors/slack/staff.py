"""What colleagues do with tickets in the staff channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from assistant import DeskmateError
from connectors.slack.notices import StaffChannel
from connectors.slack.people import People

if TYPE_CHECKING:
    from assistant import Desk


class Staff:
    """Acts on tickets for colleagues, and says in the staff channel what became of them. Every
    method raises DeskmateError if the person is no colleague or it cannot be done."""

    def __init__(self, desk: Desk, people: People, channel: StaffChannel) -> None:
        self._desk = desk
        self._people = people
        self._channel = channel

    def press(self, action: str, number: int, team: str, user: str) -> None:
        """A button of this `action_id`; `number` is the outcome's or the ticket's."""
        who, tickets = self._name(team, user), self._desk.tickets
        match action:
            case "send_draft":
                self.approve(number, team, user, None)()
            case "discard_draft":
                tickets.replies.discard(number, who, "in Slack")
                ticket_id = tickets.outcomes.get(number).ticket_id
                self._channel.close(ticket_id, number, f"Discarded by <@{user}>, who has it.")
            case "take_ticket":
                tickets.hand_over(number, who, "in Slack")
                self._channel.close(number, None, f"<@{user}> has it.")
            case "solve_ticket":
                self._desk.solve(number, who)
                self._channel.close(number, None, f"Solved, says <@{user}>.")
            case "hand_back_ticket":
                tickets.hand_back(number, who)
                self._channel.close(number, None, f"Given back to the assistant by <@{user}>.")

    def draft(self, outcome_id: int, team: str, user: str) -> str:
        """A draft's text, for a colleague who wants to change it."""
        self._name(team, user)
        return self._desk.tickets.outcomes.get(outcome_id).outcome.text

    def approve(
        self, outcome_id: int, team: str, user: str, text: str | None
    ) -> Callable[[], None]:
        """Has a draft sent, with `text` in place of its own; returns what tells the channel."""
        self._desk.approve(outcome_id, self._name(team, user), text)
        ticket_id = self._desk.tickets.outcomes.get(outcome_id).ticket_id
        words = f"{'Sent' if text is None else 'Edited and sent'} by <@{user}>."
        return lambda: self._channel.close(ticket_id, outcome_id, words)

    def _name(self, team: str, user: str) -> str:
        if not self._people.is_staff(user):
            raise DeskmateError("Only members of the staff channel can do that.")
        return self._people.name(team, user)
