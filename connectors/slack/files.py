"""Files of a post, fetched with the bot's token."""

from __future__ import annotations

import html
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlparse

from slack_sdk.errors import SlackApiError

from assistant import Attachment
from connectors.slack.client import Client, error_name

TIMEOUT_SECONDS = 30
SLACK_HOSTS = (".slack.com", ".slack-edge.com", ".slack-files.com", ".slack-gov.com")


class LaterError(Exception):
    """Slack cannot give the file just now."""


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows redirects within Slack only, since the token goes along."""

    def redirect_request(self, request: Any, *arguments: Any) -> Any:
        new = super().redirect_request(request, *arguments)
        if new and not _is_slacks(new.full_url, request.full_url):
            return None
        return new


_opener = urllib.request.build_opener(_SameHost)


def fetch(client: Client, file: Mapping[str, Any], max_bytes: int) -> Attachment:
    """The file as an attachment, its content or the reason why it is missing.

    `file` is Slack's file object. Raises LaterError for what may be well in a moment.
    """
    if file.get("file_access") == "check_file_info":  # Slack Connect: only the id is told
        try:
            file = client.files_info(file=file["id"])["file"]
        except SlackApiError as error:
            return _missing(file, f"Slack does not show it ({error_name(error)})")
    url = file.get("url_private_download") or file.get("url_private") or ""
    if file.get("mode") in ("tombstone", "hidden_by_limit"):
        return _missing(file, "it was deleted in Slack, or is hidden by the plan's limit")
    if file.get("is_external") or file.get("mode") == "external":
        return _missing(file, f"it lies outside of Slack ({file.get('external_type') or 'a link'})")
    if file.get("size", 0) > max_bytes:
        return _missing(file, f"it is larger than {max_bytes // 1_000_000} MB")
    if not _is_slacks(url, client.base_url):
        return _missing(file, "Slack names no address for it")
    return _download(client.token or "", file, url, max_bytes)


def transcript(client: Client, file: Mapping[str, Any], max_bytes: int) -> Attachment | None:
    """What Slack itself heard in a voice note or a recording, as a text; None if it heard nothing,
    as on plans without transcripts.

    Raises LaterError while Slack is still listening.
    """
    status = _heard(file).get("status")
    if status == "processing":
        try:
            file = client.files_info(file=file["id"])["file"]
        except SlackApiError as error:
            raise LaterError(f"files.info: {error_name(error)}") from error
        status = _heard(file).get("status")
        if status == "processing":
            raise LaterError("Slack still writes what is said in it")
    if status != "complete":
        return None
    beginning = _heard(file).get("preview") or {}
    words, url = beginning.get("content") or "", file.get("vtt") or ""
    if beginning.get("has_more") and _is_slacks(url, client.base_url):
        whole = _download(client.token or "", {**file, "mimetype": "text/vtt"}, url, max_bytes)
        words = _spoken(whole.content.decode("utf-8", "replace")) or words
    name = f"{_name(file)}.txt"
    return Attachment("text/plain", name, words.encode()) if words.strip() else None


def _heard(file: Mapping[str, Any]) -> Mapping[str, Any]:
    return file.get("transcription") or {}


def _spoken(vtt: str) -> str:
    """The words of a WebVTT file (https://www.w3.org/TR/webvtt1/): no times, numbers, voices."""
    cues = re.split(r"\n\s*\n", vtt.replace("\r", ""))
    spoken = [cue.partition("-->")[2].partition("\n")[2] for cue in cues if "-->" in cue]
    return html.unescape(re.sub(r"<[^>]*>", "", " ".join(" ".join(spoken).split())))


def _download(token: str, file: Mapping[str, Any], url: str, max_bytes: int) -> Attachment:
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the host was checked
    try:
        with _opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            content = response.read(max_bytes + 1)
            media_type = response.headers.get_content_type()
    except urllib.error.HTTPError as error:
        if error.code == 429 or error.code >= 500:
            raise LaterError(f"files: HTTP {error.code}") from error
        return _missing(file, f"Slack refused it (HTTP {error.code})")
    except (OSError, HTTPException) as error:
        raise LaterError(f"files: {type(error).__name__}") from error
    if len(content) > max_bytes:
        return _missing(file, f"it is larger than {max_bytes // 1_000_000} MB")
    if media_type == "text/html" and file.get("mimetype") != "text/html":
        return _missing(file, "Slack asked to sign in: the app lacks files:read, or its token died")
    return Attachment(_media_type(file), _name(file), content)


def _is_slacks(url: str, other: str) -> bool:
    """Whether the token may be sent there: to Slack, or to where the Web API is."""
    host, scheme = urlparse(url).hostname or "", urlparse(url).scheme
    if host == urlparse(other).hostname:
        return True
    return scheme == "https" and f".{host}".endswith(SLACK_HOSTS)


def _missing(file: Mapping[str, Any], reason: str) -> Attachment:
    return Attachment(_media_type(file), _name(file), b"", reason)


def _media_type(file: Mapping[str, Any]) -> str:
    return file.get("mimetype") or "application/octet-stream"


def _name(file: Mapping[str, Any]) -> str:
    return file.get("name") or file.get("title") or file.get("id") or "file"
