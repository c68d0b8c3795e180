"""Keeps the index up to date with folders, Git repositories and web sites, while the desk serves.

    [plugins.knowledge-sync]
    cache = "data/knowledge"            # where copies are kept; without one it does nothing
    every_seconds = 300

    [plugins.knowledge-sync.folders]
    handbook = "/srv/handbook"
    [plugins.knowledge-sync.git]
    docs = "https://git.example.com/docs.git"
    [plugins.knowledge-sync.sitemaps]
    site = "https://help.example.com/sitemap.xml"

Each is a source of its own in the index, and is indexed again when something in it changed. What
cannot be reached stays as it was.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from assistant import Accept, Connector, Reply, UndeliverableError, hookimpl

if TYPE_CHECKING:
    from assistant import Desk

TIMEOUT_S = 60
MOST_PAGES = 5_000
LARGEST_BYTES = 20_000_000


class KnowledgeSync:
    """The plugin: `[plugins.knowledge-sync]`. It is a connector for its thread only."""

    name = "knowledge-sync"
    permissions = frozenset({"sending", "network"})

    class Settings(BaseModel):
        """What is followed, by the name of its source."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        cache: Path | None = Field(None, description="Folder for copies and what is known of them.")
        every_seconds: float = Field(300, ge=1, description="Between two looks.")
        folders: dict[str, Path] = Field({}, description="Folders of articles.")
        git: dict[str, str] = Field({}, description="Git repositories of articles.")
        sitemaps: dict[str, str] = Field({}, description="Sitemaps of help centres.")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._desk: Desk | None = None

    @hookimpl
    def register_connectors(self) -> list[Connector]:
        """Itself, once it has a place for copies."""
        return [self] if self.settings.cache else []

    def attach(self, desk: Desk) -> None:
        """Keeps the desk, whose index it is about."""
        self._desk = desk

    def run(self, accept: Accept, stop: threading.Event) -> None:
        """Looks again and again. What raises here is run again after a pause, and said in the log:
        the other sources come first, so that one that is away holds up none."""
        while True:
            failed = self.look()
            if failed:
                stop.wait(min(60, self.settings.every_seconds))
                raise ExceptionGroup("knowledge that cannot be reached", failed)
            if stop.wait(self.settings.every_seconds):
                return

    def send(self, reply: Reply) -> str:
        """Nobody is written to on this channel."""
        raise UndeliverableError("knowledge-sync is no channel for replies")

    def find_sent(self, reply: Reply) -> str | None:
        """Nothing ever is."""
        return None

    def look(self) -> list[Exception]:
        """Brings every source up to date once; returns what went wrong."""
        failed: list[Exception] = []
        for name, folder in self._sources():
            try:
                self._index_if_changed(name, folder())
            except Exception as error:
                failed.append(error)
        return failed

    def _sources(self) -> Iterator[tuple[str, Callable[[], Path]]]:
        assert self.settings.cache is not None
        for name, folder in self.settings.folders.items():
            yield name, lambda folder=folder: folder  # type: ignore[misc]
        for name, url in self.settings.git.items():
            copy = self.settings.cache / name
            yield name, lambda url=url, copy=copy: _pulled(url, copy)  # type: ignore[misc]
        for name, url in self.settings.sitemaps.items():
            copy = self.settings.cache / name
            yield name, lambda url=url, copy=copy: _mirrored(url, copy)  # type: ignore[misc]

    def _index_if_changed(self, name: str, folder: Path) -> None:
        from assistant import Folder

        assert self.settings.cache is not None
        assert self._desk is not None
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: there is no such folder.")
        known, state = self.settings.cache / f"{name}.state", _state(folder)
        if known.exists() and known.read_text() == state:
            return
        self._desk.index(Folder(folder, source=name))
        known.parent.mkdir(parents=True, exist_ok=True)
        known.write_text(state)  # after: a crash in between means one look too many


def _state(folder: Path) -> str:
    """Changes when a file does: a hash of names, sizes and times."""
    files = sorted(file for file in folder.rglob("*") if ".git" not in file.parts)
    seen = [(file, file.stat()) for file in files if file.is_file()]
    stats = [(str(file), stat.st_size, stat.st_mtime_ns) for file, stat in seen]
    return hashlib.sha256(json.dumps(stats).encode()).hexdigest()


def _pulled(url: str, copy: Path) -> Path:
    """A copy of the repository's newest commit."""
    if not (copy / ".git").exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        _git("clone", "--depth=1", "--", url, str(copy))
    else:
        _git("-C", str(copy), "fetch", "--depth=1", "origin", "HEAD")
        _git("-C", str(copy), "reset", "--hard", "FETCH_HEAD")
    return copy


def _git(*arguments: str) -> None:
    import subprocess

    # No questions on a terminal that nobody sees, and no helpers that a URL could name.
    environment = {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:ssh:git:file"}
    subprocess.run(  # noqa: S603
        ["git", *arguments],  # noqa: S607
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        timeout=TIMEOUT_S * 5,
    )


def _mirrored(url: str, copy: Path) -> Path:
    """The pages that a sitemap names, of its own host, each a file; pages that it no longer names
    are gone. A page is fetched again when its `lastmod` changes (sitemaps.org), or has none."""
    copy.mkdir(parents=True, exist_ok=True)
    noted = copy / ".pages.json"
    before: dict[str, str] = json.loads(noted.read_text()) if noted.exists() else {}
    pages = dict(_pages(url))
    for page, changed in pages.items():
        file = copy / _file_of(page)
        if changed and before.get(page) == changed and file.exists():
            continue
        content = _get(page)
        if not file.exists() or file.read_bytes() != content:
            file.write_bytes(content)
    for gone in set(before) - set(pages):
        (copy / _file_of(gone)).unlink(missing_ok=True)
    noted.write_text(json.dumps(pages))
    return copy


def _pages(url: str, deeper: bool = True) -> Iterator[tuple[str, str]]:
    """Address and `lastmod` of each page; a sitemap of sitemaps is followed once."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    root = etree.fromstring(_get(url), parser)
    for number, entry in enumerate(root):
        if number >= MOST_PAGES:
            return
        fields = {etree.QName(child).localname: (child.text or "").strip() for child in entry}
        place = fields.get("loc", "")
        if urlsplit(place)[:2] != urlsplit(url)[:2]:
            continue
        if etree.QName(root).localname == "sitemapindex":
            if deeper:
                yield from _pages(place, deeper=False)
        else:
            yield place, fields.get("lastmod", "")


def _get(url: str) -> bytes:
    import urllib.request

    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"{url}: is no web address.")
    request = urllib.request.Request(url, headers={"User-Agent": "Deskmate"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
        return bytes(response.read(LARGEST_BYTES))


def _file_of(page: str) -> str:
    readable = "".join(c if c.isalnum() else "-" for c in urlsplit(page).path.strip("/"))[:80]
    return f"{readable or 'index'}-{hashlib.sha256(page.encode()).hexdigest()[:8]}.html"
