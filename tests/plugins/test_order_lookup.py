from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from assistant import SettingsError
from assistant.testing.desk import PluginDesk
from plugins.order_lookup import OrderLookup


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'shop.sqlite'}"
    with create_engine(url).begin() as connection:
        connection.execute(text("CREATE TABLE orders (number TEXT, email TEXT, status TEXT)"))
        connection.execute(
            text("INSERT INTO orders VALUES ('A-10234', 'ann@example.com', 'shipped')")
        )
    return url


@pytest.fixture
def lookup(url: str) -> OrderLookup:
    return OrderLookup(OrderLookup.Settings.model_validate({"database_url": url}))


def test_an_order_is_told_to_its_customer_only(lookup: OrderLookup) -> None:
    assert lookup.find("A-10234", "ann@example.com") == "Order A-10234: shipped."
    assert lookup.find("A-10234", "bob@example.com") == ""


@pytest.mark.parametrize("number", ["' OR 1=1 --", "A-10234'; DROP TABLE orders; --", "%"])
def test_what_a_customer_writes_is_bound_and_never_part_of_the_query(
    lookup: OrderLookup, number: str
) -> None:
    assert lookup.find(number, "ann@example.com") == ""
    assert lookup.find("A-10234", number) == ""
    assert lookup.find("A-10234", "ann@example.com") == "Order A-10234: shipped."


ASKED = {
    "Where is A-10234?": True,
    "A-10234 has not arrived": True,
    "Wo ist meine Bestellung A-10234?": True,
    "Quand arrive A-10234 ?": True,
    "Where is my order?": False,
    "Where are A-10234 and A-10235?": False,
    "A-10234 arrived broken": False,
    "Where do I cancel A-10234?": False,
    "When does A-10234X arrive?": False,
    "I like A-10234": False,
}


@pytest.mark.parametrize("words", ASKED)
def test_only_a_question_after_one_order_is_one(lookup: OrderLookup, words: str) -> None:
    assert lookup.rule(words) == ({"number": "A-10234"} if ASKED[words] else None)


def test_without_a_database_there_is_no_tool() -> None:
    desk = PluginDesk()
    desk.add("order-lookup", OrderLookup)

    assert desk.tools() == {}


def test_the_databases_password_is_in_no_fault(url: str) -> None:
    secret = "postgresql+psycopg://reader:hush-hush@127.0.0.1:9/shop"
    desk = PluginDesk(strict=False)
    desk.add("order-lookup", OrderLookup, {"database_url": secret})

    desk.plugins.caller.call(
        "order-lookup",
        "tool order_status",
        lambda: int(secret),
        desk.faults,
        limit_s=5,
        secrets=desk.plugins.secrets_of("order-lookup"),
    )

    assert "[secret]" in desk.faults[0].error
    assert "hush" not in desk.faults[0].error


@pytest.mark.parametrize("query", ["SELECT status FROM orders", "SELECT 1 WHERE x = :number"])
def test_a_query_that_tells_anybodys_order_is_refused(query: str) -> None:
    with pytest.raises(SettingsError, match="without which anybody's order is told"):
        PluginDesk().add("order-lookup", OrderLookup, {"query": query})
