"""The connector contract: how messages come in and replies go out.

A connector is any object of the shape `Connector`. It reaches Deskmate through the hook
`register_connectors`, first-party or not. It may do more, by having one of these methods; each is
looked for by its name:

    attach(desk)      AttachedConnector   acts on tickets for people: buttons, commands
    notify(notice)    NotifyingConnector  tells staff what waits for them
    annotate(notice)  AnnotatingConnector tells staff in the ticket itself, where they work
    hold(reply)       HoldingConnector    leaves a reply to a person, such as to end a loop
    branches()        BranchingConnector  several sources, each of which may fail alone
    follow(ticket, step) FollowingConnector hears of each step of an answer as it begins
    routes(accept)    RoutingConnector    receives by HTTP, under /connectors/NAME/
    test(to)          TestingConnector    sends a test message from the console
    read_settings(table) ConfiguredConnector  has settings that the console shows as a form
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from assistant.messages import Message, Notice, Reply, Ticket

if TYPE_CHECKING:
    from pydantic import BaseModel
    from starlette.routing import BaseRoute

    from assistant.desk import Desk

Accept = Callable[[Message], None]
"""Stores a message for good and returns; only then may its source be acknowledged."""


@runtime_checkable
class Connector(Protocol):
    """One channel. `name` is unique on a desk and stands in every message it brings; it has no
    colon and no character that a URL would have to escape."""

    name: str

    def run(self, accept: Accept, stop: threading.Event) -> None:
        """Receives messages and hands each to `accept` until `stop` is set.

        Runs in a thread of its own, in one process only. Acknowledge a message to its source only
        after `accept` returned; if it raises, leave the message where it is, so that it comes
        again. If this raises, or returns before `stop` is set, it is run again after a pause; the
        words of an `UnreachableError` are shown.
        """

    def send(self, reply: Reply) -> str:
        """Sends `reply` with an identifier made from `reply.id`; returns the channel's own id.

        Called in any process that answers messages, whether `run` runs there or not. Raises
        whatever went wrong: the reply is tried again later, or, after `UndeliverableError`, left to
        a person at once.
        """

    def find_sent(self, reply: Reply) -> str | None:
        """The channel's id of `reply` if it was sent already, else None.

        Called before a second attempt, when a crash hid the result of the first.
        """


@runtime_checkable
class AttachedConnector(Protocol):
    """A connector that acts on tickets for people, such as with buttons."""

    def attach(self, desk: Desk) -> None:
        """Called once, before every other method. Keep `desk`, and use it no sooner than in
        `run` or a route: `desk.tickets`, `desk.inbox`, and what a desk does."""


@runtime_checkable
class NotifyingConnector(Protocol):
    """A connector that reaches the desk's own people."""

    def notify(self, notice: Notice) -> str:
        """Tells staff; returns the channel's own id of what was posted.

        Raises whatever went wrong: it is tried again later. After a crash it may be called a
        second time with the same `notice.id`.
        """


@runtime_checkable
class AnnotatingConnector(Protocol):
    """A connector whose tickets staff have before them, such as a help desk's. What they are to be
    told about its tickets is told there, and nowhere else."""

    def annotate(self, notice: Notice) -> str:
        """Tells staff, as `NotifyingConnector.notify` does, within the ticket."""


@runtime_checkable
class HoldingConnector(Protocol):
    """A connector that need not send at once what it is given."""

    def hold(self, reply: Reply) -> str | None:
        """A reason to leave the reply to a person, or None to let it go. Asked just before a reply
        leaves that no person approved. Raises whatever went wrong: it is asked again later."""


@runtime_checkable
class BranchingConnector(Protocol):
    """A connector with several sources, such as mailboxes: one that fails does not disturb the
    others."""

    def branches(self) -> Mapping[str, Callable[[threading.Event], None]]:
        """What runs beside `run`, by name. Each is given `stop` and supervised as `run` is, alone:
        it is shown as CONNECTOR/NAME, and run again after a pause if it raises or returns."""


@runtime_checkable
class FollowingConnector(Protocol):
    """A connector that shows how an answer comes about."""

    def follow(self, ticket: Ticket, step: str) -> None:
        """A step of the answer to this ticket begins; the names are those of the trace. Called in
        any process that answers messages, and waited for: be quick. What it raises is logged."""


@runtime_checkable
class RoutingConnector(Protocol):
    """A connector that receives by HTTP instead of, or beside, fetching. `run` may then do no
    more than wait for `stop`. If it has an attribute `prefix`, such as "/api", its routes are
    served there instead of under /connectors/NAME; the service's own pages go before it."""

    def routes(self, accept: Accept) -> Sequence[BaseRoute]:
        """Called once by `deskmate serve`. Returns Starlette routes, served under
        /connectors/NAME/ once the desk is ready; until then and from a stop on, the answer there
        is 503. `accept` blocks: in an `async` endpoint call it with
        `starlette.concurrency.run_in_threadpool`."""


@runtime_checkable
class TestingConnector(Protocol):
    """A connector whose channel an operator can try out from the console."""

    def test(self, to: str) -> str:
        """Sends a test message to `to`, such as an address or a channel's name, past all queues;
        returns what became of it, in a sentence. Raises whatever went wrong."""


@runtime_checkable
class ConfiguredConnector(Protocol):
    """A connector that is set in a table `[connectors.NAME]` of the settings file."""

    def read_settings(self, table: Mapping[str, Any]) -> BaseModel:
        """The settings of this table, checked as when the desk opens. What is secret in them is a
        `SecretStr`, or marked with `Field(repr=False)`. Raises SettingsError, or pydantic's
        ValidationError; a line that begins with `connectors.NAME.key` is shown beside that
        setting."""
