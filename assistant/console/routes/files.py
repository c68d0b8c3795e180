"""Attachments, on a path of their own, as something that browsers show and never run."""

from __future__ import annotations

from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import Response

from assistant.console import ranges, security
from assistant.console.access import Pages
from assistant.console.calls import Call
from assistant.errors import UnreadableError
from assistant.messages import Attachment

SHOWN = {
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "video/mp4",
    "video/webm",
    "video/quicktime",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "audio/wav",
    "audio/webm",
}
"""Media types that are shown in the page. All else, SVG and HTML above all, is only downloaded."""

HEADERS = {
    "Content-Security-Policy": security.FILE_POLICY,
    "Cache-Control": "private, max-age=3600",
}

pages = Pages()


@pages.get("/files/{message:int}/{position:int}", allow="viewer")
def attachment(call: Call) -> Response:
    """One attachment of a customer's message, or a part of it."""
    file = _file(call)
    media_type = file.media_type.split(";")[0].strip().lower()
    shown = media_type in SHOWN
    name = quote(file.filename.replace("/", "_") or "file", safe="")
    headers = {
        **HEADERS,
        "Content-Disposition": f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{name}",
    }
    media_type = media_type if shown else "application/octet-stream"
    return ranges.answer(call.request, file.content, file.sha256, media_type, headers)


@pages.get("/files/{message:int}/{position:int}/scenes/{scene:int}", allow="viewer")
def scene(call: Call) -> Response:
    """A scene of a recording, as the assistant looked at it."""
    number = call.number("scene")
    try:
        scenes = call.office.scenes.of(_file(call))
    except UnreadableError as error:
        raise HTTPException(404, f"This file shows nothing: {error}.") from error
    if number >= len(scenes):
        raise HTTPException(404, "There is no such scene.")
    return Response(scenes[number], headers=HEADERS, media_type="image/jpeg")


def _file(call: Call) -> Attachment:
    found = call.tickets.timelines.file(call.number("message"), call.number("position"))
    if found is None or found[1].missing:
        raise HTTPException(404, "There is no such file.")
    return found[1]
