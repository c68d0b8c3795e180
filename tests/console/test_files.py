"""Attachments in parts, as players of recordings ask for them, and recordings' scenes."""

from __future__ import annotations

import io

import httpx
import pytest
from PIL import Image

from assistant import Attachment, Message, Outcome
from assistant.console.drafts import seen
from assistant.messages import Step
from assistant.tickets.timeline import File
from tests.console.visitor import Visitor
from tests.console_desk import ConsoleDesk
from tests.films import film
from tests.pictures import screenshot

CONTENT = bytes(range(100))


@pytest.fixture
def agent(office: ConsoleDesk, visitor: Visitor) -> Visitor:
    office.add("kim")
    visitor.log_in("kim")
    return visitor


@pytest.fixture
def ask(office: ConsoleDesk, agent: Visitor) -> httpx.Client:
    """Somebody who may ask for a file of a hundred bytes, 0 to 99."""
    files = (Attachment("video/mp4", "screen.mp4", CONTENT),)
    office.tickets.store_message(Message("window", "m", "t", "ann", "look", attachments=files))
    return agent


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=90-", 90, 99),
        ("bytes=-10", 90, 99),
        ("bytes=-1000", 0, 99),
        ("bytes=50-1000", 50, 99),
        ("Bytes = 99-99", 99, 99),
    ],
)
def test_a_part_is_sent_if_it_is_asked_for(
    ask: httpx.Client, asked: str, first: int, last: int
) -> None:
    answer = ask.get("/files/1/0", headers={"Range": asked})

    assert answer.status_code == 206
    assert answer.content == CONTENT[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/100"
    assert answer.headers["content-length"] == str(last - first + 1)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=9-0",
        "bytes=0-1,5-6",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "lines=0-9",
        "bytes=" + "9" * 40,
    ],
)
def test_all_of_it_is_sent_for_what_is_no_single_part(ask: httpx.Client, asked: str) -> None:
    answer = ask.get("/files/1/0", headers={"Range": asked})

    assert answer.status_code == 200
    assert answer.content == CONTENT
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_part_that_is_not_there_is_refused(ask: httpx.Client, asked: str) -> None:
    answer = ask.get("/files/1/0", headers={"Range": asked})

    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */100"
    assert answer.content == b""


def test_a_part_of_another_version_is_not_mixed_with_this_one(ask: httpx.Client) -> None:
    version = ask.get("/files/1/0").headers["etag"]

    def status(if_range: str) -> int:
        headers = {"Range": "bytes=0-9", "If-Range": if_range}
        return ask.get("/files/1/0", headers=headers).status_code

    assert status(version) == 206
    assert status(f"W/{version}") == 200
    assert status('"another"') == 200


def test_a_recordings_scenes_are_pictures(office: ConsoleDesk, agent: Visitor) -> None:
    pictures = [(screenshot(text), 2.0) for text in ("Settings", "Error KT-4031")]
    files = (
        Attachment("video/mp4", "screen.mp4", film(pictures)),
        Attachment("text/plain", "log.txt", b"no picture"),
    )
    office.tickets.store_message(Message("window", "m", "t", "ann", "look", attachments=files))

    answers = [agent.get(f"/files/1/0/scenes/{number}") for number in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 404]
    for answer in answers[:2]:
        assert answer.headers["content-type"] == "image/jpeg"
        assert Image.open(io.BytesIO(answer.content)).size == (360, 240)
    assert answers[0].content != answers[1].content
    assert agent.get("/files/1/1/scenes/0").status_code == 404
    assert agent.get("/files/1/9/scenes/0").status_code == 404


def screen(text: str) -> dict[str, object]:
    line = {"text": text, "box": [0, 0, 10, 10], "weight": 1.0}
    return {"width_px": 360, "height_px": 240, "lines": [line]}


FILES = (
    File(1, 0, "image/png", "a.png", ""),
    File(1, 1, "video/mp4", "b.mp4", ""),
    File(1, 2, "text/plain", "c.txt", ""),
)


def outcome(counts: list[int], *texts: str) -> Outcome:
    read = Step("read", 1.0, {"pictures": counts})
    encode = Step("encode", 1.0, {"screens": [screen(text) for text in texts]})
    return Outcome("draft", "sure", "", trace=(read, encode))


def test_what_was_looked_at_is_shown_in_its_picture_or_scene() -> None:
    found = seen(outcome([1, 2, 0], "one", "two", "three"), FILES)

    assert [(one.path, one.spots[0].text) for one in found] == [
        ("1/0", "one"),
        ("1/1/scenes/0", "two"),
        ("1/1/scenes/1", "three"),
    ]


def test_nothing_is_shown_on_files_that_a_plugin_replaced() -> None:
    assert seen(outcome([1, 1, 1, 0], "one", "two", "three"), FILES) == []
    assert seen(outcome([1, 1, 0], "one", "two", "three"), FILES) == []
