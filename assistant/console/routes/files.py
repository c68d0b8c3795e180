"""Attachments, on a path of their own, as something that browsers show and never run."""

from __future__ import annotations

from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import Response

from assistant.console import security
from assistant.console.access import Pages
from assistant.console.calls import Call

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

pages = Pages()


@pages.get("/files/{message:int}/{position:int}", allow="viewer")
def attachment(call: Call) -> Response:
    """One attachment of a customer's message."""
    found = call.tickets.timelines.file(call.number("message"), call.number("position"))
    if found is None or found[1].missing:
        raise HTTPException(404, "There is no such file.")
    file = found[1]
    media_type = file.media_type.split(";")[0].strip().lower()
    shown = media_type in SHOWN
    name = quote(file.filename.replace("/", "_") or "file", safe="")
    headers = {
        "Content-Disposition": f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{name}",
        "Content-Security-Policy": security.FILE_POLICY,
        "Cache-Control": "private, max-age=3600",
    }
    media_type = media_type if shown else "application/octet-stream"
    return Response(file.content, headers=headers, media_type=media_type)
