"""Settings from `deskmate.toml` and `DESKMATE_*` variables; a variable wins over the file.

A nested key is written with two underscores: `DESKMATE_ANSWERING__CHAT_MODEL`. Every option has a
description and a default here; `settings_file.commented()` makes the file that `deskmate init`
writes from them, so that the two cannot disagree.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretBytes,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as VariableError

from assistant.errors import SettingsError

FILE_NAME = "deskmate.toml"
PREFIX = "DESKMATE_"
# Read elsewhere: by `load` itself, and by tests and benchmarks.
OTHER_VARIABLES = {
    "DESKMATE_CONFIG",
    "DESKMATE_DATA",
    "DESKMATE_TEST_POSTGRES_URL",
    "DESKMATE_TEST_SCREENSHOTS",
    "DESKMATE_TEST_SEED",
}

Probability = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Knowledge(_Section):
    chroma_url: str = Field(
        "", description="Address of a Chroma server (http://host:port); empty: embedded Chroma."
    )
    read_pictures: bool = Field(True, description="Read the text in articles' pictures.")
    passage_words: int = Field(180, ge=40, le=400, description="Longest passage, in words.")
    max_file_mb: int = Field(20, ge=1, description="Larger article files are reported and left.")


class Model(_Section):
    text: str = Field(
        "all-MiniLM-L6-v2",
        description="Text tower: a folder, an installed package's model, or a hub name.",
    )
    threads: int = Field(0, ge=0, description="Processor threads for models; 0: all cores.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="auto: bfloat16 where the processor computes it natively."
    )


class Answering(_Section):
    chat_model: str = Field(
        "",
        description="LangChain chat model, such as openai:gpt-5 or ollama:qwen3; "
        "empty: answers are composed of the sources' own sentences.",
    )
    chat_model_options: dict[str, Any] = Field(
        default_factory=dict, description="Further arguments of the chat model (base_url …)."
    )
    timeout_seconds: float = Field(
        120.0,
        gt=0,
        description="A message not answered within this time, for instance since a chat model"
        " hangs, goes to a person.",
    )
    passages: int = Field(5, ge=1, le=20, description="Passages an answer is written from.")


class Policy(_Section):
    reply_at: Probability = Field(
        0.75,
        description="Answers at least this confident are sent without a person. What is chosen on"
        " the console's page Quality holds instead.",
    )
    draft_at: Probability = Field(
        0.35,
        description="Answers at least this confident wait as drafts; below: hand over. Chosen on"
        " the same page.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Policy:
        if self.draft_at > self.reply_at:
            raise ValueError(
                f"draft_at {self.draft_at} is above reply_at {self.reply_at}; it may be as high"
            )
        return self


class Tools(_Section):
    allowed: list[str] = Field(
        default_factory=list,
        description="Tools with the risk write that run without a person's approval.",
    )


class Inbox(_Section):
    quiet_seconds: float = Field(
        5.0,
        ge=0,
        le=120,
        description="Seconds to wait for more where a customer seems to be still writing; a message"
        " that looks finished is answered after 1.5 at most.",
    )
    concurrency: int = Field(2, ge=1, description="Conversations answered at once per process.")
    tell_after_seconds: float = Field(
        300.0,
        ge=0,
        description="A customer who waits for so long is told once that the answer takes longer;"
        " 0: never.",
    )
    worker_name: str = Field(
        "", description="This process's stable name; empty: the host's name and 'worker'."
    )
    dead_after_seconds: float = Field(
        30.0, ge=1, description="Another worker takes over after this long without a heartbeat."
    )


class Http(_Section):
    host: str = Field(
        "127.0.0.1", description="Address `deskmate serve` listens on; 0.0.0.0: all of the machine."
    )
    port: int = Field(8080, ge=0, le=65535, description="Its port; 0: no HTTP.")


class SingleSignOn(_Section):
    issuer: str = Field(
        "", description="OpenID Connect issuer, such as https://login.example.com; empty: none."
    )
    client_id: str = Field("", description="What the issuer calls this console.")
    client_secret: str = Field("", repr=False, description="The secret it was given there.")
    new_people: Literal["refused", "viewer", "agent", "lead"] = Field(
        "refused",
        description="What becomes of people whom the issuer knows and no admin has added.",
    )


class Console(_Section):
    enabled: bool = Field(True, description="Serve the admin console on the HTTP port.")
    address: str = Field(
        "",
        description="Where people open it, such as https://desk.example.com; empty:"
        " http:// with the host and port above.",
    )
    session_hours: float = Field(12, gt=0, description="Longest time between two log-ins.")
    idle_minutes: float = Field(
        120, gt=0, description="Who does nothing for so long is logged out."
    )
    single_sign_on: SingleSignOn = Field(default_factory=SingleSignOn)


class Privacy(_Section):
    keep_tickets_days: int = Field(
        0,
        ge=0,
        description="Solved tickets without news for longer are erased, with all that belongs to"
        " them; 0: kept.",
    )
    keep_audit_days: int = Field(
        0, ge=0, description="Older entries of the audit log are erased; 0: kept."
    )


class Settings(BaseSettings):
    """Everything an operator can set. Read in `desk.py` only."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    data_dir: Path = Field(
        Path(".deskmate"), description="Folder of the index and, by default, the database."
    )
    database_url: str = Field(
        "",
        repr=False,
        description="SQLAlchemy URL; empty: SQLite in data_dir. PostgreSQL for many workers.",
    )
    secret_key: str = Field(
        "",
        repr=False,
        description="Encrypts connectors' tokens in the database (a Fernet key); after a comma,"
        " older keys that still decrypt.",
    )
    max_attachment_mb: int = Field(
        25, ge=1, description="Larger attachments are stored but not read."
    )
    knowledge: Knowledge = Field(default_factory=Knowledge)
    model: Model = Field(default_factory=Model)
    answering: Answering = Field(default_factory=Answering)
    policy: Policy = Field(default_factory=Policy)
    tools: Tools = Field(default_factory=Tools)
    inbox: Inbox = Field(default_factory=Inbox)
    http: Http = Field(default_factory=Http)
    console: Console = Field(default_factory=Console)
    privacy: Privacy = Field(default_factory=Privacy)
    staff_connector: str = Field(
        "",
        description="Connector that tells staff of drafts and hand-overs, such as slack; "
        "empty: the first that can.",
    )
    tracing: bool = Field(
        False, description="Send OpenTelemetry traces; needs `pip install 'deskmate[tracing]'`."
    )
    disabled_plugins: list[str] = Field(
        default_factory=list, description="Installed plugins that are not to be loaded."
    )
    granted: dict[str, list[str]] = Field(
        default_factory=dict,
        description="What each plugin of another package may do, as `deskmate plugins enable`"
        ' writes it: [granted] then order-lookup = ["tools"]. Others do not run.',
    )
    plugin_folder: str = Field(
        "", description="Folder whose .py files are plugins too, for trying out; empty: none."
    )
    plugins: dict[str, dict[str, Any]] = Field(
        default_factory=dict, repr=False, description="One table per plugin: [plugins.redaction] …"
    )
    connectors: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        repr=False,
        description="One table per connector: [connectors.slack] …",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings

    @property
    def plugin_path(self) -> Path | None:
        """`plugin_folder` as a path, or None."""
        return Path(self.plugin_folder) if self.plugin_folder else None

    @property
    def resolved_database_url(self) -> str:
        """The database's URL, with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'deskmate.sqlite'}"


def load(path: Path | None = None) -> Settings:
    """Reads `path`, or the file that DESKMATE_CONFIG names, or ./deskmate.toml if it exists.

    Raises SettingsError naming the file or variable, the key, the value and what is allowed.
    """
    named = path or (
        Path(os.environ["DESKMATE_CONFIG"]) if "DESKMATE_CONFIG" in os.environ else None
    )
    file = named or Path(FILE_NAME)
    if named and not named.is_file():
        raise SettingsError(f"{named}: no such file. `deskmate init` writes one.")
    _refuse_unknown_variables()
    try:
        text = file.read_text(encoding="utf-8-sig") if file.is_file() else ""
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: not valid TOML: {error}.") from error
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}.") from error
    return parse(text, file)


def parse(text: str, file: Path) -> Settings:
    """The settings of a file's text and the environment. Raises SettingsError, as `load` does."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: not valid TOML: {error}.") from error
    try:
        return Settings(**values)
    except VariableError as error:
        raise SettingsError(_explain_variable(error)) from error
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(e, file) for e in error.errors())) from error


def secret(field: FieldInfo) -> bool:
    """Whether a setting's value is to be shown to nobody: marked with `repr=False`, or pydantic's
    `SecretStr` or `SecretBytes`, alone or within."""
    return not field.repr or any(
        issubclass(kind, SecretStr | SecretBytes) for kind in kinds(field.annotation)
    )


def kinds(annotation: Any) -> Iterator[type]:
    """Every class in an annotation such as `dict[str, Server] | None`."""
    if isinstance(annotation, type) and not get_args(annotation):
        yield annotation
    for argument in get_args(annotation):
        yield from kinds(argument)


def _refuse_unknown_variables() -> None:
    for name in os.environ:
        if not name.startswith(PREFIX) or name in OTHER_VARIABLES:
            continue
        key, *inner = name.removeprefix(PREFIX).lower().split("__")
        if inner and key in Settings.model_fields and not _holds_more(Settings.model_fields[key]):
            raise SettingsError(f"{name}: no such setting. {PREFIX}{key.upper()} holds one value.")
        if key not in Settings.model_fields:
            known = ", ".join(PREFIX + field.upper() for field in Settings.model_fields)
            raise SettingsError(f"{name}: no such setting. Known: {known}.")


def _explain(error: ErrorDetails, file: Path) -> str:
    keys = [str(key) for key in error["loc"]]
    variable = PREFIX + "__".join(keys).upper()
    place = variable if variable in os.environ else f"{file}: {'.'.join(keys)}"
    if error["type"] == "extra_forbidden":
        section: Any = Settings
        for key in keys[:-1]:
            section = section.model_fields[key].annotation
        return f"{place}: no such setting. Known here: {', '.join(section.model_fields)}."
    secret = keys[0] in Settings.model_fields and not Settings.model_fields[keys[0]].repr
    value = "" if secret else f" = {error['input']!r}"
    return f"{place}{value}: {error['msg']}."


def _explain_variable(error: VariableError) -> str:
    """For variables that must be JSON, since their setting is no single word or number."""
    field = str(error).split('"')[1]
    begin = PREFIX + field.upper()
    wrong = {name: os.environ[name] for name in os.environ if name.startswith(begin)}
    secret = not Settings.model_fields[field].repr  # plugins' and connectors' tables hold tokens
    said = ", ".join(
        name if secret else f"{name} = {value!r}" for name, value in sorted(wrong.items())
    )
    return f'{said}: not JSON. Lists are written ["a", "b"], tables {{"key": "value"}}.'


def _holds_more(field: FieldInfo) -> bool:
    """Whether the setting has settings of its own."""
    kind = field.annotation
    return get_origin(kind) is dict or (isinstance(kind, type) and issubclass(kind, BaseModel))
