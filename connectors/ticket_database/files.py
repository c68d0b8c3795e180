"""Attachments: content in the database, files below one folder, and URLs of known places."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Sequence
from mimetypes import guess_type
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from assistant import Attachment

TIMEOUT_SECONDS = 20


class Files:
    """Reads attachments up to `max_bytes`, of paths below `folder` and of URLs that begin with one
    of `places` only: what stands in a customer's row must not lead anywhere else."""

    def __init__(self, folder: Path | None, places: Sequence[str], max_bytes: int) -> None:
        self._folder = folder.resolve() if folder else None
        self._places = tuple(places)
        self._max_bytes = max_bytes
        self._opener = urllib.request.build_opener(_NoRedirects())

    def read(
        self,
        how: Literal["content", "path", "url"],
        place: Any,
        filename: str,
        media_type: str,
        shards: Sequence[int] = (),
    ) -> Attachment:
        """The attachment; what cannot be had for good is `missing`, with the reason. Raises
        ConnectionError where trying again may help."""
        media_type = media_type or guess_type(filename)[0] or "application/octet-stream"
        content, missing = b"", ""
        if place is None or place == "":
            missing = "the database has no content for it"
        elif how == "content":
            content = place.encode() if isinstance(place, str) else bytes(place)
        elif how == "path":
            content, missing = self._of_path(str(place), shards)
        else:
            content, missing = self._of_url(str(place))
        if len(content) > self._max_bytes:
            content, missing = b"", f"it is larger than {self._max_bytes // 1_000_000} MB"
        return Attachment(media_type, filename, content, missing)

    def _of_path(self, name: str, shards: Sequence[int]) -> tuple[bytes, str]:
        if self._folder is None:
            return b"", "files_dir is not set"
        folders, begin = [], 0
        for length in shards:
            folders.append(name[begin : begin + length])
            begin += length
        path = self._folder.joinpath(*folders, name.lstrip("/")).resolve()
        if not path.is_relative_to(self._folder):
            return b"", "its path leads out of files_dir"
        try:
            with path.open("rb") as file:
                return file.read(self._max_bytes + 1), ""
        except OSError as error:
            return b"", f"it cannot be read: {error.strerror}"

    def _of_url(self, url: str) -> tuple[bytes, str]:
        if ".." in unquote(unquote(url)) or not url.startswith(self._places or ("\0",)):
            return b"", "its address is not among file_urls"
        try:
            with self._opener.open(url, timeout=TIMEOUT_SECONDS) as response:
                content: bytes = response.read(self._max_bytes + 1)
                return content, ""
        except urllib.error.HTTPError as error:
            if error.code >= 500 or error.code == 429:
                raise ConnectionError(f"an attachment's server answers {error.code}") from None
            return b"", f"its server answers {error.code}"
        except (OSError, ValueError) as error:
            raise ConnectionError(f"an attachment cannot be fetched: {error}") from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        """Never follows: where a redirect leads, nobody allowed."""
