"""The hook; everything heavy is imported when it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import Connector, SettingsError, hookimpl

if TYPE_CHECKING:
    from assistant.settings import Settings


@hookimpl
def register_connectors(settings: Settings) -> list[Connector]:
    """The connector, if there is a table [connectors.email]."""
    table = settings.connectors.get("email")
    if table is None:
        return []
    from connectors.email.connector import EmailConnector
    from connectors.email.settings import read

    keys = [key.strip() for key in settings.secret_key.split(",") if key.strip()]
    if not keys:
        raise SettingsError(
            "secret_key: not set, and e-mail signs its tickets' marks with it. `deskmate slack key`"
            " prints a new one; set DESKMATE_SECRET_KEY to it and keep it safe."
        )
    return [EmailConnector(read(table), keys, settings.max_attachment_mb * 1_000_000)]
