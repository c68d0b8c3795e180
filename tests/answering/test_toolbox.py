"""Tools within their terms, on a real ticket database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from langchain_core.tools import InjectedToolArg, tool

from assistant import Message, SettingsError, Ticket, Tool, hookimpl
from assistant.answering.toolbox import MAX_CALLS, Toolbox, ToolResult
from assistant.errors import DeskmateError
from assistant.messages import PluginFault
from assistant.plugging import Plugins
from assistant.settings import Settings
from assistant.tickets.repository import Tickets

ORDERS = {("A-10234", "ann@example.com"): "Order A-10234: shipped on 12 March."}


class Shop:
    """A plugin whose tools note that they were called."""

    def __init__(self) -> None:
        self.called: list[tuple[Any, ...]] = []
        self.fails: Exception | None = None
        self.waits_for: threading.Event | None = None
        self.terms: dict[str, Any] = {}

    @hookimpl
    def register_tools(self) -> list[Any]:
        @tool
        def order_status(number: str, customer: Annotated[str, InjectedToolArg]) -> str:
            """Where an order is."""
            self.called.append((number, customer))
            if self.fails:
                raise self.fails
            if self.waits_for:
                self.waits_for.wait()
            return ORDERS.get((number, customer), "")

        @tool
        def create_return(
            number: str, copies: int, idempotency_key: Annotated[str, InjectedToolArg]
        ) -> str:
            """Creates a return label."""
            self.called.append((number, copies, idempotency_key))
            if self.fails:
                raise self.fails
            return f"Return of {number} was created."

        @tool
        def cancel_order(number: str) -> str:
            """Cancels an order."""
            self.called.append((number,))
            return f"Order {number} was cancelled."

        return [
            Tool(order_status, "read", **self.terms),
            Tool(create_return, "write"),
            cancel_order,  # nobody said what it may do without a person
        ]


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def stored(tickets: Tickets, message: Callable[..., Message]) -> Ticket:
    return tickets.store_message(message("Where is A-10234?"))


@pytest.fixture
def toolbox(shop: Shop, tickets: Tickets) -> Callable[..., Toolbox]:
    """Makes a toolbox as after a start of the desk: `toolbox(allowed=…)`."""

    def make(**options: Any) -> Toolbox:
        plugins, faults = Plugins(), list[PluginFault]()
        plugins.register("shop", shop)
        tools = plugins.register_tools(Settings(), faults)
        assert faults == []
        return Toolbox(tools, plugins, lambda: tickets.tool_calls, **options)

    return make


@pytest.fixture
def call(
    toolbox: Callable[..., Toolbox], message: Callable[..., Message], stored: Ticket, faults: list
) -> Callable[..., ToolResult]:
    """One call, each time after a start of the desk."""

    def make(name: str, allowed: tuple[str, ...] = (), **arguments: Any) -> ToolResult:
        return toolbox(allowed=allowed).call(name, arguments, message(), stored, faults)

    return make


@pytest.fixture
def faults() -> list[PluginFault]:
    return []


def test_a_reading_tool_is_called_for_the_customer_who_wrote(call, shop: Shop) -> None:
    result = call("order_status", number="A-10234")

    assert (result.state, result.text) == ("done", "Order A-10234: shipped on 12 March.")
    assert shop.called == [("A-10234", "ann@example.com")]
    assert result.passage.heading_path == ("Order status",)


def test_nobody_chooses_for_whom_it_is_called(call, shop: Shop) -> None:
    result = call("order_status", number="A-10234", customer="bob@example.com")

    assert (result.state, shop.called) == ("refused", [])
    assert "there is no argument customer" in result.text


def test_every_call_is_noted(call, tickets: Tickets, stored: Ticket) -> None:
    call("order_status", number="A-10234")
    call("order_status", number="A-99999")

    first, second = tickets.tool_calls.of_ticket(stored.id)
    assert (first.plugin, first.tool, first.risk, first.state) == (
        "shop",
        "order_status",
        "read",
        "done",
    )
    assert (first.arguments, first.customer) == ({"number": "A-10234"}, "ann@example.com")
    assert first.result == "Order A-10234: shipped on 12 March."
    assert second.result == ""


def test_the_same_call_of_one_message_is_made_once(call, shop: Shop) -> None:
    results = [call("create_return", ("create_return",), number="A-1", copies=1) for _ in "ab"]

    assert len(shop.called) == 1
    assert [(r.state, r.text) for r in results] == [("done", "Return of A-1 was created.")] * 2


def test_another_message_is_another_call(toolbox, shop: Shop, stored: Ticket, faults) -> None:
    for number in ("1", "2"):
        message = Message("test", number, "thread", "ann@example.com", "Return A-1")
        toolbox(allowed=["create_return"]).call(
            "create_return", {"number": "A-1", "copies": 1}, message, stored, faults
        )

    keys = {key for *_, key in shop.called}
    assert len(keys) == 2


def test_a_write_that_was_cut_off_is_not_made_again(
    call, shop: Shop, tickets: Tickets, stored: Ticket
) -> None:
    call("create_return", ("create_return",), number="A-1", copies=1)
    (noted,) = tickets.tool_calls.of_ticket(stored.id)
    tickets.tool_calls.finish(noted.id, "running", "")  # as if the process had died within

    result = call("create_return", ("create_return",), number="A-1", copies=1)

    assert len(shop.called) == 1
    assert (result.state, "nobody knows" in result.text) == ("failed", True)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("create_return", {"number": "A-1", "copies": 1}), ("cancel_order", {"number": "A-1"})],
)
def test_what_changes_something_waits_for_a_person(
    call, toolbox, shop: Shop, tickets: Tickets, stored: Ticket, name: str, arguments: dict
) -> None:
    assert call(name, **arguments).state == "waiting"
    assert call(name, **arguments).state == "waiting"
    assert shop.called == []

    (waiting,) = tickets.tool_calls.waiting()
    result = toolbox().approve(waiting.id, "Kim")

    assert (result.state, len(shop.called)) == ("done", 1)
    assert call(name, **arguments).state == "done"
    assert len(shop.called) == 1
    (entry,) = tickets.audit.of_ticket(stored.id)
    assert (entry.who, entry.action, entry.detail) == ("Kim", "approve tool", f"{name}, call 1")


def test_what_a_person_refused_is_never_called(call, toolbox, shop: Shop, tickets) -> None:
    call("cancel_order", number="A-1")
    toolbox().refuse(1, "Kim")

    assert call("cancel_order", number="A-1").state == "refused"
    with pytest.raises(DeskmateError, match="it is refused"):
        toolbox().approve(1, "Ann")
    assert shop.called == []


def test_nothing_waits_for_a_question_asked_on_the_spot(
    toolbox, shop: Shop, message, faults, tickets: Tickets, stored: Ticket
) -> None:
    on_the_spot = Ticket(0, "desk", "desk", "desk", "", "open", stored.created_at)
    box = toolbox(allowed=["create_return"])

    read = box.call("order_status", {"number": "A-10234"}, message(), on_the_spot, faults)
    wrote = box.call("create_return", {"number": "A", "copies": 1}, message(), on_the_spot, faults)

    assert (read.state, wrote.state) == ("done", "failed")
    assert len(shop.called) == 1
    assert tickets.tool_calls.waiting() == ()


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("open_safe", {}, "no such tool"),
        ("order_status", {}, "number: Field required"),
        ("create_return", {"number": "A-1", "copies": "many"}, "copies: "),
    ],
)
def test_a_call_that_makes_no_sense_is_refused_and_no_fault_of_the_plugin(
    call, shop: Shop, faults, name: str, arguments: dict, why: str
) -> None:
    result = call(name, **arguments)

    assert (result.state, why in result.text) == ("refused", True)
    assert (shop.called, faults) == ([], [])


def test_a_tool_that_fails_is_a_fault_that_says_why(call, shop: Shop, faults) -> None:
    shop.fails = ConnectionError("the shop is closed")

    result = call("order_status", number="A-10234")

    assert (result.state, "the shop is closed" in result.text) == ("failed", True)
    assert [(fault.plugin, fault.hook) for fault in faults] == [("shop", "tool order_status")]


def test_a_reading_tool_that_failed_is_asked_again_next_time(call, shop: Shop) -> None:
    shop.fails = ConnectionError("the shop is closed")
    call("order_status", number="A-10234")
    shop.fails = None

    assert call("order_status", number="A-10234").state == "done"


def test_a_tool_that_hangs_is_left_behind(call, shop: Shop, faults) -> None:
    shop.waits_for, shop.terms = threading.Event(), {"limit_s": 0.3}

    result = call("order_status", number="A-10234")

    shop.waits_for.set()
    assert (result.state, result.text) == ("failed", "took longer than 0.3 s")


def test_more_calls_a_minute_than_declared_are_not_made(
    toolbox, shop: Shop, message, stored, faults
) -> None:
    shop.terms = {"per_minute": 2}
    box = toolbox()

    states = [
        box.call("order_status", {"number": f"A-{n}"}, message(), stored, faults).state
        for n in range(3)
    ]

    assert states == ["empty", "empty", "failed"]


def test_a_long_result_is_cut(call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ORDERS, ("A-1", "ann@example.com"), "x" * 100_000)

    assert len(call("order_status", number="A-1").text) < 5_000


@pytest.mark.parametrize(
    ("name", "why"),
    [("cancel_order", "risk is not write"), ("order_status", "risk is"), ("x", "no such tool")],
)
def test_only_tools_that_write_can_be_allowed(toolbox, name: str, why: str) -> None:
    with pytest.raises(SettingsError, match=f"tools.allowed: '{name}': .*{why}.*create_return"):
        toolbox(allowed=[name])


def test_rules_call_what_they_are_asked_for(
    toolbox, shop: Shop, message, stored, faults, question
) -> None:
    shop.terms = {"rule": lambda text: {"number": "A-10234"} if "Where is" in text else None}

    (result,) = toolbox().gather(question("Where is it?"), message(), stored, faults)
    nothing = toolbox().gather(question("Cancel it"), message(), stored, faults)

    assert (result.state, nothing, faults) == ("done", [], [])


def test_a_rule_that_fails_is_a_fault(toolbox, shop: Shop, message, stored, faults, question):
    shop.terms = {"rule": lambda text: {}["number"]}

    assert toolbox().gather(question("Where is it?"), message(), stored, faults) == []
    assert [fault.hook for fault in faults] == ["rule of order_status"]


def test_a_model_that_never_stops_calling_is_stopped(
    toolbox, shop: Shop, message, stored, faults, question
) -> None:
    def choose(question: Any, tools: Any, call: Callable[..., ToolResult]) -> None:
        for number in range(100):
            call("order_status", {"number": f"A-{number}"})

    results = toolbox(choose=choose).gather(question("?"), message(), stored, faults)

    assert (len(results), len(shop.called)) == (MAX_CALLS, MAX_CALLS)
