from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import logs

SECRET = "my card is 4111"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged, as a service without a terminal writes it."""
    before, level = logging.root.handlers, logging.root.level
    stream = io.StringIO()
    logs.configure(stream)
    yield stream
    logging.root.handlers = before
    logging.root.setLevel(level)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_an_event_is_a_line_of_json_with_its_ids(written: io.StringIO) -> None:
    logs.logger("assistant.inbox").info("stored_outcome", ticket=3, message="email:<1@x>")

    (line,) = lines(written)
    assert (line["event"], line["ticket"], line["message"]) == ("stored_outcome", 3, "email:<1@x>")
    assert (line["level"], line["pid"] > 0) == ("info", True)
    assert line["timestamp"].endswith("Z")


def test_an_error_is_named_by_kind_and_place_and_not_in_its_own_words(written: io.StringIO) -> None:
    log = logs.logger("assistant.inbox")
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        log.error("failed_answer", error=logs.place(error))
        log.exception("failed_job")
        logging.getLogger("deskmate.plugins.other").exception("failed_hook")

    assert SECRET not in written.getvalue()
    assert all(line["error"].startswith("ValueError at test_logs.py:") for line in lines(written))
    assert len(lines(written)) == 3


def test_what_the_operating_system_says_is_kept() -> None:
    with pytest.raises(OSError, match="No such file") as caught:
        Path("/no/such/file").read_bytes()

    assert logs.place(caught.value).endswith("(No such file or directory)")


def test_other_libraries_are_named_and_not_quoted(written: io.StringIO) -> None:
    library = logging.getLogger("slack_bolt.App")
    library.info("Request: %s", SECRET)
    library.warning("Unhandled request %s", SECRET)

    (line,) = lines(written)
    assert (line["event"], line["logger"], line["level"]) == ("warned", "slack_bolt.App", "warning")
    assert line["at"].startswith("test_logs.py:")
    assert SECRET not in written.getvalue()


def test_debug_shows_everything() -> None:
    before, level = logging.root.handlers, logging.root.level
    stream = io.StringIO()
    logs.configure(stream, debug=True)
    try:
        logging.getLogger("library.of_this_test").debug("Request: %s", SECRET)
    finally:
        logging.root.handlers = before
        logging.root.setLevel(level)

    assert SECRET in stream.getvalue()
