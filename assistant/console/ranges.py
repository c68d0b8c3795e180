"""Parts of a file, as players of recordings ask for them (RFC 9110, section 14)."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

_ONE_RANGE = re.compile(r"bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})", re.IGNORECASE)


def answer(
    request: Request, content: bytes, etag: str, media_type: str, headers: dict[str, str]
) -> Response:
    """The file, or the part of it that is asked for: 206, or 416 if it has no such part.

    A request for several parts, and one that cannot be read, is answered with all of it, as RFC
    9110 allows; so is one for a part of another version of the file (If-Range). `etag` names this
    version.
    """
    headers = {**headers, "Accept-Ranges": "bytes", "ETag": f'"{etag}"'}
    same = request.headers.get("if-range", f'"{etag}"') == f'"{etag}"'
    part = _part(request.headers.get("range", ""), len(content)) if same else None
    if part is None:
        return Response(content, headers=headers, media_type=media_type)
    if not part:
        headers["Content-Range"] = f"bytes */{len(content)}"
        return Response(status_code=416, headers=headers)
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(content)}"
    return Response(content[part.start : part.stop], 206, headers=headers, media_type=media_type)


def _part(asked: str, length: int) -> range | None:
    """The positions of the bytes that are asked for, which may be none of them; None if no one
    part is asked for."""
    found = _ONE_RANGE.fullmatch(asked.strip())
    if found is None:
        return None
    first, last = found.groups()
    if first and last and int(last) < int(first):
        return None
    if first:
        return range(int(first), min(int(last) + 1, length) if last else length)
    return range(max(0, length - int(last)), length) if last else None
