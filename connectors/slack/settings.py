"""`[connectors.slack]` in deskmate.toml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant import SettingsError

VARIABLE = "DESKMATE_CONNECTORS__SLACK__"


class SlackSettings(BaseModel):
    """What an operator sets; tokens rather in variables: DESKMATE_CONNECTORS__SLACK__BOT_TOKEN."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["socket", "http"] = Field(
        "socket",
        description="How events come: socket needs no address of your own, http needs public_url.",
    )
    staff_channel: str = Field(
        description="ID (C…) of the channel that gets drafts and hand-overs; its members are staff."
        " With several workspaces: TEAM/CHANNEL."
    )
    channels: tuple[str, ...] = Field(
        (), description="IDs of channels in which every post is answered; elsewhere mentions are."
    )
    members_see_internal: bool = Field(
        False,
        description="Answer full members of the workspace from internal articles too, in direct"
        " messages and /deskmate ask; never guests, never people of other organisations.",
    )
    bot_token: str = Field("", repr=False, description="xoxb-…, for one workspace.")
    app_token: str = Field("", repr=False, description="xapp-…, for mode socket.")
    signing_secret: str = Field("", repr=False, description="For mode http.")
    client_id: str = Field("", description="With client_secret: several workspaces, by OAuth.")
    client_secret: str = Field("", repr=False, description="See client_id.")
    public_url: str = Field(
        "",
        pattern=r"^(https://\S+[^/\s]|http://(127\.0\.0\.1|localhost)(:\d+)?)?$",
        description="https address of `deskmate serve`, for mode http and OAuth.",
    )
    api_url: str = Field("https://slack.com/api/", description="Another one for GovSlack.")

    @property
    def several(self) -> bool:
        """Whether workspaces come by OAuth."""
        return bool(self.client_id)

    @property
    def events_url(self) -> str:
        """Where Slack posts to in mode http."""
        return f"{self.public_url}/connectors/slack/events"


def read(table: Mapping[str, Any]) -> SlackSettings:
    """The checked settings. Raises SettingsError naming the key and what to do."""
    try:
        settings = SlackSettings.model_validate(dict(table))
    except ValidationError as error:
        raise SettingsError("\n".join(map(_explain, error.errors(include_url=False)))) from None
    needed = [
        ("app_token", settings.mode == "socket"),
        ("signing_secret", settings.mode == "http"),
        ("public_url", settings.mode == "http" or settings.several),
        ("client_secret", settings.several),
        ("bot_token", not settings.several),
    ]
    for key, wanted in needed:
        if wanted and not getattr(settings, key):
            raise SettingsError(
                f"connectors.slack.{key}: missing, and mode {settings.mode!r}"
                f"{' with client_id' if settings.several else ''} needs it."
                f" Set it, or {VARIABLE}{key.upper()}; docs/slack.md says where to find it."
            )
    if settings.several and settings.bot_token:
        raise SettingsError(
            "connectors.slack: bot_token is for one workspace and client_id for several."
            " Remove one of them."
        )
    if settings.several and "/" not in settings.staff_channel:
        raise SettingsError(
            f"connectors.slack.staff_channel = {settings.staff_channel!r}: with several workspaces"
            " name the one that it is in as well: T…/C…."
        )
    return settings


def for_manifest(table: Mapping[str, Any]) -> SlackSettings:
    """The settings before there is an app, and so without tokens and channels."""
    known = {key: table[key] for key in ("mode", "public_url", "client_id") if key in table}
    try:
        return SlackSettings.model_validate({"staff_channel": "", **known})
    except ValidationError as error:
        raise SettingsError("\n".join(map(_explain, error.errors(include_url=False)))) from None


def _explain(problem: Any) -> str:
    key = ".".join(str(part) for part in ("connectors", "slack", *problem["loc"]))
    if problem["type"] == "missing":
        return f"{key}: missing. Set it to the ID of your staff's channel; see docs/slack.md."
    if problem["type"] == "extra_forbidden":
        return f"{key}: no such setting. Known here: {', '.join(SlackSettings.model_fields)}."
    shown = "" if "token" in key or "secret" in key else f" = {problem['input']!r}"
    return f"{key}{shown}: {problem['msg']}."
