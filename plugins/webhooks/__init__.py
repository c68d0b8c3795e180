"""Webhooks: other programs are told what happens on the tickets, signed and again until they know.

Each event has an id that stays the same however often it is sent, and holds ids and no customer's
words: whoever needs those asks the HTTP API for them with a key of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from assistant import Connector, hookimpl
from assistant.events import EventKind

if TYPE_CHECKING:
    from assistant.settings import Settings as DeskSettings

TOLD: tuple[EventKind, ...] = (
    "message.received",
    "outcome.stored",
    "reply.sent",
    "ticket.handed_over",
    "ticket.solved",
)


class Endpoint(BaseModel):
    """Who is told of what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="Where events are posted; redirects are not followed.")
    secret: SecretStr = Field(
        description="Signs them; after a comma, an older one that still signs as well."
    )
    events: tuple[EventKind, ...] = Field(TOLD, description="The kinds of events; by default all.")

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError("no http or https address without a name and password in it")
        return value

    @field_validator("secret")
    @classmethod
    def _signs(cls, value: SecretStr) -> SecretStr:
        from plugins.webhooks.signing import key_of

        for secret in value.get_secret_value().split(","):
            key_of(secret.strip())
        return value

    @property
    def keys(self) -> tuple[bytes, ...]:
        """What signs, the newest first."""
        from plugins.webhooks.signing import key_of

        return tuple(key_of(one.strip()) for one in self.secret.get_secret_value().split(","))


class Webhooks:
    """The plugin: a table for each endpoint, [plugins.webhooks.endpoints.NAME]."""

    permissions: frozenset[str] = frozenset({"sending", "tickets:read", "commands", "network"})

    class Settings(BaseModel):
        """Who is told."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        endpoints: Mapping[str, Endpoint] = Field(
            default_factory=dict, description="Who is told, by name."
        )
        timeout_seconds: float = Field(
            15.0, gt=0, le=60, description="An endpoint that takes longer has not been told."
        )

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @hookimpl
    def register_connectors(self, settings: DeskSettings) -> list[Connector]:
        """What delivers, if there is an endpoint: a channel on which only events go out."""
        if not self.settings.endpoints:
            return []
        from plugins.webhooks.delivering import Deliverer

        return [Deliverer(self.settings.endpoints, self.settings.timeout_seconds)]

    @hookimpl
    def register_commands(self, cli: typer.Typer) -> None:
        """`deskmate webhooks secret|status|retry`."""
        webhooks = typer.Typer(help="Tell other programs what happens.", no_args_is_help=True)
        webhooks.command("secret")(print_secret)
        webhooks.command("status")(print_status)
        webhooks.command("retry")(retry)
        cli.add_typer(webhooks, name="webhooks")


def print_secret() -> None:
    """Print a new secret for an endpoint."""
    from plugins.webhooks.signing import new_secret

    typer.echo(new_secret())


def print_status() -> None:
    """Show how many events each endpoint was told of, waits for, and was not told of."""
    from assistant import Desk

    names = {"delivered": "delivered", "intended": "waiting", "failed": "given up"}
    with Desk.open() as desk:
        counts: dict[tuple[str, str], Any] = dict(desk.tickets.deliveries.counts())
    for endpoint in sorted({name for name, _ in counts}):
        said = (f"{counts.get((endpoint, state), 0)} {word}" for state, word in names.items())
        typer.echo(f"{endpoint}: {', '.join(said)}")


def retry(endpoint: Annotated[str, typer.Argument(help="Its name in the settings.")]) -> None:
    """Have an endpoint told now of everything that waits or was given up."""
    from assistant import Desk

    with Desk.open() as desk:
        count = desk.tickets.deliveries.retry(endpoint)
    typer.echo(f"{count} events are sent again within seconds, while `deskmate serve` runs.")
