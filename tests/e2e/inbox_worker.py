"""A process that answers messages and is killed at any moment, by others or by itself."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

from assistant.inbox import Inbox
from assistant.messages import Message, Outcome, Reply, Ticket, Turn
from assistant.queues import workflow_database_url
from assistant.tickets.database import open_engine
from assistant.tickets.repository import Tickets
from tests.recording import RecordingConnector

DEAD_AFTER_SECONDS = 3.0
DEADLY = 0.02  # the share of dangerous moments at which a process kills itself


class MortalConnector(RecordingConnector):
    """Brings all messages that were not acknowledged yet, and dies at the worst moments: between
    accepting and acknowledging, and before and after a reply is written."""

    def __init__(self, folder: Path, messages: tuple[Message, ...], chance: random.Random) -> None:
        super().__init__(folder / "sent.jsonl", messages)
        self._acknowledged = folder / "acknowledged"
        self._acknowledged.touch()
        self._chance = chance

    def feed(self, inbox: Inbox) -> None:
        for message in self._messages:
            if message.external_id not in self._acknowledged.read_text().split():
                inbox.accept(message)
                self.perhaps_die()
                with self._acknowledged.open("a") as file:
                    file.write(message.external_id + "\n")
            time.sleep(self._chance.uniform(0, 0.02))

    def send(self, reply: Reply) -> str:
        self.perhaps_die()
        external_id = super().send(reply)
        self.perhaps_die()
        return external_id

    def perhaps_die(self) -> None:
        time.sleep(self._chance.uniform(0, 0.01))
        if self._chance.random() < DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)


def work(url: str, folder: Path, messages: tuple[Message, ...], name: str, seed: int) -> None:
    """Runs the worker `name` until it is killed."""
    tickets = Tickets(open_engine(url))
    connector = MortalConnector(folder, messages, random.Random(seed))

    def answer(message: Message, ticket: Ticket, conversation: tuple[Turn, ...]) -> Outcome:
        connector.perhaps_die()
        return Outcome("reply", "echoed", message.text)

    inbox = Inbox(
        tickets,
        answer,
        {connector.name: connector},
        lambda reply: None,
        worker=name,
        workflow_url=workflow_database_url(url),
        concurrency=4,
        quiet_seconds=0.2,
        dead_after_seconds=DEAD_AFTER_SECONDS,
    )
    inbox.start()
    connector.feed(inbox)
    threading.Event().wait()
