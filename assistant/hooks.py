"""The plugin contract: every moment at which a plugin may act.

A plugin is any object with some of these functions, marked with `@hookimpl`, found through the
entry point group `deskmate.plugins`. Each hook below says when it is called, what it gets and what
it may return. Plugins run in the order of their names; `@hookimpl(tryfirst=True)` and
`trylast=True` move one. A hook that raises, overruns its time limit or returns the wrong type is
recorded as a `PluginFault`, and the path goes on as if the plugin had not been there. Only a
`SettingsError` from a `register_…` hook stops the desk: that mistake is the operator's to mend.

A plugin may say more about itself, by having

    Settings     a pydantic model; the plugin is then a class, built once with its checked table
                 `[plugins.NAME]` as its only argument
    permissions  what it needs, such as {"tickets:read", "network"}; by default what its hooks need
    contract     the version of this contract that it was written for; by default this one
    required     True if no message may go on without its `message_received`: when that fails, a
                 person gets the message

**Versions.** `CONTRACT` grows by one when something is taken away or changes its meaning. Before
that, hooks and arguments are marked with `warn_on_impl` or `warn_on_impl_args` for at least one
version of Deskmate; `deskmate plugins check` shows the warning. A plugin for a contract from
`OLDEST_CONTRACT` to `CONTRACT` is loaded, any other is refused. Nothing is deprecated today.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pluggy

from assistant.articles import Article, Hit
from assistant.messages import Answer, Attachment, Message, Outcome, Reply, Shown, Ticket, Turn

if TYPE_CHECKING:
    import typer

    from assistant.connecting import Connector
    from assistant.settings import Settings
    from assistant.tools import Tool

CONTRACT = 1
OLDEST_CONTRACT = 1

Permission = Literal[
    "tickets:read", "tickets:write", "sending", "knowledge", "tools", "commands", "network"
]

NEEDS: dict[str, Permission] = {
    "register_connectors": "sending",
    "register_sources": "knowledge",
    "register_tools": "tools",
    "register_commands": "commands",
    "message_arriving": "tickets:read",
    "message_received": "tickets:read",
    "conversation_read": "tickets:read",
    "passages_found": "tickets:read",
    "answer_drafted": "tickets:read",
    "outcome_decided": "tickets:read",
    "reply_sending": "sending",
    "ticket_solved": "tickets:read",
    "ticket_erased": "tickets:read",
    "console_panels": "tickets:read",
}
"""The permission without which a hook is not called."""

CHANGING = (
    "message_arriving",
    "message_received",
    "conversation_read",
    "passages_found",
    "answer_drafted",
    "outcome_decided",
)
"""Hooks that may change what they get; what they return counts with `tickets:write` only."""

SHADOWED = (*CHANGING, "reply_sending")
"""Hooks in which a version that is tried is asked too, and its answer recorded; not those that only
act on something outside."""

TIME_LIMITS_S: dict[str, float] = {
    "register_connectors": 300,
    "register_sources": 30,
    "register_tools": 30,
    "register_commands": 5,
    "message_arriving": 30,
    "message_received": 30,
    "conversation_read": 10,
    "passages_found": 10,
    "answer_drafted": 10,
    "outcome_decided": 10,
    "reply_sending": 10,
    "ticket_solved": 30,
    "ticket_erased": 30,
    "console_panels": 5,
}
"""Seconds one plugin may take in a hook. They only end a plugin that hangs; what a customer waits
for is the sum of what the plugins really take. A desk lacks a channel that was given up until it is
started again, and a machine that has just booted may need minutes to import one: so that is the
longest."""

Show = Callable[[Attachment], Shown]
"""Looks at an attachment: the pictures that it shows (itself, or a recording's scenes), each with
what is read in it. Empty for other files, and for what cannot be read. A picture takes half a
second; the path does not read it again."""

hookspec = pluggy.HookspecMarker("deskmate")
hookimpl = pluggy.HookimplMarker("deskmate")


@hookspec
def register_connectors(settings: Settings) -> Iterable[Connector]:
    """Called once when the desk opens. Returns the connectors that the settings ask for."""
    return ()


@hookspec
def register_sources(settings: Settings) -> Iterable[Iterable[Article]]:
    """Called by `deskmate index` without a path. Returns sources; each yields articles."""
    return ()


@hookspec
def register_tools(settings: Settings) -> Iterable[Tool | Any]:
    """Called once when the desk opens. Returns tools (`assistant.Tool`); a plain LangChain tool
    is taken as one that needs approval."""
    return ()


@hookspec
def message_arriving(message: Message, show: Show) -> Message | None:
    """Called before the message is stored, while its channel waits: be quick. Returns the message
    to store in its place, or None to leave it; what is taken out here is kept nowhere. When it
    fails, the message is stored as it was. It may be called again for the same message.
    `connector`, `external_id`, `thread_id` and `author` stay as they are."""


@hookspec
def message_received(message: Message, ticket: Ticket, show: Show) -> Message | None:
    """Called first, before anything reads the stored message. Returns the message to go on with,
    or None to leave it: each plugin gets what the one before it returned. `connector`,
    `external_id`, `thread_id` and `author` stay as they are."""


@hookspec
def conversation_read(message: Message, conversation: tuple[Turn, ...]) -> Iterable[Turn] | None:
    """Called next, if anything was said before: what was stored then, by all sides, oldest first.
    Returns what models may read of it, or None to leave it: each plugin gets what the one before
    it returned."""


@hookspec
def passages_found(message: Message, hits: Sequence[Hit]) -> Sequence[Hit] | None:
    """Called after the search. Returns the hits to answer from, best first, or None to leave
    them: each plugin gets what the one before it returned."""


@hookspec
def answer_drafted(message: Message, answer: Answer) -> Answer | None:
    """Called when an answer is written, before it is checked against its sources. Returns the
    answer to go on with, or None to leave it; the check comes after, so no plugin gets round it."""


@hookspec
def outcome_decided(message: Message, ticket: Ticket, outcome: Outcome) -> Outcome | None:
    """Called last, when it is decided what becomes of a message. Returns the outcome to go on with,
    or None to leave it: a reply may become a draft, the reason may change, and so may the text of
    a hand-over, a question or a refusal. An answer stays as it was checked."""


@hookspec
def reply_sending(reply: Reply) -> str | None:
    """Called just before a reply leaves, unless a person approved it. Returns a reason to hold it
    back for a person, or None to let it go; the first reason ends the round."""


@hookspec
def ticket_solved(ticket: Ticket) -> None:
    """Called after a ticket was solved: a person marked it, the customer confirmed it, or it
    stayed quiet for a week after an answer. Returns nothing."""


@hookspec
def ticket_erased(ticket_id: int) -> None:
    """Called after a ticket was erased, since its customer asked for it or it was too old. Erase
    what you keep of it, by its number; called again, do nothing. Returns nothing."""


@hookspec
def console_panels(ticket: Ticket) -> Iterable[tuple[str, str]]:
    """Called when the console shows a ticket. Returns panels as (title, HTML); the HTML is
    sanitised before it is shown."""
    return ()


@hookspec
def register_commands(cli: typer.Typer) -> None:
    """Called when the command line starts. Adds commands or groups to `cli`."""
