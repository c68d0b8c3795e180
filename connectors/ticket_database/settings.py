"""`[connectors.ticket_database]` in deskmate.toml."""

from __future__ import annotations

from collections.abc import Mapping as Table
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant import SettingsError

NAME = "ticket_database"
VARIABLE = "DESKMATE_CONNECTORS__TICKET_DATABASE__"


class TicketDatabaseSettings(BaseModel):
    """What an operator sets; the URLs, which hold passwords, rather in variables:
    DESKMATE_CONNECTORS__TICKET_DATABASE__URL."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(repr=False, description="SQLAlchemy URL of a role that may only read.")
    write_url: str = Field(
        "", repr=False, description="URL of the role that writes; empty: nothing is written."
    )
    mapping: str = Field(description="The mapping file, or a ready-made one: zammad, chatwoot.")
    poll_seconds: float = Field(2.0, gt=0, description="Between looks for new rows.")
    overlap_seconds: float = Field(
        600.0, gt=0, description="The longest transaction whose rows are still seen."
    )
    drafts_first: int = Field(
        20, ge=0, description="Nothing is answered without a person until so many drafts were seen."
    )
    files_dir: Path | None = Field(
        None, description="Folder of attachments that the database names by paths."
    )
    file_urls: tuple[str, ...] = Field(
        (), description="Beginnings of the URLs from which attachments are fetched; no others."
    )
    solved_as_knowledge: bool = Field(
        False, description="`deskmate index` takes in solved tickets, for staff until released."
    )
    customers_are_verified: bool = Field(
        False, description="The help desk checks that customers' addresses are theirs."
    )


def read(table: Table[str, Any]) -> TicketDatabaseSettings:
    """The checked settings. Raises SettingsError naming the key and what to do."""
    try:
        return TicketDatabaseSettings.model_validate(dict(table))
    except ValidationError as error:
        raise SettingsError("\n".join(map(_explain, error.errors(include_url=False)))) from None


def _explain(problem: Any) -> str:
    key = ".".join(str(part) for part in ("connectors", NAME, *problem["loc"]))
    if problem["type"] == "missing":
        return f"{key}: missing; docs/ticket-database.md says what it is."
    if problem["type"] == "extra_forbidden":
        known = ", ".join(TicketDatabaseSettings.model_fields)
        return f"{key}: no such setting. Known here: {known}."
    shown = "" if "url" in key or isinstance(problem["input"], dict) else f" = {problem['input']!r}"
    return f"{key}{shown}: {problem['msg']}."
