"""The plugin contract: order, chains, and plugins that mean harm."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, replace
from types import SimpleNamespace
from typing import Any

import pytest

from assistant import (
    Answer,
    Attachment,
    Citation,
    Hit,
    Message,
    Passage,
    Reply,
    SettingsError,
    Tool,
    hooks,
)
from assistant.messages import Turn, now
from assistant.plugging import Faults, Plugins
from assistant.settings import Settings

PASSAGE = Passage("p1", "a1", ("Refunds",), "Refunds take three days.")
HIT = Hit(PASSAGE, 0.5, {"dense": 1})
ANSWER = Answer("Three days [1].", (Citation(1, PASSAGE, "three days"),), 0.9)
REPLY = Reply("r1", 1, "test", "thread", "ann@example.com", "Re: Help", "Three days.")


# --- what well-behaved plugins can rely on ---


def test_each_plugin_gets_what_the_one_before_returned_in_the_order_of_names(
    plugins, faults, message, ticket, adds
) -> None:
    plugins.register("c", adds("third"))
    plugins.register("a", adds("first"))
    plugins.register("b", adds("second"))

    seen = plugins.message_received(message("Hello"), ticket, faults)

    assert (seen.text, faults) == ("Hello first second third", [])


def test_tryfirst_and_trylast_move_a_plugin(plugins, faults, message, ticket, adds) -> None:
    plugins.register("a", adds("last", trylast=True))
    plugins.register("b", adds("middle"))
    plugins.register("c", adds("first", tryfirst=True))

    assert plugins.message_received(message(""), ticket, faults).text == " first middle last"


def test_none_leaves_things_as_they_are(plugins, faults, message, plugin) -> None:
    plugins.register("quiet", plugin("passages_found", lambda: None))

    assert plugins.passages_found(message(), [HIT], faults) == (HIT,)
    assert faults == []


def test_an_empty_list_of_hits_is_not_nothing(plugins, faults, message, plugin) -> None:
    plugins.register("strict", plugin("passages_found", lambda hits: []))

    assert plugins.passages_found(message(), [HIT], faults) == ()


def test_a_hook_may_be_a_generator(plugins, faults, message, plugin) -> None:
    def twice(hits: tuple[Hit, ...]) -> Iterator[Hit]:
        yield from hits
        yield replace(HIT, score=0.4)

    plugins.register("twice", plugin("passages_found", twice))

    assert [hit.score for hit in plugins.passages_found(message(), [HIT], faults)] == [0.5, 0.4]


def test_an_answer_can_be_changed(plugins, faults, message, plugin) -> None:
    plugins.register(
        "polite",
        plugin("answer_drafted", lambda answer: replace(answer, text="Hi. " + answer.text)),
    )

    assert plugins.answer_drafted(message(), ANSWER, faults).text == "Hi. Three days [1]."


def test_the_first_reason_holds_a_reply_back(plugins, faults, plugin) -> None:
    plugins.register("a", plugin("reply_sending", lambda reply: None))
    plugins.register("b", plugin("reply_sending", lambda reply: "it is Sunday"))
    plugins.register("c", plugin("reply_sending", lambda reply: "never asked"))

    assert plugins.reply_sending(REPLY, faults) == "b: it is Sunday"


def test_everything_registered_is_gathered(plugins, faults, plugin) -> None:
    connector = SimpleNamespace(name="fax", run=print, send=print, find_sent=print)
    tool = SimpleNamespace(name="order_status", invoke=print)
    plugins.register("a", plugin("register_connectors", lambda settings: [connector]))
    plugins.register("b", plugin("register_tools", lambda settings: [tool]))
    plugins.register("c", plugin("register_sources", lambda settings: [[], iter(())]))
    plugins.register("d", plugin("console_panels", lambda ticket: [("Orders", "<p>2</p>")]))

    assert plugins.register_connectors(Settings(), faults) == (connector,)
    assert plugins.register_tools(Settings(), faults) == (Tool(tool, "approval", plugin="b"),)
    assert len(plugins.register_sources(Settings(), faults)) == 2
    assert faults == []


def test_list_tells_what_runs(plugins, adds) -> None:
    plugins.register("adder", adds("x"), version="1.2", distribution="deskmate-adder")

    (info,) = plugins.list()

    assert (info.name, info.version, info.distribution) == ("adder", "1.2", "deskmate-adder")
    assert (info.hooks, info.state) == (("message_received",), "running")


def test_every_hook_has_a_time_limit_and_a_method() -> None:
    specified = {name for name, f in vars(hooks).items() if hasattr(f, "deskmate_spec")}

    assert specified == set(hooks.TIME_LIMITS_S)
    assert all(callable(getattr(Plugins, name)) for name in specified)


def test_workers_sharing_plugins_keep_their_faults_apart(plugins, message, ticket, plugin) -> None:
    def fails_for_odd(message: Message) -> Message:
        if int(message.text) % 2:
            raise ValueError(message.text)
        return replace(message, text="even")

    plugins.register("odd", plugin("message_received", fails_for_odd))
    seen: dict[int, tuple[str, Faults]] = {}

    def work(number: int) -> None:
        own: Faults = []
        seen[number] = (plugins.message_received(message(str(number)), ticket, own).text, own)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert all(seen[n] == ("even", []) for n in range(0, 20, 2))
    assert all(len(seen[n][1]) == 1 and str(n) in seen[n][1][0].error for n in range(1, 20, 2))


# --- plugins that mean harm ---


def raises(error: BaseException) -> Callable[..., Any]:
    def does(message: Message) -> None:
        raise error

    return does


def recurses(message: Message) -> Message:
    return recurses(message)


def mutates(message: Message) -> None:
    message.text = "mine"  # type: ignore[misc]


def forces(message: Message) -> None:
    object.__setattr__(message, "text", "mine")
    raise ValueError("by force")


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


HOSTILE = [
    (raises(ValueError("no such order")), "ValueError: no such order (test_hooks.py:"),
    (raises(SystemExit(3)), "SystemExit: 3"),
    (raises(KeyboardInterrupt()), "KeyboardInterrupt"),
    (raises(TimeoutError("their own")), "TimeoutError: their own"),
    (raises(SettingsError("not at start")), "SettingsError: not at start"),
    (raises(UnprintableError()), "UnprintableError (test_hooks.py:"),
    (recurses, "RecursionError"),
    (mutates, FrozenInstanceError.__name__),
    (forces, "by force"),
    (lambda message: "text", "returned str, not Message"),
    (lambda message: Message, "returned type, not Message"),
    (lambda message: replace(message, text=None), "wrong text: Input should be a valid string"),
    (lambda message: replace(message, text=b"\xff"), "wrong text"),
    (lambda message: replace(message, audience="all"), "wrong audience"),
    (lambda message: replace(message, attachments=(b"",)), "wrong attachments.0"),
    (
        lambda message: replace(message, attachments=(Attachment("image/png", "a.png", None),)),  # type: ignore[arg-type]
        "wrong attachments.0.content",
    ),
    (lambda message: replace(message, external_id="2"), "changed the message's external_id"),
    (lambda message: replace(message, thread_id="other"), "changed the message's thread_id"),
]


@pytest.mark.parametrize(("does", "error"), HOSTILE)
def test_a_faulty_plugin_costs_only_itself(
    plugins, faults, message, ticket, does: Callable[..., Any], error: str, adds, plugin
) -> None:
    plugins.register("before", adds("before"))
    plugins.register("hostile", plugin("message_received", does))
    plugins.register("later", adds("later"))

    seen = plugins.message_received(message("Hello"), ticket, faults)

    assert seen == replace(message("Hello"), text="Hello before later", sent_at=seen.sent_at)
    assert [(fault.plugin, fault.hook) for fault in faults] == [("hostile", "message_received")]
    assert error in faults[0].error


SAID = Turn("customer", "My card is declined", now())
WRONG_RETURNS = [
    ("conversation_read", [SAID.text], "returned str, not Turn"),
    ("conversation_read", [replace(SAID, author="robot")], "wrong author"),
    ("passages_found", [PASSAGE], "returned assistant.articles.Passage, not Hit"),
    ("passages_found", "hits", "returned str, not several things"),
    ("passages_found", itertools.repeat(HIT), "more than 10,000"),
    ("passages_found", [Hit(PASSAGE, "high")], "wrong score"),
    ("passages_found", [Hit(replace(PASSAGE, text=7), 1.0)], "wrong passage.text"),
    ("answer_drafted", "Three days.", "returned str, not Answer"),
    ("answer_drafted", replace(ANSWER, confidence=7.0), "confidence of 7.0"),
    ("answer_drafted", replace(ANSWER, confidence=float("nan")), "confidence of nan"),
    ("reply_sending", True, "returned bool, not a reason"),
    ("reply_sending", "  ", "not a reason"),
    ("ticket_solved", "thanks", "this hook returns nothing"),
    ("ticket_erased", "gone", "this hook returns nothing"),
    ("console_panels", ["<p>"], "not a panel"),
    ("register_connectors", [object()], "returned object, not a Connector"),
    ("register_tools", [print], "not a LangChain tool"),
    ("register_sources", "docs/", "not several things"),
    ("register_commands", 1, "this hook returns nothing"),
]


@pytest.mark.parametrize(("hook", "value", "error"), WRONG_RETURNS)
def test_a_wrong_return_is_a_fault_and_nothing_changes(
    plugins, plugin, faults, message, ticket, hook: str, value: object, error: str
) -> None:
    plugins.register("wrong", plugin(hook, lambda: value))
    given = {
        "conversation_read": (message(), (SAID,)),
        "passages_found": (message(), (HIT,)),
        "answer_drafted": (message(), ANSWER),
        "reply_sending": (REPLY,),
        "ticket_solved": (ticket,),
        "ticket_erased": (ticket.id,),
        "console_panels": (ticket,),
    }.get(hook, (Settings(),))

    result = getattr(plugins, hook)(*given, faults)

    assert result in (given[-1], (), None)
    assert [fault.hook for fault in faults] == [hook]
    assert error in faults[0].error


def test_two_connectors_of_one_name_are_refused(plugins, faults, plugin) -> None:
    first, second = (
        SimpleNamespace(name="fax", run=print, send=print, find_sent=print) for _ in range(2)
    )
    plugins.register("a", plugin("register_connectors", lambda: [first]))
    plugins.register("b", plugin("register_connectors", lambda: [second]))

    assert plugins.register_connectors(Settings(), faults) == (first,)
    assert "a connector named 'fax'" in faults[0].error


def test_a_hanging_plugin_is_left_behind_and_not_called_again_until_it_returns(
    plugins, faults, message, ticket, stuck: threading.Event, adds, plugin
) -> None:
    calls, returned = [], threading.Event()

    def hangs(message: Message) -> Message:
        calls.append(message)
        stuck.wait()
        returned.set()
        return replace(message, text="too late")

    plugins.register("hangs", plugin("message_received", hangs))
    plugins.register("later", adds("later"))

    texts = [plugins.message_received(message("Hello"), ticket, faults).text for _ in range(2)]

    assert texts == ["Hello later", "Hello later"]
    assert len(calls) == 1
    assert [fault.error for fault in faults] == [
        "took longer than 0.3 s",
        "not called: an earlier call has still not returned",
    ]

    stuck.set()
    returned.wait()
    for _ in range(100):
        if plugins.message_received(message("Hello"), ticket, faults).text == "too late later":
            return
        time.sleep(0.01)
    pytest.fail("the plugin is not called again")


def test_an_endless_loop_is_left_behind(
    plugins, faults, message, ticket, stuck: threading.Event, plugin
) -> None:
    def loops(message: Message) -> None:
        while not stuck.is_set():
            pass

    plugins.register("loops", plugin("message_received", loops))

    assert plugins.message_received(message("Hello"), ticket, faults).text == "Hello"
    assert faults[0].error == "took longer than 0.3 s"
