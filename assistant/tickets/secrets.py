"""Connectors' secrets, such as tokens, encrypted in the database.

Fernet (AES-128-CBC with HMAC-SHA256, https://github.com/fernet/spec) of the library `cryptography`:
whoever has the database or a backup of it, and not the key, has no token.
"""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.errors import SettingsError
from assistant.tickets.database import sessions
from assistant.tickets.tables import Table


class SecretRow(Table):
    __tablename__ = "secrets"

    connector: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    encrypted: Mapped[bytes]
    changed_at: Mapped[datetime]


class Secrets:
    """The secrets of all connectors. `keys` are Fernet keys with commas between them: the first
    encrypts, all decrypt."""

    def __init__(self, engine: Engine, keys: str) -> None:
        self._keys = [key.strip() for key in keys.split(",") if key.strip()]
        self._write, self._read = sessions(engine)

    def put(self, connector: str, name: str, value: str) -> None:
        """Stores `value` in place of what had this name. Raises SettingsError without a key."""
        encrypted = self.cipher().encrypt(value.encode())
        row = SecretRow(connector=connector, name=name, encrypted=encrypted)
        row.changed_at = datetime.now(UTC)
        with self._write.begin() as session:
            session.merge(row)

    def get(self, connector: str, name: str) -> str | None:
        """The secret of this name, or None. Raises SettingsError if the key does not fit."""
        with self._read() as session:
            row = session.get(SecretRow, (connector, name))
        if row is None:
            return None
        try:
            return self.cipher().decrypt(row.encrypted).decode()
        except InvalidToken as error:
            raise SettingsError(
                f"secret_key: it does not decrypt {connector}'s secret {name!r}. Add the key it was"
                " encrypted with after a comma, or make the secret anew."
            ) from error

    def names(self, connector: str) -> tuple[str, ...]:
        """The names of a connector's secrets."""
        query = select(SecretRow.name).where(SecretRow.connector == connector)
        with self._read() as session:
            return tuple(session.scalars(query.order_by(SecretRow.name)))

    def remove(self, connector: str, name: str) -> None:
        """Forgets a secret."""
        named = (SecretRow.connector == connector, SecretRow.name == name)
        with self._write.begin() as session:
            session.execute(delete(SecretRow).where(*named))

    def cipher(self) -> MultiFernet:
        """What encrypts. Raises SettingsError if there is no key, or one that is none."""
        if not self._keys:
            raise SettingsError(
                "secret_key: not set, and tokens are not stored without one. `deskmate slack key`"
                " prints a new one; set DESKMATE_SECRET_KEY to it and keep it safe."
            )
        try:
            return MultiFernet([Fernet(key) for key in self._keys])
        except ValueError as error:
            raise SettingsError(
                "secret_key: not a Fernet key (32 bytes in URL-safe base64)."
                " `deskmate slack key` prints a new one."
            ) from error
