"""What the assistant knows: sources, articles, and bringing them up to date."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from assistant.console import live
from assistant.console.access import Pages
from assistant.console.calls import Call
from assistant.console.work import Progress
from assistant.desk import Desk
from assistant.knowledge.catalogue import Wanted

pages = Pages()


@pages.get("/knowledge", allow="viewer", title="Knowledge")
def knowledge(call: Call) -> Response:
    """The sources, and the articles that are wanted."""
    catalogue = call.office.desk.catalogue
    kept = {name: call.asked(name) for name in ("source", "language", "audience", "words")}
    articles, after = catalogue.articles(Wanted(**kept), call.asked("after"))
    return call.show(
        "articles.html" if call.partial else "knowledge.html",
        sources=call.office.desk.lexical.sources() if not call.partial else [],
        runs=catalogue.runs(),
        languages=catalogue.languages(),
        articles=articles,
        after=after,
        kept=kept,
        query=lambda **more: urlencode({k: v for k, v in {**kept, **more}.items() if v}),
        **work_now(call),
    )


@pages.get("/knowledge/article", allow="viewer")
def article(call: Call) -> Response:
    """One article as the assistant knows it: its passages."""
    id_ = call.asked("id")
    found = call.office.desk.catalogue.article(id_)
    if found is None:
        raise HTTPException(404, f"The index holds no article {id_!r}.")
    passages = call.office.desk.lexical.passages_of(id_)
    return call.show("article.html", article=found, passages=passages)


@pages.get("/knowledge/changes", allow="viewer")
def changes(call: Call) -> Response:
    """What changed in a source's folder since it was indexed."""
    name = call.asked("source")
    return call.show("changes.html", changes=call.office.desk.catalogue.changes(name))


@pages.get("/knowledge/work", allow="viewer")
def work(call: Call) -> Response:
    """How far the work in the background is."""
    return call.show("work.html", **work_now(call))


@pages.stream("/knowledge/live", allow="viewer")
def work_news(call: Call) -> AsyncIterator[str]:
    """Tells open pages that the work in the background went on."""
    return live.news(call, lambda: repr(call.office.work.state))


def work_now(call: Call) -> dict[str, Any]:
    """The work in the background as a page shows it: what changes from here on is news."""
    state = call.office.work.state
    return {"work": state, "known": live.digest(repr(state))}


@pages.post("/knowledge/index", allow="lead")
def index(call: Call) -> Response:
    """Brings a source up to date, or all of them."""
    desk = call.office.desk
    names = [source.name for source in desk.lexical.sources()]
    if chosen := call.text("source"):
        names = [desk.catalogue.source(chosen).name]
    title = f"Indexing {names[0] if len(names) == 1 else f'{len(names)} sources'}"
    call.office.work.begin(title, call.who, partial(_index, desk, names))
    call.tickets.audit.note(call.who, "index", ", ".join(names))
    return call.go("/knowledge")


def _index(desk: Desk, names: list[str], progress: Progress) -> str:
    said = []
    for name in names:
        report = desk.index_again(name, progress)
        words = (
            f"{name}: {report.added} added, {report.changed} changed, {report.removed} removed,"
            f" {report.unchanged} unchanged"
        )
        unread = f", {len(report.unreadable)} not read" if report.unreadable else ""
        said.append(words + unread)
    return "; ".join(said)
