from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import update

from assistant.errors import DeskmateError
from assistant.tickets.repository import Tickets
from assistant.tickets.tables import WorkerRow


def _set(tickets: Tickets, name: str, **values: object) -> None:
    with tickets.engine.begin() as connection:
        connection.execute(update(WorkerRow).where(WorkerRow.name == name).values(**values))


def test_a_worker_without_a_heartbeat_is_dead_and_then_forgotten(tickets: Tickets) -> None:
    joined_at = {name: tickets.workers.join(name, dead_after=1) for name in ("a", "b")}
    time.sleep(0.3)
    beats = tickets.workers.beat("b", joined_at["b"])

    with tickets.workers.dead(0.2, besides="c") as first:
        pass
    with tickets.workers.dead(0.2, besides="c") as second:
        pass

    assert first == ("a",)
    assert second == ()
    assert beats
    assert not tickets.workers.beat("a", joined_at["a"])


def test_a_worker_does_not_find_itself_dead(tickets: Tickets) -> None:
    tickets.workers.join("a", dead_after=1)
    time.sleep(0.1)

    with tickets.workers.dead(0.01, besides="a") as names:
        assert names == ()


def test_a_takeover_that_fails_leaves_the_dead_to_others(tickets: Tickets) -> None:
    tickets.workers.join("a", dead_after=1)
    time.sleep(0.1)

    with pytest.raises(RuntimeError), tickets.workers.dead(0.01, besides="b"):
        raise RuntimeError("this process fell over")

    with tickets.workers.dead(0.01, besides="c") as names:
        assert names == ("a",)


def test_a_worker_that_comes_back_waits_until_its_takeover_is_done(tickets: Tickets) -> None:
    tickets.workers.join("a", dead_after=1)
    time.sleep(0.1)
    order = []

    def come_back() -> None:
        tickets.workers.join("a", dead_after=1)
        order.append("joined")

    with tickets.workers.dead(0.01, besides="b"):
        thread = threading.Thread(target=come_back)
        thread.start()
        time.sleep(0.2)
        order.append("taken over")
    thread.join()

    assert order == ["taken over", "joined"]


def test_two_live_processes_cannot_share_a_name(tickets: Tickets) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    )
    tickets.workers.join("a", dead_after=60)
    _set(tickets, "a", process_id=other.pid)

    with pytest.raises(DeskmateError, match=r"'a' is running already .* inbox.worker_name"):
        tickets.workers.join("a", dead_after=60)
    other.communicate()
    tickets.workers.join("a", dead_after=60)


def test_a_name_from_another_machine_is_free_once_that_is_dead(tickets: Tickets) -> None:
    tickets.workers.join("a", dead_after=60)
    _set(tickets, "a", host="elsewhere")

    with pytest.raises(DeskmateError, match="on elsewhere"):
        tickets.workers.join("a", dead_after=60)
    time.sleep(0.1)
    tickets.workers.join("a", dead_after=0.05)


@pytest.mark.parametrize("hours", [1, -1])
def test_nobody_is_dead_because_the_clock_was_set(tickets: Tickets, hours: int) -> None:
    tickets.workers.join("a", dead_after=0.5)
    with tickets.workers.dead(0.5, besides="b") as names:
        assert names == ()

    with time_machine.travel(datetime.now(UTC) + timedelta(hours=hours)):
        with tickets.workers.dead(0.5, besides="b") as at_once:
            pass
        time.sleep(0.6)
        with tickets.workers.dead(0.5, besides="b") as later:
            pass

    assert at_once == ()
    assert later == ("a",), "it was not seen since"


def test_a_name_is_free_if_it_was_seen_by_a_clock_that_was_fast(tickets: Tickets) -> None:
    tickets.workers.join("a", dead_after=60)
    _set(tickets, "a", host="elsewhere", seen_at=datetime.now(UTC) + timedelta(hours=1))

    assert tickets.workers.join("a", dead_after=60)
