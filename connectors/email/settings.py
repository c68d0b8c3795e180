"""`[connectors.email]` in deskmate.toml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from assistant import SettingsError

VARIABLE = "DESKMATE_CONNECTORS__EMAIL__"

Security = Literal["tls", "starttls", "none"]


def _lower(address: str) -> str:
    if "@" not in address:
        raise ValueError("it is no e-mail address")
    return address.strip().lower()


MailAddress = Annotated[str, AfterValidator(_lower)]


class Mailbox(BaseModel):
    """`[connectors.email.mailboxes.NAME]`; the password rather in a variable:
    DESKMATE_CONNECTORS__EMAIL__MAILBOXES__NAME__PASSWORD."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: MailAddress = Field(description="The address that is answered, and answers.")
    name: str = Field("", description="The name beside it in mails that leave.")
    aliases: tuple[MailAddress, ...] = Field(
        (), description="Other addresses whose mails come here."
    )
    imap_host: str = Field(description="Where mails are fetched.")
    imap_port: int = Field(993, description="Its port.")
    imap_security: Security = Field("tls", description="none only on this machine.")
    smtp_host: str = Field(description="Where mails are handed in.")
    smtp_port: int = Field(587, description="Its port.")
    smtp_security: Security = Field("starttls", description="none only on this machine.")
    ca_file: Path | None = Field(None, description="Certificates to trust instead of the system's.")
    user: str = Field("", description="Name to sign in with; empty: the address.")
    password: str = Field("", repr=False, description="Password, where it is not OAuth2.")
    oauth_token_url: str = Field("", description="With the three below: OAuth2 (XOAUTH2).")
    oauth_client_id: str = Field("", description="See oauth_token_url.")
    oauth_client_secret: str = Field("", repr=False, description="Where the provider wants one.")
    oauth_refresh_token: str = Field("", repr=False, description="See oauth_token_url.")
    authserv_id: str = Field(
        "", description="Your mail server's name in Authentication-Results; empty: nobody is known."
    )
    folder: str = Field("INBOX", description="The folder whose mails are answered.")
    done_folder: str = Field("", description="Where accepted mails go; empty: marked as seen.")
    filed_folder: str = Field(
        "", description="Where mails that are never answered go (bounces, lists …); empty: seen."
    )
    sent_folder: str = Field("", description="Empty: the one that the server says.")
    drafts_folder: str = Field("", description="Empty: the one that the server says.")
    copy_to_sent: bool = Field(True, description="False where the server does it, such as Gmail.")
    imap_drafts: bool = Field(False, description="Put drafts into the drafts folder as well.")
    poll_seconds: float = Field(60.0, gt=0, description="Between looks, where there is no IDLE.")
    drafts_first: int = Field(
        20, ge=0, description="Nothing leaves without a person until so many drafts were looked at."
    )
    answers_per_sender: int = Field(
        5, ge=1, description="Automatic answers to one address an hour."
    )
    answers_per_mailbox: int = Field(300, ge=1, description="Automatic answers an hour altogether.")
    max_mail_mb: int = Field(40, ge=1, description="Of larger mails only the beginning is fetched.")
    dkim_selector: str = Field("", description="With dkim_key_file: mails are signed (DKIM).")
    dkim_key_file: Path | None = Field(None, description="PEM file of the private key.")

    @property
    def own_addresses(self) -> frozenset[str]:
        """The address and its aliases."""
        return frozenset((self.address, *self.aliases))

    @property
    def domain(self) -> str:
        """The address's domain."""
        return self.address.rpartition("@")[2]

    @property
    def login(self) -> str:
        """The name to sign in with."""
        return self.user or self.address


class EmailSettings(BaseModel):
    """What an operator sets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mailboxes: dict[str, Mailbox] = Field(description="One table a mailbox.")
    staff_address: str = Field(
        "", description="Address that gets drafts and hand-overs; whose answers go to the customer."
    )
    staff: tuple[str, ...] = Field(
        (), description="Addresses, or @domains, of colleagues; their mails are staff's."
    )

    @property
    def own_addresses(self) -> frozenset[str]:
        """All addresses of all mailboxes."""
        return frozenset().union(*(box.own_addresses for box in self.mailboxes.values()))


def read(table: Mapping[str, Any]) -> EmailSettings:
    """The checked settings. Raises SettingsError naming the key and what to do."""
    try:
        settings = EmailSettings.model_validate(dict(table))
    except ValidationError as error:
        raise SettingsError("\n".join(map(_explain, error.errors(include_url=False)))) from None
    if not settings.mailboxes:
        raise SettingsError(
            "connectors.email.mailboxes: there is none. Add a table"
            " [connectors.email.mailboxes.support]; docs/email.md shows one."
        )
    for name, box in settings.mailboxes.items():
        _check(f"connectors.email.mailboxes.{name}", name, box)
    if settings.staff_address.lower() in settings.own_addresses:
        raise SettingsError(
            f"connectors.email.staff_address = {settings.staff_address!r}: it is a mailbox that is"
            " answered, and would answer itself. Name another one."
        )
    return settings


def _check(key: str, name: str, box: Mailbox) -> None:
    if not name.replace("-", "").replace("_", "").isalnum():
        raise SettingsError(f"{key}: a mailbox's name has letters, digits, - and _ only.")
    if not box.password and not box.oauth_refresh_token:
        raise SettingsError(
            f"{key}.password: missing. Set it, {VARIABLE}MAILBOXES__{name.upper()}__PASSWORD,"
            " or the oauth_ settings."
        )
    if box.oauth_refresh_token and not (box.oauth_token_url and box.oauth_client_id):
        raise SettingsError(f"{key}.oauth_token_url, .oauth_client_id: OAuth2 needs both.")
    for service in ("imap", "smtp"):
        host, security = getattr(box, f"{service}_host"), getattr(box, f"{service}_security")
        if security == "none" and host not in ("localhost", "127.0.0.1", "::1"):
            raise SettingsError(
                f"{key}.{service}_security = 'none': the password would go to {host} in the clear."
                " Use tls or starttls."
            )
    if bool(box.dkim_selector) != bool(box.dkim_key_file):
        raise SettingsError(f"{key}.dkim_selector, .dkim_key_file: DKIM needs both.")
    if box.dkim_key_file and not box.dkim_key_file.is_file():
        raise SettingsError(f"{key}.dkim_key_file = '{box.dkim_key_file}': no such file.")


def _explain(problem: Any) -> str:
    key = ".".join(str(part) for part in ("connectors", "email", *problem["loc"]))
    if problem["type"] == "missing":
        return f"{key}: missing; docs/email.md says what it is."
    if problem["type"] == "extra_forbidden":
        model = Mailbox if "mailboxes" in problem["loc"] else EmailSettings
        return f"{key}: no such setting. Known here: {', '.join(model.model_fields)}."
    secret = any(word in key for word in ("password", "secret", "refresh_token"))
    shown = "" if secret or isinstance(problem["input"], dict) else f" = {problem['input']!r}"
    return f"{key}{shown}: {problem['msg']}."
