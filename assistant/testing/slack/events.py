"""What the app is told, in Slack's form."""

from __future__ import annotations

import time

from assistant.testing.slack.delivery import Deliveries, Delivery
from assistant.testing.slack.workspaces import Channel, Json, Team, Workspaces


class Events:
    """Makes events and interactions, and sends them on their way."""

    def __init__(self, workspaces: Workspaces, deliveries: Deliveries) -> None:
        self._workspaces = workspaces
        self._deliveries = deliveries

    def message(self, channel: Channel, message: Json, team: Team) -> None:
        """A message was posted; the app is told where its bot is a member."""
        if team.bot_user not in channel.members:
            return
        event = {**message, "channel": channel.id, "event_ts": message["ts"]}
        self.event({**event, "channel_type": channel.kind}, team, channel)
        if f"<@{team.bot_user}>" in message.get("text", "") and channel.kind != "im":
            mention = {k: v for k, v in event.items() if k != "subtype"}
            self.event({**mention, "type": "app_mention"}, team, channel)

    def change(self, channel_id: str, subtype: str, change: Json) -> None:
        """A message was edited or deleted."""
        channel = self._workspaces.channel(channel_id)
        about = {"channel": channel_id, "channel_type": channel.kind, "hidden": True}
        event = {"type": "message", "subtype": subtype, "ts": self._workspaces.new_ts(), **about}
        self.event({**event, **change}, self._workspaces.teams[channel.team], channel)

    def event(self, event: Json, team: Team, channel: Channel | None = None) -> Delivery:
        """Anything that the Events API tells."""
        org = team.enterprise or None
        bot = {"enterprise_id": org, "team_id": None if org else team.id, "user_id": team.bot_user}
        envelope = {
            "type": "event_callback",
            "team_id": team.id,
            "api_app_id": "A00000001",
            "event": event,
            "event_id": self._workspaces.new_id("Ev"),
            "event_time": int(time.time()),
            "enterprise_id": org,
            "authorizations": [{**bot, "is_bot": True, "is_enterprise_install": bool(org)}],
            "is_ext_shared_channel": bool(channel and channel.shared_with),
            "context_team_id": team.id,
        }
        return self._deliveries.send("events_api", envelope)

    def interaction(
        self, team: Team, kind: str, user: str, about: Json, channel_id: str = ""
    ) -> Delivery:
        """Somebody uses a button, a modal or a shortcut."""
        who = self._workspaces.users[user]
        payload = {
            "type": kind,
            "user": {"id": user, "name": who["name"], "team_id": who["team_id"]},
            "team": None if team.enterprise else {"id": team.id, "domain": team.name},
            "enterprise": {"id": team.enterprise, "name": "org"} if team.enterprise else None,
            "is_enterprise_install": bool(team.enterprise),
            "trigger_id": self._workspaces.new_id("X"),
            "response_url": self._workspaces.new_response_url(),
            **about,
        }
        if channel_id:
            payload["channel"] = {"id": channel_id}
        return self._deliveries.send("interactive", payload)
