"""Where a conversation is, and how its messages are named.

thread     team/channel/ts          ts of the thread's first message
top level  team/channel/ts/top      direct messages outside of threads; ts of the first one
message    channel/ts               the same for everything Slack delivers about one post
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A conversation. `threaded` is False for direct messages that are written one below the
    other; the answer is written so too."""

    team: str
    channel: str
    ts: str
    threaded: bool = True

    @classmethod
    def parse(cls, thread_id: str) -> Place:
        """The place that `thread_id` names."""
        team, channel, ts, *top = thread_id.split("/")
        return cls(team, channel, ts, threaded=not top)

    @property
    def thread_id(self) -> str:
        """The name of the conversation."""
        return f"{self.team}/{self.channel}/{self.ts}" + ("" if self.threaded else "/top")

    @property
    def thread_ts(self) -> str | None:
        """What `chat.postMessage` is told."""
        return self.ts if self.threaded else None


def message_id(channel: str, ts: str) -> str:
    """The name of a post."""
    return f"{channel}/{ts}"


def ts_of(external_id: str) -> str:
    """The time stamp of the post that something is named after."""
    return external_id.split("/")[1]
