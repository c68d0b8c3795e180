"""“Looking …”, at once: people see that they were heard."""

from __future__ import annotations

import logging
import time

from slack_sdk.errors import SlackApiError

from connectors.slack.client import BusyError
from connectors.slack.place import Place
from connectors.slack.workspaces import Workspaces

WORDS = "is looking into it …"
NOTE = "Looking into it …"
AGAIN_SECONDS = 60.0

log = logging.getLogger("deskmate.connectors.slack")


class Status:
    """Shows it as the bot's status in the thread, which Slack takes away with the answer or after
    two minutes. Where that cannot be (outside of threads, or an older Slack), as a note that only
    the sender sees."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces
        self._noted: dict[str, float] = {}

    def show(self, place: Place, user: str) -> None:
        """Shows it; if that fails, the answer comes without."""
        try:
            client = self._workspaces.client(place.team)
            if place.threaded:
                try:
                    client.assistant_threads_setStatus(
                        channel_id=place.channel, thread_ts=place.ts, status=WORDS
                    )
                    return
                except SlackApiError:
                    log.debug("no_status channel=%s", place.channel)
            self._note(place, user)
        except (SlackApiError, BusyError, OSError) as error:
            log.info("failed_status channel=%s error=%s", place.channel, type(error).__name__)

    def _note(self, place: Place, user: str) -> None:
        now = time.monotonic()
        self._noted = {k: at for k, at in self._noted.items() if now - at < AGAIN_SECONDS}
        if place.thread_id not in self._noted:
            self._noted[place.thread_id] = now
            self._workspaces.client(place.team).chat_postEphemeral(
                channel=place.channel, user=user, text=NOTE, thread_ts=place.thread_ts
            )
