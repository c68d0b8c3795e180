"""A customer's data is told in full, and after an erasure it stands in no table and in no file."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine, select, update

from assistant import Answer, Article, Attachment, Citation, Message, Passage, Section, privacy
from assistant.desk import Desk
from assistant.errors import DeskmateError
from assistant.messages import Outcome, PluginFault, Step
from assistant.model.encoder import MultimodalEncoder
from assistant.plugging import Plugins
from assistant.plugging.shadows import Trial
from assistant.queues import forget, workflow_database_url
from assistant.settings import Settings
from assistant.tickets.database import connect, upgrade
from assistant.tickets.tables import TicketRow

ANN = "ann.unmistakable@example.com"
WORD = "zanzibarquux"
"""A word that only this customer says, in everything there is of them."""

PICTURE = Attachment("image/png", f"{WORD}.png", b"\x89PNG " + WORD.encode() * 20)
SHARED = Attachment("text/plain", "terms.txt", b"the terms that everybody was sent")


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    with Desk(Settings(data_dir=tmp_path / "data", database_url=url), plugins=Plugins()) as desk:
        if url:
            upgrade(connect(url))
        yield desk


def message(number: int, sender: str, text: str, *files: Attachment, thread: str = "") -> Message:
    name = f"{number}-{sender}"
    return Message(
        "api", name, thread or f"t-{name}", sender, text, text, attachments=files,
        verified_address=sender,
    )  # fmt: skip


def fill(desk: Desk) -> None:
    """Ann's ticket with everything that can hang on one, and Ben's beside it."""
    tickets = desk.tickets
    for sender, word, picture in ((ANN, WORD, PICTURE), ("ben@example.com", "harmless", SHARED)):
        asked = message(1, sender, f"My {word} broke", picture, SHARED)
        ticket = tickets.store_message(asked)
        key = tickets.api_keys.list()[0] if tickets.api_keys.list() else None
        if key is None:
            tickets.api_keys.create("shop", ["messages:write"])
            key = tickets.api_keys.list()[0]
        tickets.api_keys.begin_conversation(asked.thread_id, key)
        passage = Passage("p", "help", ("Help",), "Unplug it.", "https://help.example")
        answer = Answer(f"{word}: unplug it.", (Citation(1, passage, "Unplug it."),), 0.5)
        outcome = Outcome(
            "draft", f"not sure of {word}", answer.text, answer,
            trace=(Step("read", 1.0, {"screens": [{"lines": [{"text": word}]}]}),),
            faults=(PluginFault("bad", "message_received", f"choked on {word}"),),
        )  # fmt: skip
        tickets.outcomes.store(ticket.id, asked, [asked.external_id], outcome)
        stored = tickets.outcomes.of_ticket(ticket.id)[-1]
        tickets.replies.approve(stored.id, "kim", f"Dear {word}")
        tickets.teamwork.note(ticket.id, "kim", f"{word} called twice")
        tickets.teamwork.appear(ticket.id, "kim")
        tickets.feedback.add(ticket.id, False, sender, f"no good for my {word}")
        tickets.tool_calls.begin(
            f"k-{ticket.id}", ticket_id=ticket.id, tool="refund", plugin="shop", risk="write",
            arguments={"for": word}, customer=sender, state="waiting",
        )  # fmt: skip
        tickets.trials.note(
            Trial("says", 1, "message_received", asked.key, f"+text: {word}", 1.0, "")
        )
        tickets.hand_over(ticket.id, "kim", f"{word} is angry")
        tickets.arrivals.note(
            "email", f"in/{word}", f"c-{word}", f"support {sender}", {"from": sender},
            f"From: {sender}".encode(),
        )  # fmt: skip
    tickets.audit.note("kim", "search", f"for {ANN}")


def everything(desk: Desk) -> str:
    """All rows of all tables."""
    metadata = MetaData()
    metadata.reflect(desk.engine)
    with desk.engine.connect() as connection:
        return "\n".join(
            repr([bytes(v) if isinstance(v, memoryview) else v for v in row])
            for table in metadata.tables.values()
            for row in connection.execute(select(table))
        )


def test_an_erased_customer_is_in_no_table_and_in_no_file(desk: Desk) -> None:
    fill(desk)
    folder = desk.settings.data_dir
    assert WORD in everything(desk)
    assert ANN in everything(desk)

    done = privacy.erase(desk, f" {ANN.upper()} ".strip(), "mara")

    assert (done.tickets, done.messages, done.files) == (1, 1, 1)
    left = everything(desk).lower()
    assert WORD not in left
    assert ANN not in left
    assert "harmless" in left  # Ben's is all there
    assert desk.tickets.messages(2)[0].attachments == (SHARED, SHARED)
    desk.engine.dispose()
    for file in folder.rglob("*"):
        content = file.read_bytes().lower() if file.is_file() else b""
        assert WORD.encode() not in content, file
        assert ANN.encode() not in content, file
    entry = desk.tickets.audit.page(action="erase customer")[0]
    assert (entry.who, entry.detail) == ("mara", "1 tickets, 1 files")
    assert [e.ticket_id for e in desk.tickets.audit.page(action="hand over")] == [2, None]
    assert privacy.erase(desk, ANN, "mara").tickets == 0  # again changes nothing


def test_an_export_holds_all_that_the_erasure_takes(desk: Desk) -> None:
    fill(desk)

    content = privacy.export(desk, ANN, "mara")

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        data = json.loads(archive.read("data.json"))
        assert archive.read(f"files/{PICTURE.sha256}") == PICTURE.content
    (ticket,) = data["tickets"]
    assert ticket["customer"] == ANN
    words = ("messages", "outcomes", "traces", "replies", "notes", "feedback", "tool_calls")
    for part in (*words, "plugin_trials"):
        assert WORD in json.dumps(ticket[part]), part
    assert [arrival["external_id"] for arrival in data["arrivals"]] == [f"in/{WORD}"]
    assert "harmless" not in json.dumps(data)
    assert desk.tickets.audit.page(action="export customer")[0].detail == "1 tickets"


def test_who_only_resembles_a_customer_stays(desk: Desk) -> None:
    for number, sender in enumerate((f"jo{ANN}", f"{ANN}.au", "ann.unmistakablerexample.com"), 1):
        desk.tickets.store_message(message(number, sender, "Hello"))
        desk.tickets.arrivals.note("email", f"in/{number}", "c", f"support {sender}", {})
    desk.tickets.store_message(message(9, f"Ann <{ANN}>", "Hello"))

    assert privacy.erase(desk, ANN, "mara").tickets == 1

    assert len(desk.tickets.list()) == 3
    assert len(desk.tickets.arrivals.due("email")) == 3


def test_what_is_no_address_erases_nothing(desk: Desk) -> None:
    desk.tickets.store_message(message(1, "", "Nobody said who"))

    for nobody in ("", "  ", "@"):
        with pytest.raises(DeskmateError, match="whole address"):
            privacy.erase(desk, nobody, "mara")
    assert len(desk.tickets.list()) == 1


def test_the_queues_forget_the_customer(tmp_path: Path) -> None:
    url = workflow_database_url(f"sqlite:///{tmp_path / 'desk.sqlite'}")
    forget(url, ["api:1"])  # there is no database yet
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE workflow_status (workflow_uuid TEXT, inputs TEXT)")
        for name in ("api:1", "api:1/again", "api:10"):
            connection.exec_driver_sql("INSERT INTO workflow_status VALUES (?, ?)", (name, WORD))

    forget(url, ["api:1"])
    forget(url, [])

    with engine.connect() as connection:
        left = connection.exec_driver_sql("SELECT workflow_uuid FROM workflow_status").all()
    assert left == [("api:10",)]


def test_solved_tickets_among_the_articles_go_too(
    tmp_path: Path, encoder: MultimodalEncoder
) -> None:
    with Desk(Settings(data_dir=tmp_path / "data"), plugins=Plugins()) as desk:
        desk.encoder = encoder
        desk.tickets.store_message(message(1, ANN, "It broke", thread="ticket/77"))
        texts = {77: f"It is my {WORD}.", 78: f"{ANN} wrote.", 79: "Something else."}
        articles = [
            Article(
                f"ticket/{number}",
                "It broke",
                (Section(("It broke",), text),),
                source="solved tickets",
                audience="internal",
                content_hash=str(number),
            )
            for number, text in texts.items()
        ]
        desk.indexer.index_articles("solved tickets", articles)

        assert privacy.erase(desk, ANN, "mara").articles == 2

        assert desk.lexical.counts()[0] == 1
        assert desk.store.count() == 1


def test_old_solved_tickets_are_found_for_erasing(desk: Desk) -> None:
    now = datetime.now(UTC)
    for number in (1, 2, 3):
        desk.tickets.store_message(message(number, "ben@example.com", "Hello"))
    desk.tickets.solutions.mark(1, "kim")
    desk.tickets.solutions.mark(2, "kim")
    with desk.engine.begin() as connection:
        old = update(TicketRow).where(TicketRow.id.in_((1, 3)))
        connection.execute(old.values(updated_at=now - timedelta(days=400)))

    found = desk.tickets.privacy.old_tickets(now - timedelta(days=365))
    erased = desk.tickets.privacy.erase(found)

    assert erased.tickets == 1
    assert [ticket.id for ticket in desk.tickets.list()] == [2, 3]
