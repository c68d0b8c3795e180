import json
import threading
from pathlib import Path

import pytest
from deskmate_connector_folder import FolderConnector, FolderSettings

from assistant import Message, Reply

REPLY = Reply("folder:1/reply", 1, "folder", "t1", "ann@example.com", "Re: Help", "Press it.")


@pytest.fixture
def connector(tmp_path: Path) -> FolderConnector:
    return FolderConnector(FolderSettings(path=tmp_path, seconds=0.01))


def receive(connector: FolderConnector, failures: int = 0) -> list[Message]:
    """Runs the connector until nothing waits; the first `failures` times, nothing can be stored."""
    received: list[Message] = []
    stop = threading.Event()

    def accept(message: Message) -> None:
        received.append(message)
        if len(received) <= failures:
            raise OSError("disk full")

    thread = threading.Thread(target=connector.run, args=(accept, stop), daemon=True)
    thread.start()
    for _ in range(1000):
        if not any(path.suffix in (".txt", ".json") for path in connector.folder.iterdir()):
            break
        stop.wait(0.01)
    stop.set()
    thread.join()
    return received


def test_a_text_file_with_screenshots_is_a_message(
    connector: FolderConnector, tmp_path: Path
) -> None:
    (tmp_path / "ask.png").write_bytes(b"first")
    (tmp_path / "ask.2.jpg").write_bytes(b"second")
    (tmp_path / "other.png").write_bytes(b"not mine")
    (tmp_path / "ask.txt").write_text("What is this?")

    (message,) = receive(connector)

    assert message.text == "What is this?"
    assert sorted((a.filename, a.media_type) for a in message.attachments) == [
        ("ask.2.jpg", "image/jpeg"),
        ("ask.png", "image/png"),
    ]
    assert [path.name for path in tmp_path.glob("*.*")] == ["other.png"]


def test_a_json_file_says_who_and_in_which_conversation(
    connector: FolderConnector, tmp_path: Path
) -> None:
    content = {"text": "Hello", "sender": "ann@example.com", "thread": "t1", "subject": "Help"}
    (tmp_path / "ask.json").write_text(json.dumps(content))

    (message,) = receive(connector)

    assert (message.sender, message.thread_id, message.subject) == ("ann@example.com", "t1", "Help")


def test_what_could_not_be_stored_comes_again_as_the_same_message(
    connector: FolderConnector, tmp_path: Path
) -> None:
    (tmp_path / "ask.txt").write_text("Hello")

    first, second = receive(connector, failures=1)

    assert first.key == second.key


@pytest.mark.parametrize("content", [b'{"text": 1}', b"{", b'{"txt": "x"}', b"\xff"])
def test_an_unreadable_message_is_set_aside_with_the_reason(
    connector: FolderConnector, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "ask.json").write_bytes(content)

    assert receive(connector) == []

    assert (tmp_path / "rejected" / "ask.json").read_bytes() == content
    assert "ask.json" in (tmp_path / "rejected" / "ask.json.reason.txt").read_text()


def test_a_reply_is_a_whole_file_and_found_again(
    connector: FolderConnector, tmp_path: Path
) -> None:
    assert connector.find_sent(REPLY) is None

    name = connector.send(REPLY)

    assert connector.find_sent(REPLY) == name
    assert json.loads((tmp_path / "replies" / name).read_text())["text"] == "Press it."
    assert connector.send(REPLY) == name
    assert len(list((tmp_path / "replies").iterdir())) == 1
