"""A post as a message: words, files, who wrote it, what they may see."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from assistant import Attachment, Message
from connectors.slack import files, mrkdwn
from connectors.slack.client import Client
from connectors.slack.intake import NAME
from connectors.slack.people import People
from connectors.slack.place import Place, message_id
from connectors.slack.workspaces import Workspace, Workspaces

Json = Mapping[str, Any]

MOST_FILES = 10
_TO_SOMEBODY = re.compile(r"\s*<@(\w+)[|>]")


class Reader:
    """Reads posts. Files of more than `max_file_bytes` are not fetched. `members_see_internal`
    lets full members see internal articles where nobody else reads along."""

    def __init__(
        self,
        workspaces: Workspaces,
        people: People,
        max_file_bytes: int,
        members_see_internal: bool,
    ) -> None:
        self._workspaces = workspaces
        self._people = people
        self._max_file_bytes = max_file_bytes
        self._members_see_internal = members_see_internal

    def message(
        self,
        place: Place,
        event: Json,
        author: Literal["customer", "assistant", "staff"] = "customer",
        *,
        shared: bool,
        last_try: bool = False,
        with_files: bool = True,
    ) -> Message:
        """The post as a message of this conversation.

        Raises LaterError if Slack does not give a file just now, unless it is the `last_try`.
        """
        user = event.get("user", "")
        client = self._workspaces.client(place.team)
        return Message(
            connector=NAME,
            external_id=message_id(place.channel, event["ts"]),
            thread_id=place.thread_id,
            sender=self._people.name(place.team, user),
            text=self.text(place.team, event),
            attachments=tuple(self._attachments(client, event, last_try)) if with_files else (),
            audience=self.audience(place.team, place.channel, user, shared=shared),
            author=author,
            sent_at=datetime.fromtimestamp(float(event["ts"]), UTC),
        )

    def text(self, team: str, event: Json) -> str:
        """The post's words, with those of posts that it forwards."""
        workspace = self._workspaces.find(team)
        bot_user = workspace.user if workspace else ""

        def name_of(user: str) -> str:
            return self._people.short_name(team, user)

        texts = [event.get("text") or ""]
        texts += [forwarded.get("text") or "" for forwarded in _forwarded(event)]
        return "\n\n".join(filter(None, (mrkdwn.plain(t, name_of, bot_user) for t in texts)))

    def audience(
        self, team: str, channel: str, user: str, *, shared: bool
    ) -> Literal["public", "internal"]:
        """What may be shown: internal articles only to a full member of the own workspace, and only
        where nobody else reads the answer."""
        alone = channel.startswith("D") and not shared
        if self._members_see_internal and alone and self._people.is_member(team, user):
            return "internal"
        return "public"

    def _attachments(self, client: Client, event: Json, last_try: bool) -> Iterator[Attachment]:
        found = [*event.get("files", ())]
        for forwarded in _forwarded(event):
            found += forwarded.get("files", ())
        for file in found[:MOST_FILES]:
            spoken = None
            try:
                spoken = files.transcript(client, file, self._max_file_bytes)
            except files.LaterError:
                if not last_try:
                    raise
            if spoken:
                yield spoken
                if not _shows_something(file):
                    continue  # its words stand for it; who wants to hear it does so in Slack
            try:
                yield files.fetch(client, file, self._max_file_bytes)
            except files.LaterError:
                if not last_try:
                    raise
                reason = "Slack did not give it, several times"
                yield Attachment(file.get("mimetype", ""), file.get("name", "file"), b"", reason)
        if left := found[MOST_FILES:]:
            reason = f"only the first {MOST_FILES} files of a post are read"
            yield Attachment("", f"{len(left)} more files", b"", reason)


def to_somebody_else(event: Json, workspace: Workspace) -> bool:
    """Whether the post begins with the name of another person."""
    found = _TO_SOMEBODY.match(event.get("text") or "")
    return found is not None and found.group(1) != workspace.user


def _shows_something(file: Json) -> bool:
    """Whether there is more than sound; Slack gives voice notes the media type of a film."""
    sound = file.get("subtype") == "slack_audio" or file.get("media_display_type") == "audio"
    return not sound and not (file.get("mimetype") or "").startswith("audio/")


def _forwarded(event: Json) -> list[Json]:
    """Posts that this one forwards."""
    return [each for each in event.get("attachments") or () if each.get("is_share")]
