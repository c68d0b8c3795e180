from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assistant import Article, Citation, Message, Reply, Section, hookimpl
from assistant.desk import Desk
from assistant.errors import KnowledgeError, PluginError, UnreadableError
from assistant.knowledge.sources import Folder
from assistant.model.encoder import MultimodalEncoder
from assistant.plugging import Plugins
from assistant.serving import serve
from assistant.settings import Http, Inbox, Policy, Settings
from tests.help_centre import write_help_centre
from tests.pictures import png
from tests.recording import RecordingConnector

Open = Callable[..., Desk]


@pytest.fixture
def open_desk(tmp_path: Path, encoder: MultimodalEncoder) -> Iterator[Open]:
    """Opens desks with these plugins: `open_desk(plugin, data_dir=…)`."""
    opened: list[Desk] = []

    def make(*plugins: object, **settings: Any) -> Desk:
        registry = Plugins()
        for number, plugin in enumerate(plugins):
            registry.register(f"plugin-{number}", plugin)
        settings.setdefault("data_dir", tmp_path / "data")
        desk = Desk(Settings(**settings), plugins=registry)
        desk.encoder = encoder
        opened.append(desk)
        return desk

    yield make
    for desk in opened:
        desk.close()


def gives(hook: str, value: Any) -> object:
    """A plugin that returns `value` from one hook."""
    return SimpleNamespace(**{hook: hookimpl(specname=hook)(lambda settings: value)})


def test_an_empty_index_is_said(open_desk: Open) -> None:
    with pytest.raises(KnowledgeError, match=r"the index is empty.*deskmate index PATH"):
        open_desk().ask("Anything?")


def test_a_screenshot_that_is_not_there_is_said(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"no.png: No such file.*existing file"):
        desk.ask("What is this?", [tmp_path / "no.png"])


def test_articles_are_ranked_by_their_best_passage(desk: Desk) -> None:
    ranking = desk.rank("How do I download an invoice?")

    assert ranking.articles[0] == "help/invoices.md"
    assert len(set(ranking.articles)) == len(ranking.articles) == len(ranking.scores)
    assert list(ranking.scores) == sorted(ranking.scores, reverse=True)
    assert ranking.milliseconds > 0


def test_ranking_goes_on_without_a_screenshot_that_cannot_be_read(
    desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")

    ranking = desk.rank("invoice", [tmp_path / "bad.png", tmp_path / "gone.png"])

    assert ranking.articles[0] == "help/invoices.md"
    assert [("bad.png" in why, "gone.png" in why) for why in ranking.unread] == [
        (True, False),
        (False, True),
    ]


def test_pictures_of_articles_are_remembered_and_customers_are_not(
    open_desk: Open, tmp_path: Path, help_centre: Path
) -> None:
    desk = open_desk()
    desk.index(Folder(help_centre, source="help"))
    secret = tmp_path / "s.png"
    secret.write_bytes(png("My code 5512"))

    desk.ask("What does this code mean?", [secret])
    desk.close()

    kept = b"".join(file.read_bytes() for file in (tmp_path / "data/index").glob("readings*"))
    assert b"KT-4031" in kept
    assert b"5512" not in kept


def test_two_desks_cannot_own_one_index(open_desk: Open) -> None:
    first, second = open_desk(), open_desk()
    assert first.store.count() == 0

    with pytest.raises(KnowledgeError, match="in use by another process"):
        _ = second.store

    first.close()
    assert second.store.count() == 0


def test_a_desk_can_be_closed_twice_and_used_again(open_desk: Open) -> None:
    desk = open_desk()
    assert desk.store.count() == 0
    desk.close()
    desk.close()

    assert desk.store.count() == 0


def wiki(name: str, *articles: str, source: str = "wiki") -> Iterator[Article]:
    return (
        Article(f"{name}-{n}", text, (Section((text,), text),), source=source)
        for n, text in enumerate(articles)
    )


def test_two_plugins_may_fill_one_source(open_desk: Open) -> None:
    desk = open_desk(
        gives("register_sources", [wiki("a", "Cats purr")]),
        gives("register_sources", [wiki("b", "Dogs bark"), wiki("c", "Cows moo", source="farm")]),
    )

    reports = {report.source: report.added for report in desk.index_plugins()}

    assert reports == {"wiki": 2, "farm": 1}
    assert desk.rank("dogs").articles[0] == "wiki/b-0"


def test_a_source_that_fails_half_way_takes_nothing_away(open_desk: Open, tmp_path: Path) -> None:
    desk = open_desk(gives("register_sources", [wiki("a", "Cats purr", "Dogs bark")]))
    desk.index_plugins()
    desk.close()

    def fails() -> Iterator[Article]:
        yield from wiki("a", "Cats purr")
        raise ConnectionError("the wiki is down")

    broken = open_desk(gives("register_sources", [fails()]))
    with pytest.raises(PluginError, match=r"ConnectionError: the wiki is down.*Nothing was"):
        broken.index_plugins()

    assert broken.lexical.counts() == (2, 2)


def test_an_article_without_a_source_is_said(open_desk: Open) -> None:
    desk = open_desk(gives("register_sources", [wiki("a", "Cats purr", source="")]))

    with pytest.raises(PluginError, match=r"'a-0' names no source"):
        desk.index_plugins()


def test_two_connectors_of_one_name_are_not_both_run(open_desk: Open, tmp_path: Path) -> None:
    one = RecordingConnector(tmp_path / "sent.jsonl")
    desk = open_desk(gives("register_connectors", [one]), gives("register_connectors", [one]))

    assert list(desk.connectors) == ["email"]
    assert "'email'" in desk.faults[0].error


def test_a_connector_that_acts_for_people_is_given_the_desk(
    open_desk: Open, tmp_path: Path
) -> None:
    class Buttons(RecordingConnector):
        def attach(self, desk: Desk) -> None:
            self.desk = desk

    connector = Buttons(tmp_path / "sent.jsonl")
    desk = open_desk(gives("register_connectors", [connector]))

    assert desk.connectors["email"] is connector
    assert connector.desk is desk


@pytest.mark.parametrize("name", ["e:mail", "", "e mail", "/mail", "mail/"])
def test_a_connector_with_a_name_that_cannot_be_is_said(
    open_desk: Open, tmp_path: Path, name: str
) -> None:
    desk = open_desk(
        gives("register_connectors", [RecordingConnector(tmp_path / "sent.jsonl", name=name)])
    )

    assert not desk.connectors
    assert f"named {name!r}; a name is letters, digits" in desk.faults[0].error


class Falls(RecordingConnector):
    """Falls over when it is first run, and again after its messages were accepted."""

    runs = 0

    def run(self, accept: Any, stop: threading.Event) -> None:
        self.runs += 1
        if self.runs == 1:
            raise ConnectionError("the mail server is away")
        super().run(accept, stop)


def test_messages_are_answered_although_a_connector_falls_over(
    open_desk: Open, tmp_path: Path, data_dir: Path
) -> None:
    message = Message("email", "1", "t1", "ann@example.com", "How do I download an invoice?")
    connector = Falls(tmp_path / "sent.jsonl", [message])
    desk = open_desk(
        gives("register_connectors", [connector]),
        data_dir=data_dir,
        policy=Policy(reply_at=0.5, draft_at=0.2),
        inbox=Inbox(quiet_seconds=0.0, worker_name="desk-test"),
        http=Http(port=0),
    )
    stop = threading.Event()
    running = threading.Thread(target=serve, args=(desk, stop))
    running.start()

    deadline = time.monotonic() + 60
    while not connector.sent() and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    running.join()

    (reply,) = connector.sent()
    assert "Download PDF" in reply["text"]
    (ticket,) = desk.tickets.list()
    assert ticket.status == "answered"
    (stored,) = desk.tickets.outcomes.of_ticket(ticket.id)
    assert stored.outcome.answer is not None
    assert stored.outcome.answer.citations[0].passage.article_id == "help/invoices.md"


def test_a_plugin_can_hold_a_reply_back(open_desk: Open) -> None:
    plugin = SimpleNamespace(
        reply_sending=hookimpl(specname="reply_sending")(lambda reply: "it is Sunday")
    )
    desk = open_desk(plugin)

    assert desk._hold(Reply("r", 1, "email", "t", "ann", "Re", "Hello")) == "plugin-0: it is Sunday"


def test_the_pictures_of_an_answer_are_those_of_articles_that_are_public_now(
    data_dir: Path, encoder: MultimodalEncoder, tmp_path: Path
) -> None:
    folder = write_help_centre(tmp_path)
    with Desk(Settings(data_dir=data_dir)) as desk:
        desk.encoder = encoder
        desk.index(Folder(folder, source="own"))
        (passage,) = desk.lexical.passages_of("own/sync-errors.md")
        cited = [Citation(3, passage, "")]

        ((number, picture),) = desk.pictures(cited)
        file = folder / "sync-errors.md"
        file.write_text(f"---\naudience: internal\n---\n{file.read_text()}")
        desk.index(Folder(folder, source="own"))

        assert (number, picture.alt) == (3, "The window of the error")
        assert desk.pictures(cited) == []


def test_a_connector_that_follows_hears_of_each_step_and_may_fail(
    open_desk: Open, data_dir: Path
) -> None:
    heard: list[str] = []

    class Following(RecordingConnector):
        def follow(self, ticket: Any, step: str) -> None:
            heard.append(step)
            raise ConnectionError("nobody listens")

    connector = Following(data_dir / "sent")
    desk = open_desk(gives("register_connectors", [connector]), data_dir=data_dir)
    desk.inbox.start()
    message = Message(connector.name, "1", "t", "ann@example.com", "What does KT-4031 mean?")
    desk.inbox.accept(message)
    while (stored := desk.tickets.outcomes.of_message(connector.name, "1")) is None:
        time.sleep(0.02)

    assert heard == [step.name for step in stored.outcome.trace]
    assert "search" in heard
