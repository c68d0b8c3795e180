"""The Web API's methods that a support bot uses (https://docs.slack.dev/reference/methods)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from assistant.testing.slack import blocks
from assistant.testing.slack.workspaces import ApiError, Channel, Json, Team, Workspaces, page

Method = Callable[[Workspaces, Team, Json], Json]

HISTORY_SCOPES = {"channel": "channels:history", "group": "groups:history", "im": "im:history"}
READ_SCOPES = {"channel": "channels:read", "group": "groups:read", "im": "im:read"}

_METHODS: dict[str, tuple[str, Method]] = {}


def call(workspaces: Workspaces, name: str, token: str, args: Json) -> Json:
    """What a method answers. Raises ApiError where Slack says `"ok": false`."""
    if name not in _METHODS:
        raise ApiError("unknown_method")
    scope, method = _METHODS[name]
    team = workspaces.team_of(token)
    require(team, scope)
    with workspaces.lock:
        return method(workspaces, team, args)


def require(team: Team, scope: str) -> None:
    """Raises ApiError if the team's token lacks the scope; the empty one everybody has."""
    if scope and scope not in team.scopes:
        raise ApiError("missing_scope")


def _method(name: str, scope: str = "") -> Callable[[Method], Method]:
    def add(function: Method) -> Method:
        _METHODS[name] = (scope, function)
        return function

    return add


@_method("auth.test")
def _auth_test(workspaces: Workspaces, team: Team, args: Json) -> Json:
    about = {"team_id": team.id, "team": team.name, "url": f"https://{team.name}.slack.com/"}
    return {**about, "user_id": team.bot_user, "user": "deskmate", "bot_id": team.bot_id}


@_method("chat.postMessage", "chat:write")
def _post(workspaces: Workspaces, team: Team, args: Json) -> Json:
    channel = workspaces.channel(args["channel"], team)
    blocks.check_message(args)
    _name_blocks(workspaces, args.get("blocks", ()))
    message = workspaces.add_message(channel, _bots_message(team, args), args.get("thread_ts"))
    return {"channel": channel.id, "ts": message["ts"], "message": message}


@_method("chat.update", "chat:write")
def _update(workspaces: Workspaces, team: Team, args: Json) -> Json:
    channel = workspaces.channel(args["channel"], team)
    message = _own(workspaces, team, channel, args["ts"])
    blocks.check_message(args)
    _name_blocks(workspaces, args.get("blocks", ()))
    message.update({key: args[key] for key in ("text", "blocks", "metadata") if key in args})
    return {"channel": channel.id, "ts": args["ts"], "text": message["text"]}


@_method("chat.delete", "chat:write")
def _delete(workspaces: Workspaces, team: Team, args: Json) -> Json:
    channel = workspaces.channel(args["channel"], team)
    channel.messages.remove(_own(workspaces, team, channel, args["ts"]))
    return {"channel": channel.id, "ts": args["ts"]}


@_method("chat.postEphemeral", "chat:write")
def _post_ephemeral(workspaces: Workspaces, team: Team, args: Json) -> Json:
    channel = workspaces.channel(args["channel"], team)
    if args["user"] not in channel.members:
        raise ApiError("user_not_in_channel")
    blocks.check_message(args)
    workspaces.ephemeral.append(dict(args))
    return {"message_ts": workspaces.new_ts()}


@_method("chat.getPermalink")
def _permalink(workspaces: Workspaces, team: Team, args: Json) -> Json:
    channel = workspaces.channel(args["channel"], team)
    message = workspaces.message(channel, args["message_ts"])
    name = f"p{message['ts'].replace('.', '')}"
    link = f"https://{team.name}.slack.com/archives/{channel.id}/{name}"
    return {"channel": channel.id, "permalink": link}


@_method("conversations.history")
def _history(workspaces: Workspaces, team: Team, args: Json) -> Json:
    channel = workspaces.channel(args["channel"], team)
    require(team, HISTORY_SCOPES[channel.kind])
    top = [m for m in channel.messages if m.get("thread_ts", m["ts"]) == m["ts"]]
    return _messages(list(reversed(_between(top, args))), args)


@_method("conversations.replies")
def _replies(workspaces: Workspaces, team: Team, args: Json) -> Json:
    channel = workspaces.channel(args["channel"], team)
    require(team, HISTORY_SCOPES[channel.kind])
    asked = workspaces.message(channel, args["ts"])
    thread = workspaces.thread(channel, str(asked.get("thread_ts", asked["ts"])))
    return _messages(_between(thread, args), args)


@_method("conversations.members")
def _members(workspaces: Workspaces, team: Team, args: Json) -> Json:
    channel = workspaces.channel(args["channel"], team)
    require(team, READ_SCOPES[channel.kind])
    ids, metadata = page([{"id": member} for member in channel.members], args)
    return {"members": [each["id"] for each in ids], "response_metadata": metadata}


@_method("users.info", "users:read")
def _user(workspaces: Workspaces, team: Team, args: Json) -> Json:
    if args["user"] not in workspaces.users:
        raise ApiError("user_not_found")
    return {"user": workspaces.users[args["user"]]}


@_method("files.info", "files:read")
def _file(workspaces: Workspaces, team: Team, args: Json) -> Json:
    if args["file"] not in workspaces.files:
        raise ApiError("file_not_found")
    return {"file": workspaces.files[args["file"]][0]}


@_method("views.open")
def _open_view(workspaces: Workspaces, team: Team, args: Json) -> Json:
    blocks.check_view(args["view"])
    view = {**args["view"], "id": workspaces.new_id("V"), "team_id": team.id}
    view["state"] = {"values": {}}
    workspaces.views[view["id"]] = view
    return {"view": view}


@_method("views.publish")
def _publish(workspaces: Workspaces, team: Team, args: Json) -> Json:
    blocks.check_view(args["view"])
    workspaces.homes[args["user_id"]] = args["view"]
    return {"view": args["view"]}


@_method("assistant.threads.setStatus", "chat:write")
def _set_status(workspaces: Workspaces, team: Team, args: Json) -> Json:
    workspaces.message(workspaces.channel(args["channel_id"], team), args["thread_ts"])
    workspaces.statuses.append(dict(args))
    return {}


def _bots_message(team: Team, args: Json) -> Json:
    kept = {key: args[key] for key in ("blocks", "metadata") if args.get(key)}
    values = {"user": team.bot_user, "bot_id": team.bot_id, "team": team.id}
    return {**values, "text": args.get("text", ""), **kept}


def _name_blocks(workspaces: Workspaces, shown: Iterable[Json]) -> None:
    for block in shown:
        block.setdefault("block_id", workspaces.new_id("b"))


def _own(workspaces: Workspaces, team: Team, channel: Channel, ts: str) -> Json:
    message = workspaces.message(channel, ts)
    if message.get("bot_id") != team.bot_id:
        raise ApiError("cant_update_message")
    return message


def _between(messages: list[Json], args: Json) -> list[Json]:
    oldest, latest = args.get("oldest") or "0", args.get("latest") or "9999999999"
    inclusive = _true(args.get("inclusive"))

    def fits(ts: str) -> bool:
        value, low, high = float(ts), float(oldest), float(latest)
        return low < value < high or (inclusive and value in (low, high))

    return [m for m in messages if fits(m["ts"])]


def _messages(messages: list[Json], args: Json) -> Json:
    shown, metadata = page(messages, args)
    if not _true(args.get("include_all_metadata")):
        shown = [{k: v for k, v in m.items() if k != "metadata"} for m in shown]
    more = bool(metadata["next_cursor"])
    return {"messages": shown, "has_more": more, "response_metadata": metadata}


def _true(value: Any) -> bool:
    return str(value).lower() in ("1", "true")
