"""Knowledge sync: a real folder, a real Git repository and a real web site, indexed on change."""

from __future__ import annotations

import functools
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assistant.desk import Desk
from assistant.model.encoder import MultimodalEncoder
from assistant.plugging import Plugins
from assistant.settings import Settings
from assistant.testing.desk import PluginDesk
from plugins.knowledge_sync import KnowledgeSync


@pytest.fixture
def follow(tmp_path: Path, encoder: MultimodalEncoder) -> Iterator:
    """Opens a desk that follows these sources; returns it and the plugin."""
    desks = []

    def make(**table) -> tuple[Desk, KnowledgeSync]:
        plugin = KnowledgeSync(KnowledgeSync.Settings(cache=tmp_path / "cache", **table))
        plugins = Plugins()
        plugins.register("knowledge-sync", plugin)
        desk = Desk(Settings(data_dir=tmp_path / "data"), plugins=plugins)
        desk.encoder = encoder
        desks.append(desk)
        assert list(desk.connectors) == ["knowledge-sync"]
        return desk, plugin

    yield make
    for desk in desks:
        desk.close()


def articles(desk: Desk) -> int:
    return desk.lexical.counts()[0]


def test_a_folder_is_indexed_again_only_when_it_changed(follow, tmp_path: Path) -> None:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "a.md").write_text("# Parcels\n\nParcels take three days.\n")
    desk, plugin = follow(folders={"handbook": folder})

    assert plugin.look() == []
    assert desk.rank("parcels").articles == ("handbook/a.md",)

    calls = []
    index = desk.index
    desk.index = lambda *a: calls.append(a) or index(*a)
    assert plugin.look() == []
    assert calls == []

    (folder / "b.md").write_text("# Returns\n\nReturns are free for thirty days.\n")
    (folder / "a.md").unlink()
    assert plugin.look() == []
    assert desk.rank("returns").articles == ("handbook/b.md",)


def test_a_repository_is_pulled(follow, tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    origin.mkdir()

    def git(*arguments: str) -> None:
        who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
        subprocess.run(["git", "-C", origin, *who, *arguments], check=True, capture_output=True)

    def commit(name: str, text: str) -> None:
        (origin / name).write_text(text)
        git("add", "-A")
        git("commit", "-m", "A change")

    git("init")
    commit("a.md", "# Parcels\n\nParcels take three days.\n")
    desk, plugin = follow(git={"docs": f"file://{origin}"})
    assert plugin.look() == []
    assert articles(desk) == 1

    commit("b.md", "# Returns\n\nReturns are free for thirty days.\n")
    assert plugin.look() == []

    assert desk.rank("returns").articles[0] == "docs/b.md"


def test_a_site_is_mirrored_by_its_sitemap(follow, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"

        def publish(*pages: tuple[str, str]) -> None:
            for name, _ in pages:
                (site / name).write_text(f"<h1>{name}</h1><p>All about {name[:-5]} is here.</p>")
            entries = "".join(
                f"<url><loc>{url}/{name}</loc><lastmod>{changed}</lastmod></url>"
                for name, changed in pages
            )
            (site / "sitemap.xml").write_text(
                f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}'
                "<url><loc>http://elsewhere.example/x</loc></url></urlset>"
            )

        publish(("parcels.html", "2026-01-01"), ("invoices.html", "2026-01-01"))
        desk, plugin = follow(sitemaps={"site": f"{url}/sitemap.xml"})
        assert plugin.look() == []
        assert articles(desk) == 2

        publish(("parcels.html", "2026-01-01"), ("returns.html", "2026-01-02"))
        assert plugin.look() == []
        server.shutdown()

    assert articles(desk) == 2
    assert desk.rank("returns").articles[0].startswith("site/returns")


def test_what_is_away_holds_up_nothing_and_keeps_its_articles(follow, tmp_path: Path) -> None:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "a.md").write_text("# Parcels\n\nParcels take three days.\n")
    desk, plugin = follow(
        folders={"away": tmp_path / "none", "handbook": folder},
        sitemaps={"site": "http://127.0.0.1:9/sitemap.xml"},
    )

    assert len(plugin.look()) == 2
    assert articles(desk) == 1

    os.rename(folder, tmp_path / "moved")
    assert len(plugin.look()) == 3
    assert articles(desk) == 1


def test_it_ends_when_the_desk_does(follow) -> None:
    _, plugin = follow(every_seconds=1)
    stop = threading.Event()
    stop.set()

    plugin.run(lambda message: None, stop)


def test_it_is_off_without_a_place_for_copies(plugin_desk: PluginDesk) -> None:
    plugin_desk.add("knowledge-sync", KnowledgeSync)

    assert plugin_desk.connectors() == {}
