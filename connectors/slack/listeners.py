"""What bolt calls for events, commands and shortcuts.

Plain functions whose arguments bolt injects by name. Those for posts do nothing but note them: what
a listener returns from is acknowledged, what it raises from is delivered again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from slack_bolt import Ack, App, BoltContext, Respond

from assistant import DeskmateError
from connectors.slack import home
from connectors.slack.buttons import Later
from connectors.slack.intake import Intake
from connectors.slack.people import People
from connectors.slack.workspaces import Workspaces

if TYPE_CHECKING:
    from assistant import Desk

Json = Mapping[str, Any]

ONLY_STAFF = "Only members of the staff channel can do that."
HELP = (
    "`/deskmate ask QUESTION` answers here, for you alone.\n"
    "`/deskmate status` says how much waits (staff).\n"
    "`/deskmate index` brings the articles up to date (staff)."
)


def register(app: App) -> None:
    """Adds these listeners."""
    app.event("message")(message)
    app.event("app_mention")(app_mention)
    app.event("app_home_opened")(app_home_opened)
    app.event("app_uninstalled")(app_uninstalled)
    app.event("tokens_revoked")(tokens_revoked)
    app.command("/deskmate")(deskmate)
    app.shortcut("answer_this")(answer_this)


def message(event: Json, body: Json, context: BoltContext, intake: Intake) -> None:
    """A post, an edit or a deletion in a channel with the bot."""
    team, shared = context.team_id or "", bool(body.get("is_ext_shared_channel"))
    mention = f"<@{context.bot_user_id}>"
    match event.get("subtype"):
        case "message_changed":
            intake.edit(team, event, mention=mention, shared=shared)
        case "message_deleted":
            intake.delete(team, event)
        case _:
            asked = mention in (event.get("text") or "")
            intake.post(team, event, asked=asked, shared=shared)


def app_mention(event: Json, body: Json, context: BoltContext, intake: Intake) -> None:
    """A post that names the bot."""
    shared = bool(body.get("is_ext_shared_channel"))
    intake.post(context.team_id or "", event, asked=True, shared=shared)


def app_home_opened(
    event: Json,
    context: BoltContext,
    desk: Desk,
    people: People,
    workspaces: Workspaces,
    later: Later,
) -> None:
    """Somebody looks at the app's home."""
    if event.get("tab") == "home":
        later(home.show, desk, workspaces.client(context.team_id or ""), people, event["user"])


def app_uninstalled(context: BoltContext, workspaces: Workspaces) -> None:
    """A workspace took the app away; its token is of no use any more."""
    workspaces.forget(_owner(context))


def tokens_revoked(event: Json, context: BoltContext, workspaces: Workspaces) -> None:
    """The same, if the bot's token is among them."""
    if event.get("tokens", {}).get("bot"):
        workspaces.forget(_owner(context))


def _owner(context: BoltContext) -> str:
    """Whose installation this came by: the organisation's or the workspace's."""
    return (context.enterprise_id if context.is_enterprise_install else context.team_id) or ""


def answer_this(
    ack: Ack, shortcut: Json, context: BoltContext, intake: Intake, respond: Respond, later: Later
) -> None:
    """The shortcut of a message, for posts that were not for the bot."""
    channel, team = shortcut["channel"]["id"], context.team_id or ""
    event = {**shortcut["message"], "channel": channel, "type": "app_mention"}
    new = intake.post(team, event, asked=True, shared=bool(shortcut.get("is_ext_shared_channel")))
    ack()
    words = "Looking into it: the answer comes in its thread."
    later(respond, words if new else "That one is answered or being answered already.")


def deskmate(
    ack: Ack,
    command: Json,
    context: BoltContext,
    respond: Respond,
    desk: Desk,
    intake: Intake,
    people: People,
    later: Later,
) -> None:
    """`/deskmate ask|status|index`."""
    word, _, rest = command.get("text", "").strip().partition(" ")
    match word.lower():
        case "ask" if rest.strip():
            intake.question(context.team_id or "", {**command, "question": rest.strip()})
            ack("Looking into it …")
        case "status":
            ack()
            later(_for_staff, people, context, respond, lambda: home.status(desk))
        case "index":
            ack("Bringing the articles up to date …")
            later(_for_staff, people, context, respond, lambda: _index(desk))
        case _:
            ack(HELP)


def _for_staff(people: People, context: BoltContext, respond: Respond, words: Any) -> None:
    respond(words() if people.is_staff(context.user_id or "") else ONLY_STAFF)


def _index(desk: Desk) -> str:
    try:
        reports = desk.index_plugins()
    except DeskmateError as error:
        return f"The articles could not be brought up to date: {error}"
    articles, passages = desk.lexical.counts()
    lines = [
        f"{report.source}: {report.added} new, {report.changed} changed, {report.removed} removed,"
        f" {len(report.unreadable)} unreadable"
        for report in reports
    ]
    none = "No plugin brings articles; `deskmate index PATH` reads a folder."
    return "\n".join([*(lines or [none]), f"{articles} articles, {passages} passages."])
