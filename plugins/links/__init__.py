"""Reads the pages that customers link to, so that `it looks like this: https://…` is understood.

    [plugins.links]
    enabled = true
    hosts = ["status.example.com", "*.example.com"]     # empty: any public host

What a page says goes on as a file of text beside the message. Whoever writes to support can make
Deskmate ask for any address: `fetching.py` sees to it that only public ones are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from assistant import Attachment, Message, UnreadableError, hookimpl

_URL = re.compile(r"https?://[^\s<>\"'`|\\^{}]{1,2000}")


class Links:
    """The plugin: `[plugins.links]`; it fetches nothing until it is enabled."""

    permissions = frozenset({"tickets:read", "tickets:write", "network"})

    class Settings(BaseModel):
        """Which pages are fetched, and how much of them."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        enabled: bool = Field(False, description="Fetch pages that customers link to.")
        hosts: tuple[str, ...] = Field((), description="Only these, such as *.example.com.")
        most: int = Field(2, ge=1, le=5, description="Pages for one message.")
        max_kb: int = Field(1_000, ge=1, le=10_000, description="Of a page; the rest is left.")
        timeout_seconds: float = Field(5.0, gt=0, le=10, description="For one page, in all.")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @hookimpl
    def message_received(self, message: Message) -> Message | None:
        """Adds a file for each page; one that cannot be had is a file that says why."""
        if not self.settings.enabled:
            return None
        pages = tuple(self._page(url) for url in self.urls(message.text))
        return replace(message, attachments=message.attachments + pages) if pages else None

    def urls(self, text: str) -> Iterator[str]:
        """The links in a text that may be fetched, each once."""
        found = dict.fromkeys(match[0].rstrip(".,;:!?)]*_") for match in _URL.finditer(text))
        allowed = [url for url in found if self._may(url)]
        yield from allowed[: self.settings.most]

    def _may(self, url: str) -> bool:
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            return False
        return not self.settings.hosts or any(fnmatch(host, name) for name in self.settings.hosts)

    def _page(self, url: str) -> Attachment:
        from plugins.links.fetching import fetch

        name = f"{urlsplit(url).hostname}.txt"
        try:
            text = fetch(
                url,
                allowed=self._may,
                max_bytes=self.settings.max_kb * 1_000,
                timeout_s=self.settings.timeout_seconds,
            )
        except UnreadableError as error:
            return Attachment("text/plain", name, b"", missing=str(error))
        return Attachment("text/plain", name, text.encode())
