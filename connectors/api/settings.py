"""`[connectors.api]` in deskmate.toml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant import SettingsError


class ApiSettings(BaseModel):
    """What an operator sets; an empty table switches the API on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_body_mb: int = Field(30, ge=1, description="Larger requests are refused.")
    stream_seconds: float = Field(
        300.0, gt=0, description="A stream of events ends after this long; clients come back."
    )


def read(table: Mapping[str, Any]) -> ApiSettings:
    """The settings of this table. Raises SettingsError naming the key and what is wrong."""
    try:
        return ApiSettings.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        known = ", ".join(ApiSettings.model_fields)
        raise SettingsError(f"connectors.api.{key}: {first['msg']}. Known: {known}.") from error
