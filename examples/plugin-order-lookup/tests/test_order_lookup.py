from pathlib import Path

import pytest
from deskmate_order_lookup import OrderLookup

from assistant import Message

ORDERS = "number,customer,product,status\nA-10234,ann@example.com,Kettle,shipped on 12 March\n"


@pytest.fixture
def lookup(tmp_path: Path) -> OrderLookup:
    file = tmp_path / "orders.csv"
    file.write_text(ORDERS, encoding="utf-8")
    return OrderLookup(OrderLookup.Settings(orders=file))


def ask(text: str, sender: str = "ann@example.com") -> Message:
    return Message("email", "1", "thread", sender, text)


def test_an_order_is_cited_before_the_articles(lookup: OrderLookup) -> None:
    (hit,) = lookup.passages_found(ask("Where is A-10234?"), [])

    assert hit.passage.text == "Order A-10234 (Kettle): shipped on 12 March."


def test_another_customers_order_is_not_told(lookup: OrderLookup) -> None:
    assert lookup.passages_found(ask("Where is A-10234?", "bob@example.com"), []) is None


def test_a_message_without_an_order_stays(lookup: OrderLookup) -> None:
    assert lookup.message_received(ask("How do I return a kettle?"), ticket=None) is None
