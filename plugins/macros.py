"""Canned answers with variables: people find them filled in beside a ticket, and the assistant may
answer from them as from an article.

    [plugins.macros]
    signature = "Acme support"

    [plugins.macros.texts]
    "How do I return an item?" = "Send it to {address} within {days} days. {signature}"

    [plugins.macros.variables]
    address = "Acme, Dock Road 1, Leeds"
    days = "30"

A text's name is the question that it answers. `{ticket}`, `{customer}` and `{today}` are known for
each ticket; other variables are yours. Run `deskmate index` after changing a text.
"""

from __future__ import annotations

import datetime as dt
import html
import string
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assistant import Article, Hit, Message, Section, Ticket, hookimpl

SOURCE = "macros"
OWN = ("ticket", "customer", "today")
FOR_PEOPLE = ("ticket", "customer")
"""Variables whose values are one ticket's: an article that all customers see has none of them."""


class Macros:
    """The plugin: `[plugins.macros]`; without texts it does nothing."""

    permissions = frozenset({"tickets:read", "tickets:write", "knowledge"})

    class Settings(BaseModel):
        """Texts and their variables."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        texts: dict[str, str] = Field({}, description="The answer to each question.")
        variables: dict[str, str] = Field({}, description="What {name} in a text stands for.")
        signature: str = Field("", description="What {signature} stands for.")
        answered: bool = Field(True, description="The assistant answers from them as well.")

        @model_validator(mode="after")
        def _know_their_variables(self) -> Macros.Settings:
            known = {*self.variables, *OWN, "signature"}
            for name, text in self.texts.items():
                try:
                    used = {field for _, field, _, _ in string.Formatter().parse(text) if field}
                except ValueError as error:
                    raise ValueError(
                        f"the text {name!r}: {error}; write {{{{ for a brace"
                    ) from None
                if unknown := sorted(used - known):
                    raise ValueError(f"the text {name!r} has the unknown variable {unknown[0]!r}")
            return self

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @hookimpl
    def register_sources(self) -> list[list[Article]]:
        """The texts as articles; those that speak of one ticket are for people only."""
        if not self.settings.answered:
            return []
        return [
            [
                Article(name, name, (Section((name,), text),), source=SOURCE)
                for name, text in self.settings.texts.items()
                if not any("{" + variable in text for variable in FOR_PEOPLE)
            ]
        ]

    @hookimpl
    def passages_found(self, message: Message, hits: Sequence[Hit]) -> list[Hit] | None:
        """Fills the variables in before anything is quoted, so that the check sees the words that
        the customer will see."""
        if not any(hit.passage.source == SOURCE for hit in hits):
            return None
        return [self._filled_hit(hit) if hit.passage.source == SOURCE else hit for hit in hits]

    @hookimpl
    def console_panels(self, ticket: Ticket) -> list[tuple[str, str]]:
        """All texts, filled in for this ticket, to copy."""
        if not self.settings.texts:
            return []
        values = {"ticket": str(ticket.id), "customer": ticket.customer}
        items = (
            f"<h3>{html.escape(name)}</h3><p>{html.escape(self.filled(text, values))}</p>"
            for name, text in self.settings.texts.items()
        )
        return [("Canned answers", "".join(items))]

    def filled(self, text: str, values: Mapping[str, str] | None = None) -> str:
        """A text with its variables' values."""
        known = {
            **self.settings.variables,
            "signature": self.settings.signature,
            "today": dt.date.today().isoformat(),
            **(values or {}),
        }
        return text.format_map(known)

    def _filled_hit(self, hit: Hit) -> Hit:
        try:
            text = self.filled(hit.passage.text)
        except (KeyError, ValueError, IndexError):  # indexed before the settings changed
            return hit
        return replace(hit, passage=replace(hit.passage, text=text))
