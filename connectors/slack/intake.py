"""What of everything that Slack delivers is for us; it is noted, and may then be acknowledged.

Noted under the post's own name, so that all that Slack delivers about one post is one arrival: the
redelivery, and the `message` beside the `app_mention`.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from connectors.slack.place import Place, message_id, ts_of

if TYPE_CHECKING:
    from assistant.tickets.arrivals import Arrival
    from assistant.tickets.repository import Tickets

NAME = "slack"
TOGETHER_SECONDS = 30.0
"""Posts that one person writes below each other in a channel within this time are one question."""
SAME_TALK_SECONDS = 8 * 3600.0
"""The same for direct messages: a new subject after a working day."""
OVERTAKING_SECONDS = 60.0
"""An edit that comes before the post it changes comes within this time of it."""
LOCKS = 64
HEARD = (None, "file_share", "thread_broadcast", "me_message")
"""Subtypes of messages that people write; the others are joins, topics, bots."""

Json = Mapping[str, Any]


class Intake:
    """Decides and notes. `channels` are those in which every post is for us; `wake` is called after
    something was noted."""

    def __init__(
        self, tickets: Tickets, channels: Collection[str], wake: Callable[[], None]
    ) -> None:
        self._tickets = tickets
        self._channels = frozenset(channels)
        self._wake = wake
        # What a post belongs to depends on the same person's posts before it.
        self._one_by_one = [threading.Lock() for _ in range(LOCKS)]

    def post(self, team: str, event: Json, *, asked: bool, shared: bool) -> bool:
        """A post; `asked` says that the bot is mentioned or chosen, `shared` that people of other
        organisations read the channel. Returns whether it is new and for us."""
        if event.get("bot_id") or not event.get("user") or event.get("subtype") not in HEARD:
            return False
        sender = _sender(team, event)
        with self._one_by_one[zlib.crc32(sender.encode()) % LOCKS]:
            place = self._place(team, event, sender, asked)
            if place is None:
                return False
            payload = {"kind": "post", "event": dict(event), "asked": asked, "shared": shared}
            name = message_id(event["channel"], event["ts"])
            return self._note(name, place.thread_id, sender, payload)

    def edit(self, team: str, event: Json, *, mention: str, shared: bool) -> None:
        """The author changed a post. It may come before the post itself, and a mention of the bot
        may have come into it only now: then it is the post."""
        message, before = event["message"], event.get("previous_message", {})
        if message.get("text") == before.get("text"):
            return  # Slack also tells of a link's preview in this way
        asked = mention in (message.get("text") or "")
        edited = message.get("edited", {}).get("ts", event["ts"])
        if asked or float(edited) - float(message["ts"]) < OVERTAKING_SECONDS:
            about = {"channel": event["channel"], "channel_type": event.get("channel_type")}
            if self.post(team, {**message, **about}, asked=asked, shared=shared):
                return
        name = message_id(event["channel"], message["ts"])
        known = self._tickets.arrivals.find(NAME, name)
        if known is not None:
            payload = {
                "kind": "edit",
                "event": {**message, "channel": event["channel"]},
                "before": before.get("text", ""),
                "shared": shared,
            }
            self._note(f"{name}/edit/{edited}", known.conversation, "", payload)

    def delete(self, team: str, event: Json) -> None:
        """The author deleted a post, perhaps one from before we came. Should this come before the
        post itself, it takes the post's name, and the post is not heard any more."""
        channel, ts = event["channel"], event["deleted_ts"]
        root = event.get("previous_message", {}).get("thread_ts") or ts
        conversation = Place(team, channel, root).thread_id
        name = message_id(channel, ts)
        overtook = float(event["ts"]) - float(ts) < OVERTAKING_SECONDS
        if overtook and self._note(name, conversation, "", {"kind": "delete"}):
            return
        known = self._tickets.arrivals.find(NAME, name)
        conversation = known.conversation if known else conversation
        if known or self._follows(Place.parse(conversation)):
            self._note(f"{name}/delete", conversation, "", {"kind": "delete"})

    def person(self, place: Place, answer_ts: str, user: str) -> None:
        """Somebody pressed “Talk to a person” under the answer of this time stamp."""
        name = f"{message_id(place.channel, answer_ts)}/person/{user}"
        self._note(name, place.thread_id, "", {"kind": "person", "user": user})

    def question(self, team: str, command: Json) -> None:
        """Somebody typed `/deskmate ask …`."""
        name = f"command/{command['trigger_id']}"
        self._note(
            name, f"{team}/command/{name}", "", {"kind": "question", "command": dict(command)}
        )

    def _note(self, name: str, conversation: str, sender: str, payload: Json) -> bool:
        new = self._tickets.arrivals.note(NAME, name, conversation, sender, payload)
        if new:
            self._wake()
        return new

    def _place(self, team: str, event: Json, sender: str, asked: bool) -> Place | None:
        """The conversation that a post belongs to, None if it is not for us."""
        channel, ts, thread_ts = event["channel"], event["ts"], event.get("thread_ts")
        direct = event.get("channel_type") == "im"
        for_us = asked or direct or channel in self._channels
        if thread_ts and thread_ts != ts:
            place = Place(team, channel, thread_ts)
            return place if for_us or self._follows(place) else None
        last = self._tickets.arrivals.latest(NAME, sender)
        if last and self._goes_on(last, ts, direct):
            return Place.parse(last.conversation)
        return Place(team, channel, ts, threaded=not direct) if for_us else None

    def _goes_on(self, last: Arrival, ts: str, direct: bool) -> bool:
        """Whether a post of this time goes on with the same person's last one."""
        apart = abs(float(ts) - float(ts_of(last.external_id)))
        if not direct:
            return apart <= TOGETHER_SECONDS
        ticket = self._tickets.find(NAME, last.conversation)
        solved = ticket is not None and ticket.status == "solved"
        return apart <= (TOGETHER_SECONDS if solved else SAME_TALK_SECONDS)

    def _follows(self, place: Place) -> bool:
        thread = place.thread_id
        return (
            self._tickets.arrivals.waits(NAME, thread)
            or self._tickets.find(NAME, thread) is not None
        )


def _sender(team: str, event: Json) -> str:
    """Who wrote, in which channel or thread: what belongs together is looked for there."""
    channel, ts, thread_ts = event["channel"], event["ts"], event.get("thread_ts")
    where = f"{channel}/{thread_ts}" if thread_ts and thread_ts != ts else channel
    return f"{team}/{where}/{event['user']}"
