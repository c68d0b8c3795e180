"""The desk's own people: who may use the console, and as what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Engine, String, UniqueConstraint, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from assistant.errors import DeskmateError
from assistant.tickets.database import sessions
from assistant.tickets.rows import audit
from assistant.tickets.tables import Table

Role = Literal["viewer", "agent", "lead", "admin"]


class PersonRow(Table):
    """`password` is its hash, null for who logs in elsewhere only; `subject` is the issuer's name
    for the person, null for who never logged in there."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("name"), UniqueConstraint("subject"))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    full_name: Mapped[str]
    role: Mapped[str] = mapped_column(String(16))
    password: Mapped[str | None]
    subject: Mapped[str | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Person:
    """Somebody who may log in. `name` is what they log in with and what the audit log says;
    `single_sign_on` tells whether they ever came through it."""

    id: int
    name: str
    full_name: str
    role: Role
    has_password: bool
    single_sign_on: bool
    created_at: datetime
    disabled_at: datetime | None = None


class People:
    """Everybody who may or might log in. `by` is always the person who does it, for the audit."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def any(self) -> bool:
        """Whether there is anybody yet."""
        with self._read() as session:
            return session.scalar(select(PersonRow.id).limit(1)) is not None

    def add(
        self,
        name: str,
        role: Role,
        by: str,
        *,
        full_name: str = "",
        password: str | None = None,
        subject: str | None = None,
        first: bool = False,
    ) -> Person:
        """Adds a person; `password` is its hash. With `first`, only if there is nobody yet.

        Raises DeskmateError if the name is taken, or if there is somebody already.
        """
        row = PersonRow(name=name, full_name=full_name, role=role, password=password)
        row.subject, row.created_at = subject, datetime.now(UTC)
        try:
            with self._write.begin() as session:
                if first and session.scalar(select(func.count(PersonRow.id))):
                    raise DeskmateError("There is an administrator already. Log in instead.")
                session.add(row)
                audit(session, None, by, "add person", f"{name}, {role}")
                session.flush()
                return as_person(row)
        except IntegrityError as error:
            raise DeskmateError(f"{name}: there is a person of this name already.") from error

    def list(self) -> tuple[Person, ...]:
        """Everybody, by name."""
        with self._read() as session:
            return tuple(
                map(as_person, session.scalars(select(PersonRow).order_by(PersonRow.name)))
            )

    def find(self, name: str) -> Person | None:
        """The person of this name, or None."""
        return self._find(PersonRow.name == name)

    def find_subject(self, subject: str) -> Person | None:
        """The person whom an issuer calls so, or None."""
        return self._find(PersonRow.subject == subject)

    def password(self, person_id: int) -> str | None:
        """The hash of a person's password, or None if there is none."""
        with self._read() as session:
            return session.get_one(PersonRow, person_id).password

    def set_password(self, person_id: int, password: str, by: str) -> None:
        """Stores the hash of a new password."""
        self._change(person_id, by, "change password", "", password=password)

    def set_role(self, person_id: int, role: Role, by: str) -> None:
        """Gives a person another role. Raises DeskmateError if no administrator would be left."""
        self._change(person_id, by, "change role", role, role=role)

    def disable(self, person_id: int, by: str) -> None:
        """Nobody logs in as this person any more; what they did stays. Raises DeskmateError if no
        administrator would be left."""
        self._change(person_id, by, "disable person", "", disabled_at=datetime.now(UTC))

    def enable(self, person_id: int, by: str) -> None:
        """The person may log in again."""
        self._change(person_id, by, "enable person", "", disabled_at=None)

    def link(self, person_id: int, subject: str) -> None:
        """From now on the issuer's `subject` is this person."""
        self._change(person_id, subject, "link single sign-on", "", subject=subject)

    def _find(self, condition: Any) -> Person | None:
        with self._read() as session:
            row = session.scalar(select(PersonRow).where(condition))
            return None if row is None else as_person(row)

    def _change(self, person_id: int, by: str, action: str, detail: str, **values: Any) -> None:
        with self._write.begin() as session:
            # All administrators are locked, so that two of them cannot dismiss each other.
            before = _administrators(session)
            row = session.get(PersonRow, person_id)
            if row is None:
                raise DeskmateError(f"person {person_id}: there is none of this number.")
            for name, value in values.items():
                setattr(row, name, value)
            session.flush()
            if before and not _administrators(session):
                raise DeskmateError(
                    f"{row.name} is the last administrator. Make somebody else one first."
                )
            audit(session, None, by, action, f"{row.name} {detail}".strip())


def _administrators(session: Session) -> list[int]:
    query = select(PersonRow.id).where(PersonRow.role == "admin", PersonRow.disabled_at.is_(None))
    return list(session.scalars(query.order_by(PersonRow.id).with_for_update()))


def as_person(row: PersonRow) -> Person:
    """The person of this row."""
    role: Role = row.role  # type: ignore[assignment]
    return Person(
        id=row.id,
        name=row.name,
        full_name=row.full_name,
        role=role,
        has_password=row.password is not None,
        single_sign_on=row.subject is not None,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )
