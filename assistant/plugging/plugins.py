"""A desk's plugins, and a method for each hook that asks them one by one.

    plugins = Plugins.of(settings)
    faults: Faults = []
    message = plugins.message_received(message, ticket, faults)

Each method mirrors the hook of its name in `hooks.py` and returns a plain, checked value. What went
wrong is appended to the caller's own list, so that workers can share one `Plugins`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pluggy

from assistant import hooks
from assistant.articles import Article, Hit
from assistant.errors import SettingsError
from assistant.hooks import Show
from assistant.messages import Answer, Message, Outcome, Reply, Ticket, Turn
from assistant.plugging import results
from assistant.plugging.calling import Caller, Faults
from assistant.plugging.loaded import Loaded
from assistant.plugging.registry import Registry
from assistant.plugging.shadows import Trial

if TYPE_CHECKING:
    import typer

    from assistant.connecting import Connector
    from assistant.settings import Settings
    from assistant.tools import Tool

T = TypeVar("T")


class Plugins(Registry):
    """The plugins of one desk: `of` loads what its settings say, `register` adds one by one."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The plugins that were found and may run. Raises SettingsError, as `installed` does."""
        tables, granted = settings.plugins, settings.granted
        versions = settings.data_dir / "plugins"
        return cls.installed(
            tables, settings.disabled_plugins, granted, settings.plugin_path, versions
        )

    def register_connectors(self, settings: Settings, faults: Faults) -> tuple[Connector, ...]:
        """All connectors, each name once."""
        check = results.connectors
        return self._gathered("register_connectors", faults, check, {"settings": settings})

    def register_sources(self, settings: Settings, faults: Faults) -> tuple[Iterable[Article], ...]:
        """All sources. Reading one may still raise: that happens later, in the reader's hands."""
        check = results.sources
        return self._gathered("register_sources", faults, check, {"settings": settings})

    def register_tools(self, settings: Settings, faults: Faults) -> tuple[Tool, ...]:
        """All tools, each name once."""
        return self._gathered("register_tools", faults, results.tools, {"settings": settings})

    def register_commands(self, cli: typer.Typer, faults: Faults) -> None:
        """Lets plugins add commands to `cli`."""
        self._gathered("register_commands", faults, results.nothing, {"cli": cli})

    def message_arriving(
        self, message: Message, show: Show, faults: Faults, once_stored: list[Callable[[], None]]
    ) -> Message:
        """The message to store. Appends what is to be called after that: then there is a ticket
        with which to keep what versions that are tried make of it."""
        arguments = {"message": message, "show": show}
        hook, check = "message_arriving", results.message
        return self._chained(hook, faults, check, "message", arguments, once_stored)

    def message_received(
        self, message: Message, ticket: Ticket, faults: Faults, show: Show = lambda attachment: ()
    ) -> Message:
        """The message to go on with."""
        arguments = {"message": message, "ticket": ticket, "show": show}
        return self._chained("message_received", faults, results.message, "message", arguments)

    def conversation_read(
        self, message: Message, conversation: tuple[Turn, ...], faults: Faults
    ) -> tuple[Turn, ...]:
        """What was said before, as models may read it."""
        hook, arguments = "conversation_read", {"message": message, "conversation": conversation}
        return self._chained(hook, faults, results.conversation, "conversation", arguments)

    def passages_found(
        self, message: Message, hits: Sequence[Hit], faults: Faults
    ) -> tuple[Hit, ...]:
        """The hits to answer from, best first."""
        arguments = {"message": message, "hits": tuple(hits)}
        return self._chained("passages_found", faults, results.hits, "hits", arguments)

    def answer_drafted(self, message: Message, answer: Answer, faults: Faults) -> Answer:
        """The answer to go on with; its sources are still to be checked."""
        arguments = {"message": message, "answer": answer}
        return self._chained("answer_drafted", faults, results.answer, "answer", arguments)

    def outcome_decided(
        self, message: Message, ticket: Ticket, outcome: Outcome, faults: Faults
    ) -> Outcome:
        """The outcome to go on with."""
        arguments = {"message": message, "ticket": ticket, "outcome": outcome}
        return self._chained("outcome_decided", faults, results.outcome, "outcome", arguments)

    def reply_sending(self, reply: Reply, faults: Faults) -> str | None:
        """The first plugin's reason to hold the reply back, as `plugin: reason`, or None."""
        given = {"reply": reply}
        for turn in self._order["reply_sending"]:
            reason = None
            if call := turn.live:
                reason = self._call("reply_sending", call, faults, results.reason, given)
            if turn.shadow:
                about = f"reply:{reply.id}"
                self._try_out("reply_sending", turn.shadow, about, results.reason, given, reason)
            if call and reason is not None:
                return f"{call.plugin_name}: {reason}"
        return None

    def ticket_solved(self, ticket: Ticket, faults: Faults) -> None:
        """Tells every plugin."""
        self._gathered("ticket_solved", faults, results.nothing, {"ticket": ticket})

    def ticket_erased(self, ticket_id: int, faults: Faults) -> None:
        """Tells every plugin."""
        self._gathered("ticket_erased", faults, results.nothing, {"ticket_id": ticket_id})

    def console_panels(self, ticket: Ticket, faults: Faults) -> tuple[tuple[str, str], ...]:
        """All panels as (title, HTML not yet sanitised)."""
        return self._gathered("console_panels", faults, results.panels, {"ticket": ticket})

    def _chained(
        self,
        hook: str,
        faults: Faults,
        check: Callable[[T, Any], T],
        changing: str,
        arguments: dict[str, Any],
        once_stored: list[Callable[[], None]] | None = None,
    ) -> T:
        for turn in self._order[hook]:
            given: T = arguments[changing]
            now = given
            if call := turn.live:
                checked = self._may_change(self._loaded[call.plugin_name], partial(check, given))
                # A copy to look at: whoever changes it by force changes it for nobody else.
                changed = self._call(
                    hook, call, faults, checked, {**arguments, changing: results.anew(given)}
                )
                now = given if changed is None else changed
            if turn.shadow:
                tried = self._tried[turn.shadow.plugin_name]
                checked = self._may_change(tried, partial(check, given))
                lent = {**arguments, changing: results.anew(given)}
                about = arguments["message"].key
                self._try_out(hook, turn.shadow, about, checked, lent, now, given, once_stored)
            arguments = {**arguments, changing: now}
        result: T = arguments[changing]
        return result

    def _gathered(
        self,
        hook: str,
        faults: Faults,
        check: Callable[[str, tuple[T, ...], Any], tuple[T, ...]],
        arguments: dict[str, Any],
    ) -> tuple[T, ...]:
        gathered: tuple[T, ...] = ()
        for turn in self._order[hook]:
            if (call := turn.live) is None:
                continue
            own = arguments
            if "settings" in own:  # a copy, so that no plugin changes what the next one reads
                own = {"settings": own["settings"].model_copy(deep=True)}
            more = self._call(hook, call, faults, partial(check, call.plugin_name, gathered), own)
            gathered += more or ()
        return gathered

    def _may_change(self, loaded: Loaded, check: Callable[[Any], T]) -> Callable[[Any], T]:
        return check if "tickets:write" in loaded.info.granted else results.unpermitted

    def _try_out(
        self,
        hook: str,
        call: pluggy.HookImpl,
        about: str,
        check: Callable[[Any], T],
        arguments: Mapping[str, Any],
        live: T | None,
        given: T | None = None,
        once_stored: list[Callable[[], None]] | None = None,
    ) -> None:
        """Has the version that is tried do the same in its time, or as soon as the message is
        stored; `given` is what None stands for in this hook."""
        tried = self._tried[call.plugin_name]

        def look(caller: Caller, faults: Faults) -> T | None:
            made = _called(caller, hook, call, tried, faults, check, arguments)
            return given if made is None else made

        known = Trial(call.plugin_name, tried.info.number, hook, about, "", 0.0, "")
        begin = partial(self.shadows.later, look, live, known)
        if once_stored is None:
            begin()
        else:
            once_stored.append(begin)

    def _call(
        self,
        hook: str,
        call: pluggy.HookImpl,
        faults: Faults,
        check: Callable[[Any], T],
        arguments: Mapping[str, Any],
    ) -> T | None:
        loaded = self._loaded[call.plugin_name]
        return _called(self.caller, hook, call, loaded, faults, check, arguments)


def _called(
    caller: Caller,
    hook: str,
    call: pluggy.HookImpl,
    loaded: Loaded,
    faults: Faults,
    check: Callable[[Any], T],
    arguments: Mapping[str, Any],
) -> T | None:
    """What one plugin returned, checked; None if that is nothing or a fault."""

    def work() -> T | None:
        result = call.function(*(arguments[name] for name in call.argnames))
        return None if result is None else check(result)

    return caller.call(
        loaded.info.name,
        hook,
        work,
        faults,
        limit_s=hooks.TIME_LIMITS_S[hook],
        passing=(SettingsError,) if hook.startswith("register_") else (),
        secrets=loaded.secrets,
        always=loaded.info.required,
    )
