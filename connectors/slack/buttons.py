"""What bolt calls when somebody presses a button or submits a modal.

Plain functions whose arguments bolt injects by name; beside bolt's own there are the connector's
parts (`desk`, `intake`, `people`, `staff`, `workspaces`) and `later`, which does something once the
press is acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from slack_bolt import Ack, App, BoltContext, Respond

from assistant import DeskmateError
from connectors.slack import mrkdwn
from connectors.slack.intake import NAME, Intake
from connectors.slack.people import People
from connectors.slack.place import Place
from connectors.slack.staff import Staff
from connectors.slack.workspaces import Workspaces

if TYPE_CHECKING:
    from assistant import Desk

Json = Mapping[str, Any]
Later = Callable[..., None]

STAFF_ACTIONS = ("send_draft", "discard_draft", "take_ticket", "solve_ticket", "hand_back_ticket")
INPUT = 3_000  # characters of a modal's input
INPUTS = 20


def register(app: App) -> None:
    """Adds these listeners."""
    app.action("thumb_up")(thumb)
    app.action("thumb_down")(thumb)
    app.action("talk_to_person")(talk_to_person)
    for action in STAFF_ACTIONS:
        app.action(action)(staff_action)
    app.action("edit_draft")(edit_draft)
    app.view("edited_draft")(edited_draft)


def thumb(
    ack: Ack,
    action: Json,
    context: BoltContext,
    respond: Respond,
    desk: Desk,
    people: People,
    later: Later,
) -> None:
    """👍 or 👎 under an answer; the same person's last one counts."""
    ack()

    def store() -> None:
        helpful = action["action_id"] == "thumb_up"
        reply = desk.tickets.replies.get(action["value"]).reply
        outcome = desk.tickets.outcomes.of_message(NAME, reply.in_reply_to)
        outcome_id = outcome.id if outcome else None
        who = people.name(context.team_id or "", context.user_id or "")
        before = [
            feedback.helpful
            for feedback in desk.tickets.feedback.of_ticket(reply.ticket_id)
            if (feedback.author, feedback.outcome_id) == (who, outcome_id)
        ]
        if before[-1:] != [helpful]:
            desk.tickets.feedback.add(reply.ticket_id, helpful, who, outcome_id=outcome_id)
        more = "" if helpful else " Write here what is missing, or talk to a person."
        respond(f"Thank you for telling us.{more}", replace_original=False)

    later(store)


def talk_to_person(
    ack: Ack,
    body: Json,
    action: Json,
    context: BoltContext,
    respond: Respond,
    desk: Desk,
    intake: Intake,
    later: Later,
) -> None:
    """The customer wants a person: the same as writing so."""
    reply = desk.tickets.replies.get(action["value"]).reply
    place = Place.parse(reply.thread_id)
    intake.person(place, body["container"]["message_ts"], context.user_id or "")
    ack()
    later(respond, "Our team is told; a person will answer you here.", replace_original=False)


def staff_action(
    ack: Ack, action: Json, context: BoltContext, respond: Respond, staff: Staff, later: Later
) -> None:
    """Send, Discard, I take it, Solved, Back to the assistant."""
    ack()

    def press() -> None:
        number, team, user = int(action["value"]), context.team_id or "", context.user_id or ""
        try:
            staff.press(action["action_id"], number, team, user)
        except DeskmateError as error:
            respond(mrkdwn.escape(str(error)), replace_original=False)

    later(press)


def edit_draft(
    ack: Ack,
    body: Json,
    action: Json,
    context: BoltContext,
    respond: Respond,
    staff: Staff,
    workspaces: Workspaces,
) -> None:
    """Opens the draft in a modal; long ones in several inputs."""
    ack()
    try:
        text = staff.draft(int(action["value"]), context.team_id or "", context.user_id or "")
    except DeskmateError as error:
        respond(mrkdwn.escape(str(error)), replace_original=False)
        return
    inputs = [_input(n, part) for n, part in enumerate(mrkdwn.split(text, INPUT)[:INPUTS])]
    workspaces.client(context.team_id or "").views_open(
        trigger_id=body["trigger_id"],
        view={
            "type": "modal",
            "callback_id": "edited_draft",
            "private_metadata": action["value"],
            "title": {"type": "plain_text", "text": "Edit the draft"},
            "submit": {"type": "plain_text", "text": "Send"},
            "close": {"type": "plain_text", "text": "Back"},
            "blocks": inputs,
        },
    )


def edited_draft(ack: Ack, view: Json, context: BoltContext, staff: Staff, later: Later) -> None:
    """Sends the draft with the words from the modal."""
    values = view["state"]["values"]
    parts = [values[block["block_id"]]["text"]["value"] or "" for block in view["blocks"]]
    text = "\n\n".join(part.strip() for part in parts if part.strip())
    outcome_id, first = int(view["private_metadata"]), view["blocks"][0]["block_id"]
    try:
        close = staff.approve(outcome_id, context.team_id or "", context.user_id or "", text)
    except DeskmateError as error:
        ack(response_action="errors", errors={first: str(error)[:150]})
        return
    ack()
    later(close)


def _input(number: int, text: str) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": f"part-{number}",
        "label": {"type": "plain_text", "text": "What the customer gets" if not number else "…"},
        "optional": number > 0,
        "element": {
            "type": "plain_text_input",
            "action_id": "text",
            "multiline": True,
            "initial_value": text,
        },
    }
