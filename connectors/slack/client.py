"""The Web API's client, with patience.

Slack limits how often each method is called and says how long to wait
(https://docs.slack.dev/apis/web-api/rate-limits). All threads of the process then wait for that
method, instead of asking again and prolonging the limit.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

LONGEST_WAIT_SECONDS = 40.0
TIMEOUT_SECONDS = 15


class BusyError(Exception):
    """Slack asks to wait for longer than a call should; the work is done later."""


class Limits:
    """When each method of each team may be called again; shared by the process's clients."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free_at: dict[tuple[str, str], float] = {}

    def wait(self, token: str, method: str, deadline: float) -> None:
        """Waits until the method may be called. Raises BusyError if that is after `deadline`."""
        while True:
            with self._lock:
                pause = self._free_at.get((token, method), 0.0) - time.monotonic()
            if pause <= 0:
                return
            if time.monotonic() + pause > deadline:
                raise BusyError(f"Slack wants {pause:.0f} s without {method}")
            time.sleep(pause)

    def note(self, token: str, method: str, retry_after_seconds: float) -> None:
        """Slack said so."""
        with self._lock:
            self._free_at[token, method] = time.monotonic() + retry_after_seconds


class Client(WebClient):
    """slack_sdk's client; a call that is limited waits and is made again. One whose connection ends
    is not, as slack_sdk would by itself: Slack may have taken it, and there would be two posts."""

    def __init__(self, token: str | None, base_url: str, limits: Limits) -> None:
        super().__init__(token, base_url=base_url, timeout=TIMEOUT_SECONDS, retry_handlers=[])
        self._limits = limits

    def api_call(self, api_method: str, **arguments: Any) -> SlackResponse:
        """Calls a method. Raises SlackApiError, or BusyError if Slack asks to wait too long."""
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while True:
            self._limits.wait(self.token or "", api_method, deadline)
            try:
                return super().api_call(api_method, **arguments)
            except SlackApiError as error:
                if error.response.status_code != 429:
                    raise
                after = float(error.response.headers.get("Retry-After", 1))
                self._limits.note(self.token or "", api_method, after)


def error_name(error: SlackApiError) -> str:
    """Slack's name of what went wrong, such as `not_in_channel`."""
    return str(error.response.get("error", ""))
