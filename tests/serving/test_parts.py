from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from assistant.serving import parts
from assistant.serving.parts import Part


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    monkeypatch.setattr(parts, "FIRST_PAUSE", 0.01)
    event = threading.Event()
    yield event
    event.set()


def eventually(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def test_a_part_that_fails_is_run_again_and_the_others_go_on(stop: threading.Event) -> None:
    failures = iter(["", "", ""])

    def falls(stop: threading.Event) -> None:
        if next(failures, None) is not None:
            raise ConnectionError("the customer wrote: my secret")
        stop.wait()

    falling, other = Part("connector", "mail", falls), Part("connector", "chat", lambda s: s.wait())
    falling.start(stop)
    other.start(stop)
    eventually(lambda: falling.state["state"] == "up" and falling.state["restarts"] == 3)

    assert falling.state["error"].startswith("ConnectionError at test_parts.py:")
    assert (other.state["state"], other.state["restarts"]) == ("up", 0)

    stop.set()
    for part in (falling, other):
        part.join(5)
        assert part.state["state"] == "stopped"


def test_a_part_that_ends_by_itself_is_run_again(stop: threading.Event) -> None:
    part = Part("connector", "mail", lambda stop: None)

    part.start(stop)
    eventually(lambda: part.state["restarts"] >= 2)

    assert part.state["error"] == "it ended by itself"


def test_a_part_waits_longer_each_time_and_says_that_it_failed(
    stop: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(stop: threading.Event) -> None:
        raise ConnectionError

    part = Part("connector", "mail", fails)
    part.start(stop)
    eventually(lambda: part.state["restarts"] == 4)
    stop.set()
    part.join(5)

    pauses = re.findall(r"failed_part .*again_in_seconds=([\d.]+)", caplog.text)
    assert pauses[:4] == ["0.01", "0.02", "0.04", "0.08"]


def test_a_part_that_does_not_stop_is_left_behind(
    stop: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    hanging = threading.Event()
    part = Part("connector", "mail", lambda stop: hanging.wait() and None)
    part.start(stop)

    stop.set()
    part.join(0.1)

    assert "abandoned_part kind=connector name=mail" in caplog.text
    hanging.set()
