"""Where an order is, from a CSV file with the columns number, customer, product, status."""

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, Field

from assistant import Hit, Message, Passage, Ticket, hookimpl

ORDER_NUMBER = re.compile(r"\bA-\d{5}\b")


class OrderLookup:
    class Settings(BaseModel):
        orders: Path = Field(description="The CSV file.")

    def __init__(self, settings: Settings) -> None:
        self.orders = settings.orders

    @hookimpl
    def message_received(self, message: Message, ticket: Ticket) -> Message | None:
        """An order tells which product the message is about."""
        row = self.find(message)
        return replace(message, product=row["product"]) if row else None

    @hookimpl
    def passages_found(self, message: Message, hits: Sequence[Hit]) -> Sequence[Hit] | None:
        """The order's status is a passage like any other: the answer cites it."""
        row = self.find(message)
        if row is None:
            return None
        title = f"Order {row['number']}"
        text = f"Order {row['number']} ({row['product']}): {row['status']}."
        passage = Passage(f"order:{row['number']}", "orders", (title,), text, source="orders")
        return [Hit(passage, 1.0, {"order lookup": 1}), *hits]

    def find(self, message: Message) -> dict[str, str] | None:
        """The order that is named, if it is the sender's own."""
        number = ORDER_NUMBER.search(message.text)
        with self.orders.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if number and (row["number"], row["customer"]) == (number[0], message.sender):
                    return row
        return None
