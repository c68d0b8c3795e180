"""Where an order is, from any SQL database: a tool that reads.

    [plugins.order-lookup]
    database_url = "postgresql+psycopg://reader@db/shop"
    query = "SELECT status FROM orders WHERE number = :number AND email = :customer"
    number = 'A-\\d{5}'

The number and the customer are bound as parameters, never written into the query. The customer is
who wrote the message, so that nobody learns of another's order by guessing its number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from assistant import Tool, hookimpl

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from assistant.settings import Settings as DeskSettings

ASKED = (
    r"where|when|status|track|arriv|deliver|ship|dispatch|on its way|receive"
    r"|wo\b|wann|liefer|sendung|versand|où|quand|livr|suivi|dónde|cuándo|entrega|envío"
)
"""Words of a question for an order's status."""

OTHERWISE = (
    r"refund|return|cancel|broken|damag|wrong|missing|chang|complain|invoice"
    r"|rückgabe|erstatt|storn|kaputt|beschädigt|falsch|fehlt|änder|rembours|annul|cass|reembols"
)
"""Words of other matters about an order: a status would be no answer to them."""


class OrderLookup:
    """The plugin: `[plugins.order-lookup]` in deskmate.toml; without a database it does nothing."""

    permissions = frozenset({"tools", "network"})

    class Settings(BaseModel):
        """Where orders are, and how an order is told."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        database_url: SecretStr = Field(
            SecretStr(""), description="SQLAlchemy URL, of a user who may only read."
        )
        query: str = Field(
            "SELECT status FROM orders WHERE number = :number AND email = :customer",
            description="Finds one row; :number and :customer are bound.",
        )
        answer: str = Field(
            "Order {number}: {status}.",
            description="A sentence of {number} and the row's columns.",
        )
        number: str = Field(r"\b[A-Z]{1,3}-?\d{4,10}\b", description="What order numbers are like.")
        asked: str = Field(ASKED, description="Words that ask for a status.")
        otherwise: str = Field(OTHERWISE, description="Words with which a status is no answer.")

        @field_validator("number", "asked", "otherwise")
        @classmethod
        def _compiles(cls, value: str) -> str:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"no regular expression: {error}") from None
            return value

        @field_validator("query")
        @classmethod
        def _binds_both(cls, value: str) -> str:
            for name in (":number", ":customer"):
                if name not in value:
                    raise ValueError(f"has no {name}, without which anybody's order is told")
            return value

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._number = re.compile(settings.number)
        self._asked = re.compile(settings.asked, re.IGNORECASE)
        self._otherwise = re.compile(settings.otherwise, re.IGNORECASE)

    @hookimpl
    def register_tools(self, settings: DeskSettings) -> list[Tool]:
        """One tool, if there is a database."""
        if not self.settings.database_url.get_secret_value():
            return []
        from plugins.order_lookup.tool import order_status_tool

        return [Tool(order_status_tool(self.find), "read", self.rule, "Order status")]

    def rule(self, text: str) -> Mapping[str, Any] | None:
        """The one order that a customer asks after; None if there are several, or it is another
        matter."""
        numbers = set(self._number.findall(text))
        if len(numbers) != 1 or not self._asked.search(text) or self._otherwise.search(text):
            return None
        return {"number": numbers.pop()}

    def find(self, number: str, customer: str) -> str:
        """The order told in a sentence, or nothing if it is not this customer's."""
        from sqlalchemy import text

        bound = {"number": number, "customer": customer}
        with self._engine.connect() as connection:
            row = connection.execute(text(self.settings.query), bound).mappings().first()
        return "" if row is None else self.settings.answer.format_map({"number": number, **row})

    @cached_property
    def _engine(self) -> Engine:
        from sqlalchemy import create_engine

        return create_engine(self.settings.database_url.get_secret_value(), pool_pre_ping=True)
